#!/usr/bin/env bash
# What `make install` gives to others, as TAP: the files, the symbols, the
# header from C and C++, the manual pages, the example built by pkg-config both
# ways and run on a price that the installed programs made. B is the directory
# that holds the build (default: build).
cd "$(dirname "$0")/../.." || exit 1
. tests/install/checks.sh
MAKE=${MAKE:-make}
B=${B:-build}
prefix=/opt/hallmark
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tree=$dir/root
at=$tree$prefix
number=0
failed=0

# verdict STATUS NAME: status 0 is ok; $dir/log says why not
verdict() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		sed 's/^/# /' "$dir/log"
		echo "not ok $number - $2"
		failed=1
	fi
	: >"$dir/log"
}
# try NAME COMMAND...: the command's success is the verdict
try() {
	local name=$1
	shift
	"$@" >>"$dir/log" 2>&1
	verdict $? "$name"
}
# refuse NAME WORD COMMAND...: it must fail, and say WORD, or it is no check
refuse() {
	local name=$1 word=$2
	shift 2
	! "$@" >>"$dir/log" 2>&1 && grep -qe "$word" "$dir/log"
	verdict $? "$name"
}
skip() {
	number=$((number + 1))
	if [ "${CI:-}" = true ]; then
		echo "not ok $number - $1: $2"
		failed=1
	else
		echo "ok $number - $1 # SKIP $2"
	fi
}
: >"$dir/log"

# ---- the tree ----

try "make install" $MAKE -s B="$B" DESTDIR="$tree" PREFIX=$prefix install
[ $failed -eq 0 ] || exit 1
try "every file is in its place" all_there "$at"
try "nothing is anywhere else" nothing_outside "$tree" $prefix
try "no file knows where it was staged" unstaged "$tree" "$dir"
try "units start what was installed" units_start "$at" $prefix

try "make bundle" $MAKE -s B="$B" bundle
try "the bundle runs its own programs" \
    bundled "$B/hallmark-bundle.tar.gz" "$dir/bundle"

# ---- the symbols: hm_* of the headers, all of them and no other ----

declared "$at"/include/*.h >"$dir/declared"
cat >"$dir/leak.c" <<-'EOF'
	int hm_verdict_name(void), leaked(void);
	int hm_verdict_name(void) { return 1; }
	int leaked(void) { return 2; }
EOF
${CC:-cc} -shared -fPIC -o "$dir/leak.so" "$dir/leak.c" &&
	${CC:-cc} -c -o "$dir/leak.o" "$dir/leak.c"
refuse "a leak in a shared library is found" leaked \
    exports_are "$dir/declared" -D "$dir/leak.so"
refuse "a leak in an object is found" leaked \
    exports_are "$dir/declared" -g "$dir/leak.o"
try "the shared library exports hm_* only" \
    exports_are "$dir/declared" -D "$at/lib/libhallmark.so"
try "the static library exports hm_* only" \
    exports_are "$dir/declared" -g "$at/lib/libhallmark.a"
try "soname, and libraries it needs" links_right "$at/lib/libhallmark.so.0"

# ---- the header ----

# The tree is staged: its .pc file, with the place where it stands now. A second
# one knows a folder with only the archive, where -lhallmark is the archive.
mkdir "$dir/pc" "$dir/pc-static" "$dir/archive"
cp "$at/lib/libhallmark.a" "$dir/archive"
sed "s|^prefix=.*|prefix=$at|" "$at/lib/pkgconfig/hallmark.pc" \
    >"$dir/pc/hallmark.pc"
sed "s|^libdir=.*|libdir=$dir/archive|" "$dir/pc/hallmark.pc" \
    >"$dir/pc-static/hallmark.pc"
shared=$(PKG_CONFIG_PATH=$dir/pc pkg-config --cflags --libs hallmark)
static=$(PKG_CONFIG_PATH=$dir/pc-static \
    pkg-config --static --cflags --libs hallmark)
WARN="-Wall -Wextra -Wpedantic -Wconversion -Werror"
for cc in gcc clang; do
	for header in "$at"/include/*.h; do
		try "${header##*/} alone, $cc -std=c11" $cc -std=c11 $WARN \
		    -x c -fsyntax-only "$header"
	done
