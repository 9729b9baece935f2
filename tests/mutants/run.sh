#!/usr/bin/env bash
# The mutation gate, as TAP: each named check (feeds/check.h) is switched off
# in turn, and some unit test must then fail. One build serves all of them.
# Usage: run.sh BUILD, which is made with MUTANTS=1. HM_MUTANT=NAME tries that
# one only.
#
# A first run without mutants tells which programs have each check refuse
# something: only those can notice its absence.
cd "$(dirname "$0")/../.." || exit 1
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work build

# Not all bits flipped, which would kill much by chance and slowly, nor
# recorded documents, which not everybody has.
programs() {
	find "$build/tests/verifier" "$build/tests/eif" "$build/tests/sgx" -type f \
		-name 'test_*' -perm -u+x |
		grep -v -e /test_bit_flips -e /test_document_vectors \
			-e /test_eif_vectors -e /test_quote_vectors \
			-e /test_quote_flips
	echo "$build/tests/feeds/test_item"
}

# In comes C source, out come the names, repeated if they are.
names() {
	tr '\n' ' ' | grep -oE '\b(REQUIRE|REFUSE)\([[:space:]]*[a-z0-9_]+' |
		sed -E 's/.*\([[:space:]]*//'
}

# try NAME: the first program that fails without the check goes to the result.
# One that would never end is one that fails.
try() {
	local ms program
	while read -r ms program; do
		grep -qx "$1" "$work/log.${program##*/}" || continue
		HM_MUTANT=$1 CMOCKA_TEST_ABORT=1 timeout $((30 + ms / 100)) \
			"$program" </dev/null >/dev/null 2>&1 && continue
		echo "$1 ${program##*/}" >>"$work/killed"
		return
	done < <(sort -n "$work/times")
	echo "$1" >>"$work/survived"
}
export -f try

number=0
failed=0
tap() { # STATUS TEXT
	number=$((number + 1))
	[ "$1" -eq 0 ] || failed=1
	echo "$([ "$1" -eq 0 ] || echo 'not ')ok $number - $2"
}

cat verifier/*.c verifier/eif/*.c verifier/sgx/*.c feeds/*.c tests/mutants/*.c | names | sort >"$work/names"
twice=$(uniq -d "$work/names")
[ -z "$twice" ]
tap $? "each check has a name of its own${twice:+: not }$twice"

for program in $(programs); do
	start=$(date +%s%N)
	: >"$work/log.${program##*/}"
	HM_MUTANT='' HM_MUTANT_LOG="$work/log.${program##*/}" \
		timeout 300 "$program" >"$work/out" 2>&1
	tap $? "${program##*/} passes with all checks"
	echo "$((($(date +%s%N) - start) / 1000000)) $program" >>"$work/times"
done

touch "$work/killed" "$work/survived"
grep -x -e "${HM_MUTANT:-.*}" -e planted_useless "$work/names" |
	xargs -P "$(nproc)" -I{} bash -c 'try {}' 2>/dev/null

# A gate that cannot fail is no gate.
grep -qx planted_useless "$work/survived"
tap $? "a useless check is found to be one"
while read -r name program; do
	tap 0 "killed $name by $program"
done < <(sort "$work/killed")
while read -r name; do
	tap 1 "SURVIVED $name$(grep -qx "$name" "$work"/log.* ||
		echo ': no test makes it refuse')"
done < <(sort "$work/survived" | grep -vx planted_useless)
echo "1..$number"
echo "# $(grep -vcx planted_useless "$work/names") checks," \
    "$(wc -l <"$work/killed") killed," \
    "$(grep -vcx planted_useless "$work/survived") survived"
exit $failed
