#!/usr/bin/env bash
# make check: everything that must hold, in one run. Each part prints TAP;
# the last line counts the tests that ran: "N passed, N failed".
# FUZZ_RUNS (default 20000): inputs for each fuzzer.
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
JOBS=$(nproc)
work=$(mktemp -d)
log=$work/log
passed=0 failed=0 skipped=0
trap 'rm -rf "$work"' EXIT
export HALLMARK_VECTORS=${HALLMARK_VECTORS:-../shared/vectors}

say() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# count NAME STATUS: adds up the TAP in $log, sets ok, not and skip; a program
# that died without saying "not ok" has failed all the same.
count() {
	skip=$(grep -Ec '^(not )?ok.*# SKIP' "$log") # cmocka: "not ok # SKIP"
	ok=$(grep '^ok' "$log" | grep -vc '# SKIP')
	not=$(grep '^not ok' "$log" | grep -vc '# SKIP')
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
	else
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

# unit BUILD: the unit tests that are in there, one on each processor; each
# leaves its output and then its status, which are shown in order.
unit() {
	local programs results program name
	programs=$(find "$1/tests" -type f -name 'test_*' | sort)
	results=$(mktemp -d -p "$work")
	# shellcheck disable=SC2016 # for the inner shell
	xargs -P "$JOBS" -I '{}' bash -c '
		name=${2//\//,}
		CMOCKA_MESSAGE_OUTPUT=TAP "$2" >"$1/$name.log" 2>&1
		echo $? >"$1/$name.new"
		mv "$1/$name.new" "$1/$name.status"' - "$results" '{}' \
		<<<"$programs" &
	for program in $programs; do
		name=${program//\//,}
		until [ -e "$results/$name.status" ]; do sleep 0.05; done
		cp "$results/$name.log" "$log"
		report "${program#"$1"/tests/}" "$(<"$results/$name.status")"
	done
	wait
}

fuzz() {
	local program what
	for program in build/fuzz/fuzz/fuzz_*; do
		[ -x "$program" ] || continue
		what=${program##*/fuzz_}
		mkdir -p "build/fuzz/found/$what"
		part "fuzz $what" tests/fuzz/smoke.sh "$program" \
		    "tests/fuzz/corpus/$what" "build/fuzz/found/$what"
	done
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
fuzz
if [ "${HALLMARK_LONG:-}" = 1 ]; then
	say "mutation gate: each check of the verifier off in turn"
	build_clang "clang, mutants" B=build/mutants CC=clang SAN=1 MUTANTS=1 \
	    unit-verifier
	part "mutants" tests/mutants/run.sh build/mutants
fi
say "integration: the real programs"
part "integration" python3 tests/integration/run.py --jobs "$JOBS"
say "what make install gives to others"
part "install" tests/install/run.sh

printf '\n%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
printf '\n'
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
