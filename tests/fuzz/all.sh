#!/usr/bin/env bash
# Every fuzzer in turn for FUZZ_SECONDS; prints executions and coverage.
cd "$(dirname "$0")/../.." || exit 1
status=0
for program in build/fuzz/fuzz/fuzz_*; do
	what=${program##*/fuzz_}
	mkdir -p "build/fuzz/found/$what"
	if tests/fuzz/smoke.sh "$program" "tests/fuzz/corpus/$what" \
	    "build/fuzz/found/$what" >"build/fuzz/$what.log" 2>&1; then
		verdict=ok
	else
		verdict="FINDING, see build/fuzz/$what.log"
		status=1
	fi
	printf '%-18s %s  %s executions, %s\n' "$what" "$verdict" \
	    "$(sed -n 's/.*number_of_executed_units: //p' \
	        "build/fuzz/$what.log")" \
	    "$(grep -o 'cov: [0-9]*' "build/fuzz/$what.log" | tail -n 1)"
done
exit $status
