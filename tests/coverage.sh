#!/usr/bin/env bash
# The lines that the unit tests run: a percentage for each room, and for each
# file of the verifier's. Usage: coverage.sh BUILD, made with COVERAGE=1.
# A test that fails is told, and counted all the same: `make check` judges it.
cd "$(dirname "$0")/.." || exit 1
build=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

find "$build/obj" -name '*.gcda' -delete
while read -r program; do
	timeout 600 "$program" >"$log" 2>&1 </dev/null ||
		echo "# ${program#"$build/"} failed"
done < <(find "$build/tests" -type f -name 'test_*' -perm -u+x | sort)

# Prints "FILE PERCENT LINES" for each file of ours that has code.
lines() {
	local counts
	find "$build/obj" -name '*.gcno' -not -path '*/tests/*' -print0 |
		xargs -0 gcov -n 2>/dev/null |
		sed -nE -e "s/^File '(.*)'/\1/p" \
		    -e 's/^Lines executed:([0-9.]+)% of ([0-9]+)/ \1 \2/p' |
		awk '/^ / { if (file ~ /^[a-z].*\.c$/) print file, $1, $2
		            file = ""; next }
		     { file = $0 }'
}

# Adds up "NAME PERCENT LINES" by name.
sum() {
	awk '{ run[$1] += $2 * $3 / 100; all[$1] += $3 }
	     END { for (name in all)
	               printf "%-36s %6.1f %% of %5d lines\n", name,
	                   100 * run[name] / all[name], all[name] }' | sort
}

lines >"$log"
grep -q . "$log" || exit 1
sed -E 's,/[^/ ]* , ,' "$log" | sum
sed -E 's,^[^ ]*,all,' "$log" | sum
echo
grep -E '^verifier/[^/]* ' "$log" | sum
