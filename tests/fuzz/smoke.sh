#!/usr/bin/env bash
# One fuzzer over its seeds and FUZZ_RUNS inputs of its own, as one TAP test.
# Usage: smoke.sh PROGRAM SEEDS FOUND; FUZZ_SECONDS=N runs that long instead.
program=$1 seeds=$2 found=$3
if [ -n "${FUZZ_SECONDS:-}" ]; then
	limit=(-max_total_time="$FUZZ_SECONDS")
else
	limit=(-runs="${FUZZ_RUNS:-20000}" -max_total_time=60)
fi
name=${program##*/}
if [ ! -d "$seeds" ]; then
	echo "not ok 1 - $name has no seeds in $seeds"
	exit 1
fi
if "$program" -max_len=16384 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$found/" "${limit[@]}" \
    "$found" "$seeds"; then
	echo "ok 1 - $name"
else
	echo "not ok 1 - $name (the input is kept in $found)"
	exit 1
fi
