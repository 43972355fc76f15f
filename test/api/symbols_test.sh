#!/bin/sh
# What libwtr exports is what symbols.txt lists, and what the public headers declare.  Prints TAP.
#   symbols_test.sh LIBRARY INCLUDE_DIR SYMBOLS
set -u
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nm -D --defined-only "$1" | awk '$2 ~ /[TDBRVW]/ { print $3 }' | sort >"$tmp/exported"
# A declaration may go over several lines: from WTR_API to the first parenthesis.
cat "$2"/wtr/*.h | tr '\n\t' '  ' | grep -o 'WTR_API [^(;]*(' | sed 's/ *($//; s/.*[ *]//' | grep '^wtr_' | sort >"$tmp/declared"
sort "$3" >"$tmp/listed"
echo 1..2
bad=0
for what in exported declared; do
	n=$((${n:-0} + 1))
	if cmp -s "$tmp/$what" "$tmp/listed"; then
		echo "ok $n $what: $(wc -l <"$tmp/listed") functions"
	else
		echo "not ok $n $what"
		diff "$tmp/listed" "$tmp/$what" | sed 's/^/# /'
		bad=1
	fi
done
exit $bad
