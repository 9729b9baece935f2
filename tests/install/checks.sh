# What run.sh asks of an installed tree; each function succeeds or says why not.

# expect PATTERN STATUS COMMAND...: both are extended regular expressions
expect() {
	local pattern=$1 status=$2 output code
	shift 2
	output=$("$@" 2>&1)
	code=$?
	echo "exit $code: $output"
	[[ $code =~ ^$status$ ]] && grep -qE "$pattern" <<<"$output"
}

all_there() { # AT
	local file
	for file in bin/{hallmark,hallmark-oracle,hallmark-verifierd,vsock-bridge} \
	    include/hallmark.h include/hallmark_{answer,document,item}.h \
	    include/hallmark_{log,policy,verdict}.h lib/libhallmark.{a,so,so.0} \
	    lib/pkgconfig/hallmark.pc \
	    lib/systemd/system/{hallmark-verifierd,vsock-bridge}.service \
	    lib/systemd/system/{vsock-bridge.socket,hallmark-enclave.service} \
	    share/doc/hallmark/deploy/{README,OPERATIONS}.md \
	    share/doc/hallmark/monitoring/{alerts.yml,grafana.json} \
	    share/man/man1/hallmark.1 share/man/man3/libhallmark.3 \
	    share/man/man8/{hallmark-oracle,hallmark-verifierd,vsock-bridge}.8 \
	    share/doc/hallmark/{README.md,LICENSE,policy.example.json,verify_item.c}
	do
		[ -r "$1/$file" ] || { echo "no $file" && return 1; }
	done
}

nothing_outside() { # TREE PREFIX
	local outside
	outside=$(find "$1" -not -type d -not -path "$1$2/*")
	[ -z "$outside" ] || { echo "$outside" && return 1; }
}

unstaged() { # TREE DIR
	! grep -rIl "$2" "$1"
}

units_start() { # AT PREFIX
	local unit program
	for unit in "$1"/lib/systemd/system/*.service; do
		program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
		# nitro-cli, QEMU, modprobe: the machine's, not ours
		case $program in /usr/bin/* | /sbin/*) continue ;; esac
		[ -x "$1/${program#"$2"/}" ] || {
			echo "$unit starts $program" && return 1
		}
		! grep -n '/usr/local' "$unit" || [ "$2" = /usr/local ] || return 1
	done
}

bundled() { # ARCHIVE DIR
	local program
	mkdir "$2" && tar -C "$2" -xzf "$1" || return 1
	for program in hallmark hallmark-verifierd vsock-bridge; do
		"$2/opt/hallmark/bin/$program" --version || return 1
	done
	[ -r "$2/opt/hallmark/share/bridge.json" ] || return 1
	grep -q '^ExecStart=/opt/hallmark/bin/vsock-bridge' \
	    "$2/etc/systemd/system/vsock-bridge.service" || return 1
	! grep -r /usr/local/bin "$2/etc"
}

# The functions that the headers declare; their comments name no others.
declared() { # HEADER...
	grep -ohE '\bhm_[a-z0-9_]+\(' "$@" | tr -d '(' | sort -u
}

exports_are() { # DECLARED -D|-g LIBRARY
	nm "$2" --defined-only --format=posix "$3" |
		awk 'NF > 1 { print $1 }' | sort -u | diff "$1" -
}

needs() { # FILE LIBRARY
	readelf -d "$1" | grep NEEDED | grep "$2"
}

needs_other_than() { # FILE LIBRARY
	needs "$1" libcrypto && ! needs "$1" "$2"
}

links_right() { # LIBRARY
	local needed
	readelf -d "$1" | grep -q 'SONAME.*\[libhallmark\.so\.0\]' || {
		echo "another soname" && return 1
	}
	! readelf -d "$1" | grep TEXTREL || return 1
	needed=$(needs "$1" . |
		grep -vE '\[lib(crypto|cbor|jansson|c)\.so|\[ld-linux')
	[ -z "$needed" ] || { echo "$needed" && return 1; }
}

explains() { # HALLMARK DIR
	local said
	said=$("$1" verify "$2/item.json" --policy "$2/policy.json" --explain) || {
		echo "$said" && return 1
	}
	[ "$(grep -c '^ok ' <<<"$said")" -gt 20 ] &&
		! grep '^ok ' <<<"$said" | grep -v 'wanted ..*, found ..*'
}

# ---- manual pages ----

page_is_right() { # PAGE
	mandoc -T lint -W warning,stop "$1"
}

# As a reader sees it, on one line.
page_text() { # PAGE
	mandoc -T ascii -O width=999 "$1" | sed 's/.\x08//g'
}

page_tells() { # PAGE WORD...
	local page=$1 text word status=0
	shift
	text=$(page_text "$page")
	for word in "$@"; do
		grep -qE -- "(^|[^a-z_-])$word([^a-z_-]|\$)" <<<"$text" || {
			echo "${page##*/} does not tell of $word"
			status=1
		}
	done
	return $status
}

# Every --option of the help texts, and each subcommand.
page_tells_all() { # AT PROGRAM
	local page help commands command
	page=$(echo "$1"/share/man/man?/"$2".[18])
	help=$("$1/bin/$2" --help)
	commands=$(sed -nE 's/^  ([a-z]+( [a-z]+|-[a-z]+)?)  +.*/\1/p' <<<"$help")
	if [ "$2" = hallmark ]; then
		[ -n "$commands" ] || { echo "no commands found" && return 1; }
		while read -r command; do
			# shellcheck disable=SC2086
			help+=$("$1/bin/$2" $command --help)
			page_tells "$page" "$command" || return 1
		done <<<"$commands"
	fi
	# shellcheck disable=SC2046
	page_tells "$page" $(grep -oE -- '--[a-z-]+' <<<"$help" | sort -u)
}