done
for cxx in clang++ g++; do
	if [ $cxx = g++ ] && ! command -v g++ >/dev/null; then
		continue # clang++ stands for it
	fi
	try "a C++ program, $cxx -std=c++17" $cxx -std=c++17 $WARN \
	    -o "$dir/cxx" tests/install/header.cpp $shared
	try "it runs" env LD_LIBRARY_PATH="$at/lib" "$dir/cxx"
done

# ---- the example, on a price of the installed programs ----

example=$at/share/doc/hallmark/verify_item.c
try "the example, shared" ${CC:-cc} -std=c11 $WARN -o "$dir/shared" \
    "$example" $shared
try "the example, static" ${CC:-cc} -std=c11 $WARN -o "$dir/static" \
    "$example" $static
try "the shared one needs libhallmark.so.0" \
    needs "$dir/shared" 'libhallmark\.so\.0\]'
try "the static one does not" needs_other_than "$dir/static" libhallmark
try "examples/relayer.c, as the README builds it" ${CC:-cc} $WARN \
    -o "$dir/relayer" examples/relayer.c $shared \
    $(pkg-config --cflags --libs libcurl)
try "the installed programs make a price" \
    env HALLMARK_BIN="$at/bin" python3 tests/install/item.py "$dir"
for program in shared static; do
	example_is() { # OUTPUT STATUS POLICY ITEM
		LD_LIBRARY_PATH="$at/lib" expect "$1" "$2" \
		    "$dir/$program" "$dir/$3" "$dir/$4"
	}
	try "$program: prints the price" \
	    example_is '^BTC-USD [0-9]+\.[0-9]+$' 0 policy.json item.json
	sed 's/\("content":"[^0]*\)0/\11/' "$dir/item.json" >"$dir/altered.json"
	try "$program: refuses an altered one" \
	    example_is '^REFUSED ' '[2-8]' policy.json altered.json
	try "$program: refuses one cut short" \
	    example_is '^REFUSED envelope_malformed$' 2 policy.json root.pem
	echo '{"releases":[]}' >"$dir/empty.json"
	try "$program: refuses an empty policy" \
	    example_is 'no root is trusted' 1 empty.json item.json
	try "$program: refuses an absent policy" \
	    example_is 'absent.json' 1 absent.json item.json
done
try "hallmark verify --explain says what each rule wanted" \
    explains "$at/bin/hallmark" "$dir"

# ---- the manual pages ----

if command -v mandoc >/dev/null; then
	printf '.Dd today\n.Dt X 1\n.Sh NAME\n.Bl\ntext\n' >"$dir/bad.1"
	refuse "mandoc finds what is wrong with a page" bad.1 page_is_right "$dir/bad.1"
	for page in "$at"/share/man/man?/*; do
		try "${page##*/} is right" page_is_right "$page"
	done
	refuse "an option that a page leaves out is found" --explain \
	    page_tells "$at/share/man/man8/vsock-bridge.8" "--explain"
	for program in hallmark hallmark-oracle hallmark-verifierd vsock-bridge; do
		try "$program's page tells every option and command" \
		    page_tells_all "$at" $program
	done
	try "hallmark's page tells every key of a policy" \
	    page_tells "$at/share/man/man1/hallmark.1" $(python3 -c '
import json, sys
policy = json.load(open(sys.argv[1]))
print(*policy, *policy["releases"][0])' "$at/share/doc/hallmark/policy.example.json")
	try "libhallmark's page tells every function" \
	    page_tells "$at/share/man/man3/libhallmark.3" $(cat "$dir/declared")
else
	skip "manual pages" "needs mandoc"
fi

echo "1..$number"
exit $failed
