#!/usr/bin/env bash
# Who may include whom, checked by reading every #include "..." of the tree.
# Usage: includes.sh [ROOT]. Prints each violation; exit 1 if there is one.
set -eu
cd "${1:-.}"

# room: the rooms it may include, itself among them
allowed() {
	case $1 in
	base) echo base ;;
	feeds) echo feeds ;;
	verifier) echo verifier verifier/sgx feeds ;;
	verifier/archive) echo verifier/archive verifier feeds ;;
	verifier/daemon) echo verifier/daemon verifier/archive verifier feeds \
	    base ;;
	verifier/eif) echo verifier/eif verifier feeds ;;
	verifier/sgx) echo verifier/sgx verifier feeds ;;
	verifier/cli) echo verifier/cli verifier/eif verifier/sgx \
	    verifier/daemon verifier/archive verifier feeds base ;;
	oracle) echo oracle base feeds verifier verifier/sgx ;;
	oracle/init) echo oracle/init oracle base feeds ;;
	vsock-bridge) echo vsock-bridge base ;;
	*) echo "" ;;
	esac
}

room_of() {
	case $1 in
	verifier/archive/* | verifier/daemon/* | verifier/eif/* | \
	    verifier/sgx/* | verifier/cli/* | oracle/init/*)
		echo "${1%/*}" ;;
	*) echo "${1%%/*}" ;;
	esac
}

violations=0
while IFS=: read -r file line; do
	included=$(sed -E 's/.*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/' \
	    <<<"$line")
	# Parts of the public header, which must find each other installed.
	[[ $file:$included == verifier/hallmark*.h:hallmark_*.h ]] && continue
	from=$(room_of "$file")
	to=$(room_of "$included")
	case " $(allowed "$from") " in
	*" $to "*) ;;
	*)
		echo "$file includes $included: $from may include only:" \
		    "$(allowed "$from")"
		violations=$((violations + 1))
		;;
	esac
done < <(find base feeds verifier oracle vsock-bridge \
    \( -name '*.c' -o -name '*.h' \) -exec \
    grep -HE '#[[:space:]]*include[[:space:]]*"' {} + 2>/dev/null)
[ "$violations" -eq 0 ]
