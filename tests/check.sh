#!/usr/bin/env bash
# make check: everything that must hold, in one run. Each part prints TAP;
# the last line counts the tests that ran: "N passed, N failed".
# FUZZ_RUNS (default 20000): inputs for each fuzzer.
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
JOBS=$(nproc)
# Tests at a time: they wait more than they compute.
TESTS=$((2 * JOBS))
work=$(mktemp -d)
log=$work/log
passed=0 failed=0 skipped=0
trap 'rm -rf "$work"' EXIT
export HALLMARK_VECTORS=${HALLMARK_VECTORS:-../shared/vectors}

say() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# count NAME STATUS: adds up the TAP in $log, sets ok, not and skip; a program
# that died without saying "not ok" has failed all the same.
count() {
	# cmocka says "not ok # SKIP"
	read -r ok not skip < <(awk '
		/^(not )?ok.*# SKIP/ { skip++; next }
		/^ok/ { ok++ }
		/^not ok/ { not++ }
		END { print ok + 0, not + 0, skip + 0 }' "$log")
	if [ "$2" -ne 0 ] && [ "$not" -eq 0 ]; then
		echo "not ok - $1 ended with status $2"
		not=1
	fi
	if [ $((ok + not + skip)) -eq 0 ]; then
		echo "not ok - $1 ran no test"
		not=1
	fi
	passed=$((passed + ok)) failed=$((failed + not))
	skipped=$((skipped + skip))
}

# part NAME COMMAND...: runs it, shows its failures and skips, counts.
part() {
	local name=$1
	shift
	"$@" >"$log" 2>&1
	report "$name" $?
}

# report NAME STATUS: the same of what has run already and is in $log.
report() {
	local name=$1 status=$2 ok not skip
	count "$name" "$status"
	if [ "$not" -gt 0 ]; then
		sed 's/^/    /' "$log"
	elif [ "$skip" -gt 0 ]; then
		grep '# SKIP' "$log"
	fi
	printf '%-44s %d ok, %d not ok, %d skipped\n' "$name" "$ok" "$not" \
	    "$skip"
}

# build NAME ARGS...: a build is one test.
build() {
	local name=$1
	shift
	if $MAKE -s -j"$JOBS" "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		printf '%-44s ok\n' "$name"
	else
		failed=$((failed + 1))
		tail -n 60 "$log"
		printf '%-44s FAILED\n' "$name"
	fi
}

# build_clang: without clang it fails in CI and is skipped elsewhere.
build_clang() {
	if command -v clang >/dev/null || [ "${CI:-}" = true ]; then
		build "$@"
	else
		skipped=$((skipped + 1))
		echo "ok - $1 # SKIP needs clang"
	fi
}

# run_one COMMAND PROGRAM RESULTS: leaves the output and then the status.
run_one() {
	local name=$3/${2//\//,}
	"$1" "$2" >"$name.log" 2>&1
	echo $? >"$name.new"
	mv "$name.new" "$name.status"
}
run_unit() { CMOCKA_MESSAGE_OUTPUT=TAP "$1"; }
run_fuzz() {
	local what=${1##*/fuzz_}
	mkdir -p "build/fuzz/found/$what"
	tests/fuzz/smoke.sh "$1" "tests/fuzz/corpus/$what" \
	    "build/fuzz/found/$what"
}
export -f run_one run_unit run_fuzz

# Those that take ten seconds or more: they are begun first, or all wait for
# the one that comes last.
LONG='/(test_(poller(_pauses)?|publisher|peers|bit_flips|verifierd|sse_hub|'
LONG+='archive_(sqlite|writer))|fuzz_(archive_db|connect_request))$'

# programs COMMAND N: runs the programs whose names come in by COMMAND, N at a
# time, and shows what they said in the order of their names.
programs() {
	local programs results program name
	programs=$(sort)
	results=$(mktemp -d -p "$work")
	{
		grep -E "$LONG" <<<"$programs"
		grep -vE "$LONG" <<<"$programs"
	} | xargs -P "$2" -I{} bash -c "run_one $1 {} $results" &
	for program in $programs; do
		name=$results/${program//\//,}
		until [ -e "$name.status" ]; do sleep 0.05; done
		log=$name.log
		name=${program#build/*/}
		report "${name#tests/}" "$(<"${log%.log}.status")"
	done
	log=$work/log
	wait
}

# unit BUILD: the unit tests that are in there.
unit() {
	programs run_unit "$TESTS" < <(find "$1/tests" -type f -name 'test_*')
}
fuzz() {
	programs run_fuzz "$JOBS" < <(find "$1/fuzz" -type f -name 'fuzz_*')
}

say "static gates"
part "gates" tests/gates/run.sh
say "builds: gcc, clang, sanitizers, fuzzers; warnings are errors"
build "gcc" B=build CC=gcc all build/fork/fork_oracle \
    build/kms/kms_helper build/sgx/gramine_helper \
    build/sgx/quote_helper build/bench/make_archive
build_clang "clang" B=build/clang CC=clang all
build "gcc, sanitizers, unit tests" B=build/san CC=gcc SAN=1 unit
build_clang "clang, sanitizers, fuzzers and parsers" \
    B=build/fuzz CC=clang FUZZ=1 fuzzers unit-parsers
say "unit tests under gcc's ASan and UBSan"
unit build/san
# gcc 12's overlooks some reads behind the end of what is on the stack.
say "parsers under clang's ASan and UBSan"
[ ! -d build/fuzz/tests ] || unit build/fuzz
say "fuzzers, a smoke run each"
[ ! -d build/fuzz/fuzz ] || fuzz build/fuzz
if [ "${HALLMARK_LONG:-}" = 1 ]; then
	say "mutation gate: each check of the verifier off in turn"
	build_clang "clang, mutants" B=build/mutants CC=clang SAN=1 MUTANTS=1 \
	    unit-verifier
	part "mutants" tests/mutants/run.sh build/mutants
fi
say "integration: the real programs"
part "integration" python3 tests/integration/run.py --jobs "$TESTS"
say "what make install gives to others"
part "install" tests/install/run.sh

printf '\n%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
printf '\n'
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
