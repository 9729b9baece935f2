#!/usr/bin/env bash
# kernel.sh DIRECTORY: makes the enclave's kernel, DIRECTORY/bzImage, from
# Debian's linux-source-6.12 and kernel.config. Takes minutes, once: nothing is
# done while that package, the configuration and the tools are the same.
#
# The same source, configuration, gcc, binutils and zstd give the same bytes,
# whatever the directory and the day. Beside the kernel are `config`, what
# became of kernel.config, and the kernel's own gen_init_cpio.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

source=linux-source-6.12
config=$here/kernel.config
steps=1368 # lines that the kernel's make prints, about

export LC_ALL=C TZ=UTC
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=hallmark KBUILD_BUILD_HOST=hallmark

made_of() {
	dpkg-query -W "$source" gcc-"$(gcc -dumpversion)" binutils zstd
	env | grep ^KBUILD | sort
	grep '^CONFIG_' "$config"
}

configure() {
	make -s allnoconfig KCONFIG_ALLCONFIG="$config" >configure.log 2>&1 || {
		cat configure.log >&2
		return 1
	}
	local refused
	refused=$(grep '^CONFIG_' "$config" | grep -vxFf .config || true)
	[ -z "$refused" ] || {
		echo "This kernel source refuses of kernel.config: $refused" >&2
		return 1
	}
}

# Shows how far it is, now and then; the rest is in the log.
progress() {
	local count=0 next=0
	while read -r _; do
		count=$((count + 1))
		[ $((count * 20 / steps)) -ge $next ] || continue
		printf '  KERNEL  %2d%%, %d s\n' \
		    $((count * 100 / steps)) $SECONDS
		next=$((count * 20 / steps + 1))
	done
}

compile() {
	make -j"$(nproc)" bzImage 2>&1 | tee build.log | progress || {
		tail -n 40 build.log >&2
		return 1
	}
}

made_of >made-of.now
if [ -f bzImage ] && cmp -s made-of.now made-of; then
	exit 0
fi
rm -rf "$source" bzImage
echo "  UNPACK  $source"
tar xf "/usr/src/$source.tar.xz"
(cd "$source" && configure && compile)
cp "$source/.config" config
cp "$source/usr/gen_init_cpio" "$source/arch/x86/boot/bzImage" .
mv made-of.now made-of
rm -rf "$source"
