#!/bin/sh
# Valgrind knows the stacks: no false reports, and no guessing whether the client is switching stacks.  Prints TAP.
#   valgrind_test.sh VALGRIND PROGRAM    (the program is pooled.c)
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
bad=0
check() { # NUMBER NAME COMMAND..
	n=$1 name=$2
	shift 2
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$log"
		bad=1
	fi
}
echo 1..4
"$1" --error-exitcode=99 --log-file="$log" "$2"
check 1 "ends well" test $? -eq 0
check 2 "no errors" grep -q "ERROR SUMMARY: 0 errors" "$log"
check 3 "no doubt about stacks" sh -c '! grep -qi "switching stacks" "$1"' - "$log"
"$1" --error-exitcode=99 --log-file="$log" "$2" wrong
check 4 "an error is one" test $? -eq 99
exit $bad
