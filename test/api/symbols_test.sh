#!/bin/sh
# What a library exports is what its list has, and what its public headers declare.  Prints TAP.
#   symbols_test.sh LIBRARY INCLUDE_DIR NAME SYMBOLS       NAME: wtr or weft
set -u
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nm -D --defined-only "$1" | awk '$2 ~ /[TDBRVW]/ && $3 != "_end" { print $3 }' | sort >"$tmp/exported"
# (_end is the linker's: it is exported where a library that we link asks for it, as libgc does.)
# A declaration may go over several lines: from WTR_API or WEFT_API to the first parenthesis.
name=$3
upper=$(echo "$name" | tr "[:lower:]" "[:upper:]")
cat "$2"/"$name"/*.h | tr '\n\t' '  ' | grep -oE "${upper}_API [^(;]*\(" | sed 's/ *($//; s/.*[ *]//' | grep "^${name}_" | sort >"$tmp/declared"
sort "$4" >"$tmp/listed"
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
