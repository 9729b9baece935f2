#!/bin/sh
# Installs those of the named Debian packages that are missing, saying which.
set -eu
missing=
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
	    grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "These packages (Debian's names) are needed:$missing" >&2
	exit 1
fi
echo "Installing through apt:$missing"
if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	echo "This needs root or sudo; as root: apt-get install$missing" >&2
	exit 1
fi
quiet() { # shows the output only of what fails
	out=$("$@" 2>&1) || {
		echo "$out" >&2
		return 1
	}
}
# shellcheck disable=SC2086
quiet $sudo apt-get update -q
# shellcheck disable=SC2086
quiet $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
    --no-install-recommends $missing
