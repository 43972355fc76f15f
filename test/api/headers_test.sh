#!/bin/sh
# Each public header alone, in C11, C17 and C++17, with every compiler that is here.  Prints TAP.
#   headers_test.sh INCLUDE_DIR
set -u
dir=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
try() { # NAME SUFFIX COMPILER FLAGS..
	name=$1 file=$tmp/alone.$2
	shift 2
	n=$((n + 1))
	# Twice, for the include guard.
	printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$name" "$name" >"$file"
	if "$@" -Wall -Wextra -Werror -pedantic -Wconversion -Wno-sign-conversion -fsyntax-only -I"$dir" "$file" 2>"$tmp/log"; then
		echo "ok $n $name: $1 $2"
	else
		echo "not ok $n $name: $*"
		sed 's/^/# /' "$tmp/log"
		bad=1
	fi
}
for h in "$dir"/wtr/*.h "$dir"/weft/*.h; do
	name=${h#"$dir"/}
	for cc in gcc clang; do
		command -v $cc >/dev/null || continue
		try "$name" c $cc -std=c11
		try "$name" c $cc -std=c17
	done
	for cxx in g++ clang++; do
		command -v $cxx >/dev/null || continue
		try "$name" cc $cxx -std=c++17
	done
done
echo "1..$n"
exit $bad
