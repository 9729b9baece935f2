#!/usr/bin/env bash
# build.sh: the enclave's image, from the kernel, our programs and Debian's
# libraries; `make image` calls it with everything in the environment:
#
#   OUT      where all of it goes
#   HALLMARK the program `hallmark` of this build
#   KERNEL   a bzImage; empty: ours is built, in $OUT/kernel
#   INIT     the first process; empty: ours is built
#   CONFIG   the oracle's configuration, measured; empty: none in the image,
#            init asks the parent for it and measures it at boot
#   CMDLINE  the kernel's command line; empty: the file `cmdline`
#   VERSION and SOURCE_DATE_EPOCH, for the metadata
#
# The first ramdisk is /init and mount points, the second all else, also the
# libraries that /init shares with the oracle (both ramdisks are there before
# anything runs; static ones would double them, and Debian lacks some). What is
# measured are their bytes, so there is nothing in these that differs from one
# machine or day to another: files in order and without owner or time (pack.py),
# programs built without the environment, without debug information, and
# without the name of the directory.
set -euo pipefail
umask 022
unset CDPATH
export LC_ALL=C TZ=UTC OUT INIT
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=/usr/sbin:/usr/bin:/sbin:/bin

die() {
	echo "make image: $*" >&2
	exit 1
}

# ---- the parts ----

# Objects are kept as long as no package has changed: make does not know that
# a compiler is another one, or a header of the system's.
forget_if_packages_changed() {
	dpkg-query -W >"$OUT/packages.now"
	cmp -s "$OUT/packages.now" "$OUT/packages" || rm -rf "$OUT/programs"
	mv "$OUT/packages.now" "$OUT/packages"
}

# programs NAME...: built in $OUT/programs/bin, always with Debian's gcc.
programs() {
	env -i PATH=$tools LC_ALL=C make -s --no-print-directory -C "$root" \
	    -j"$(nproc)" B="$OUT/programs" CC=gcc LDFLAGS=-s \
	    CFLAGS="-O2 -ffile-prefix-map=$root=." \
	    "${@/#/$OUT/programs/bin/}"
}

# The certificates of Debian's package, in order. Not /etc/ssl/certs, where a
# machine's owner may have added some: PCR2 would be that machine's only.
certificates() {
	cat /usr/share/ca-certificates/mozilla/*.crt
}

# Where the loader will find what programs link, and the loader; nothing for a
# static program. Only where a loader without a cache looks: not what somebody
# has in /usr/local.
libraries_of() { # PROGRAM...
	local program all
	for program in "$@"; do
		readelf -lW "$program" | grep -q INTERP || continue
		all=$(env -i PATH=$tools ldd "$program" | grep -v linux-vdso)
		! grep -vE ' => /lib/[^/]+/[^/]+ |^\s/lib64/' <<<"$all" ||
		    die "$program links what is not Debian's"
		grep -oE '/[^ ]+' <<<"$all"
	done | sort -u
}

# ---- the ramdisks ----

# The list as it is in here, and what lines of NAME SOURCE MODE on stdin add,
# each with the directories above it, once and in order.
ramdisk() { # boot|app
	local name source mode above
	{
		grep -v '^#' "$here/$1.list"
		while read -r name source mode; do
			echo "file $name $source $mode 0 0"
			above=${name%/*}
			while [ -n "$above" ]; do
				echo "dir $above 755 0 0"
				above=${above%/*}
			done
		done
	} | sort -u -k2,2 >"$OUT/$1.list"
	"$here/pack.py" "$OUT/$1.list" >"$OUT/$1.cpio"
}

boot_ramdisk() {
	ramdisk boot </dev/null
}

# The list is expanded by pack.py: a directory's name may have blanks.
app_ramdisk() {
	certificates >"$OUT/ca.pem"
	[ -z "$CONFIG" ] || [ "$CONFIG" -ef "$OUT/oracle.json" ] ||
	    install -m 644 "$CONFIG" "$OUT/oracle.json"
	{
		printf '%s\n' "${libraries[@]}" | sed 's/.*/& & 755/'
		# shellcheck disable=SC2016
		[ -z "$CONFIG" ] ||
		    echo '/etc/hallmark/oracle.json ${OUT}/oracle.json 644'
	} | ramdisk app
}

# ---- what it was made of, for those who want to make it again ----

version_of() { dpkg-query -W -f '${Version}' "$1"; }

package_of() { # FILE; nothing, if it is of no package
	{ dpkg -S "$1" "$(realpath "$1")" 2>/dev/null || true; } |
	    head -1 | cut -d: -f1
}

# "package": "version" of all whose work is in the measured bytes.
ingredients() {
	local library package
	{
		echo gcc-"$(gcc -dumpversion)"
		printf '%s\n' binutils libc6-dev ca-certificates
		for library in "${libraries[@]}"; do
			package=$(package_of "$library")
			echo "${package:-$library}"
		done
	} | sort -u | while read -r package; do
		printf '"%s": "%s"\n' "$package" \
		    "$(version_of "$package" || echo 'of no package')"
	done | paste -sd, -
}

# The kernel's header names its version 512 bytes after what 0x20e holds.
kernel_version() {
	local at
	at=$(od -An -tu2 -j $((0x20e)) -N 2 "$1")
	dd if="$1" bs=1 skip=$((at + 512)) count=200 status=none |
	    tr '\0' '\n' | head -1 | tr -cd 'A-Za-z0-9 ._#@():+~-'
}

# ---- all of it ----

[ "$(uname -m)" = x86_64 ] || die "the kernel's configuration is x86-64's"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
cd "$root"
for given in "$KERNEL" "$INIT" "$CONFIG"; do
	[ -z "$given" ] || [ -f "$given" ] || die "$given: no such file"
done
if [ -z "$KERNEL" ]; then
	env -i PATH=$tools "$here/kernel.sh" "$OUT/kernel"
	KERNEL=$OUT/kernel/bzImage
fi
forget_if_packages_changed
programs hallmark-oracle
if [ -z "$INIT" ]; then
	programs hallmark-init
	INIT=$OUT/programs/bin/hallmark-init
fi
found=$(libraries_of "$INIT" "$OUT/programs/bin/hallmark-oracle")
mapfile -t libraries <<<"$found"
[ "$KERNEL" -ef "$OUT/bzImage" ] || install -m 644 "$KERNEL" "$OUT/bzImage"
boot_ramdisk
app_ramdisk
cat >"$OUT/metadata.json" <<END
{"kernel": "$(kernel_version "$OUT/bzImage")", "packages": {$(ingredients)}}
END
"$HALLMARK" eif build --kernel "$OUT/bzImage" \
    --cmdline "${CMDLINE:-$(cat "$here/cmdline")}" \
    --ramdisk "$OUT/boot.cpio" --ramdisk "$OUT/app.cpio" \
    --metadata "$OUT/metadata.json" --name hallmark \
    --image-version "$VERSION" --memory 512 --output "$OUT/hallmark.eif" \
    >"$OUT/measurements.json"
"$HALLMARK" pcrs "$OUT/hallmark.eif" --policy "$VERSION" \
    ${CONFIG:+--config "$CONFIG"} >"$OUT/policy.json"
cat "$OUT/measurements.json"
echo "$OUT/hallmark.eif: $(stat -c %s "$OUT/hallmark.eif") bytes;" \
    "policy.json beside it accepts it${CONFIG:+ with this configuration}"
