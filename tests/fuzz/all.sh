#!/usr/bin/env bash
# Fuzzers for FUZZ_SECONDS each, as many at a time as there are cores (or
# FUZZ_JOBS). Usage: all.sh [WHAT...]; without names, all that are built.
# For each: executions, coverage (libFuzzer's cov and ft) and the inputs that
# reached it; then a summary. What was found is kept, and its log with it.
cd "$(dirname "$0")/../.." || exit 1
export build=build/fuzz

# one WHAT: runs it, prints its line.
one() {
	local what=$1 log=$build/log/$1.log verdict=ok kept
	mkdir -p "$build/found/$what"
	if ! tests/fuzz/smoke.sh "$build/fuzz/fuzz_$what" \
	    "tests/fuzz/corpus/$what" "$build/found/$what" >"$log" 2>&1; then
		# The next run's log takes this one's place.
		kept=$build/findings/$what-$(date +%Y%m%dT%H%M%S).log
		cp "$log" "$kept"
		verdict="FINDING, see $kept"
	fi
	# "#2696476 DONE cov: 82 ft: 112 corp: 27/23Kb lim: 4645 exec/s: ..."
	printf '%-18s %10d executions  %s  %s\n' "$what" \
	    "$(sed -n 's/^stat::number_of_executed_units: //p' "$log")" \
	    "$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+/[0-9]+[A-Za-z]*' \
	        "$log" | tail -n 1)" "$verdict"
}
export -f one

[ $# -gt 0 ] || set -- $(cd "$build/fuzz" && ls | sed 's/^fuzz_//')
for what; do
	[ -x "$build/fuzz/fuzz_$what" ] && continue
	echo "no fuzzer called $what in $build/fuzz"
	exit 1
done
mkdir -p "$build/log" "$build/findings"
printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-$(nproc)}" -I{} bash -c 'one {}' |
	tee "$build/log/lines"
awk -v seconds="$SECONDS" -v wanted=$# '
	{ runs += $2; found += / FINDING, /; ended += / executions / }
	END { printf "%d fuzzers, %d executions in %d s, %d with a finding\n",
	          ended, runs, seconds, found
	      exit found > 0 || ended != wanted }' "$build/log/lines"
