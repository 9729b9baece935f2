#!/usr/bin/env bash
# The static gates, as TAP. Each gate is shown a planted violation first: one
# that cannot fail is no gate.
cd "$(dirname "$0")/../.." || exit 1
number=0
failed=0

# verdict STATUS NAME: status 0 is ok
verdict() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=1
	fi
}

# A gate whose tool is missing fails in CI and is skipped elsewhere.
unavailable() {
	if [ "${CI:-}" = true ]; then
		echo "# $2"
		verdict 1 "$1"
	else
		number=$((number + 1))
		echo "ok $number - $1 # SKIP $2"
	fi
}

planted=$(tests/gates/includes.sh tests/gates/planted)
[ "$(grep -c violation.c <<<"$planted")" -eq 4 ]
verdict $? "includes.sh finds the planted violations"
tests/gates/includes.sh .
verdict $? "who may include whom"

# What the mutation gate cannot switch off, no test has to notice.
planted=tests/gates/planted/checks/violation.c
diff <(grep -n FIND: $planted | cut -d: -f1) \
    <(tests/gates/checks.py $planted | cut -d: -f2 | sort -n)
verdict $? "checks.py finds the planted violations, and only these"
tests/gates/checks.py verifier/*.c verifier/sgx/*.c feeds/item*.c
verdict $? "each refusal of the verifier stands behind a named check"

# clang-format's choices differ from version to version; this is Debian 12's.
sources() { git ls-files -co --exclude-standard '*.c' '*.h' |
	grep -v '^tests/gates/planted/'; }
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
	! clang-format --dry-run -Werror \
	    tests/gates/planted/format/violation.c 2>/dev/null
	verdict $? "clang-format finds the planted violation"
	sources | xargs -P "$(nproc)" -n 64 clang-format --dry-run -Werror
	verdict $? "clang-format"
else
	unavailable "clang-format" "needs clang-format 14 (Debian 12)"
fi

# A file past 450 lines is two things (HACKING.md: aim at 400).
too_long() { xargs wc -l |
	awk '$2 != "total" && $1 > 450 { print $2 " has " $1 " lines" }'; }
planted=$(mktemp)
seq 451 >"$planted"
[ -n "$(echo "$planted" | too_long)" ]
verdict $? "a file of 451 lines is found"
rm -f "$planted"
long=$(sources | grep -v '^tests/' | too_long)
[ -z "$long" ] || echo "# $long"
test -z "$long"
verdict $? "no source file over 450 lines"

exit $failed
