#!/bin/sh
# bundle.sh DIRECTORY PROGRAM...: programs that run where their libraries are
# not, or are others (Amazon Linux), or where nothing else is (FROM scratch).
#
#   DIRECTORY/usr/local/bin/NAME  the programs
#   DIRECTORY/lib...              the libraries that they name, and the loader,
#                                 at the paths where they are looked for
#   DIRECTORY/bin/NAME            starts NAME with that loader and these
#                                 libraries, wherever DIRECTORY stands
set -eu
[ $# -ge 2 ] || {
	echo "usage: bundle.sh DIRECTORY PROGRAM..." >&2
	exit 1
}
to=$1
shift

put_libraries() { # PROGRAM
	needed=$(ldd "$1")
	case $needed in *"not found"*)
		echo "$1 lacks libraries: $needed" >&2
		exit 1
		;;
	esac
	for library in $(echo "$needed" | grep -oE '/[^ ]+'); do
		install -D -m 755 "$library" "$to$library"
	done
}

# Read from the program itself: the one whose path is the same everywhere.
loader_of() { # PROGRAM
	ldd "$1" | grep -oE '/[^ ]*/ld-linux[^ ]*' | tail -n 1
}

put_starter() { # PROGRAM
	# shellcheck disable=SC2016
	path=$(ldd "$1" | sed -n 's|.*=> \(/.*\)/[^/]* (.*|:$top\1|p' | sort -u |
	    tr -d '\n')
	install -d "$to/bin"
	cat >"$to/bin/${1##*/}" <<-EOF2
		#!/bin/sh
		top=\$(cd "\$(dirname "\$0")/.." && pwd)
		exec "\$top$(loader_of "$1")" --library-path "${path#:}" \\
		    "\$top/usr/local/bin/${1##*/}" "\$@"
	EOF2
	chmod 755 "$to/bin/${1##*/}"
}

for program in "$@"; do
	install -D -m 755 "$program" "$to/usr/local/bin/${program##*/}"
	put_libraries "$program"
	put_starter "$program"
done
