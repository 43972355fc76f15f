#!/bin/sh
# moved.c, built by each compiler that is here with -O2 and with -O3: the documented ways to an error hold behind a move to
# another thread.  Says, too, how often errno itself was another thread's.  Prints TAP.
#   errno_test.sh MOVED_C INCLUDE_DIR LIBWEFT_SO
set -u
source=$1 include=$2 lib=$(dirname "$3")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
say() { # VERDICT WHAT
	n=$((n + 1))
	echo "$1 $n - $2"
	[ "$1" = ok ] || bad=1
	sed 's/^#* */# /' "$tmp/log"
}
for compiler in gcc clang; do
	for level in -O2 -O3; do
		: >"$tmp/log"
		if ! command -v $compiler >/dev/null; then
			say ok "$compiler $level # SKIP $compiler is not here"
			continue
		fi
		if ! $compiler $level -Wall -Wextra -Werror -I"$include" -o "$tmp/moved" "$source" -L"$lib" -Wl,-rpath,"$lib" -lweft >"$tmp/log" 2>&1; then
			say "not ok" "$compiler $level builds"
			continue
		fi
		for debug in seed=7 seed=7,hard=1; do
			WEFT_DEBUG=$debug timeout 60 "$tmp/moved" >"$tmp/log" 2>&1 && verdict=ok || verdict="not ok"
			say "$verdict" "$compiler $level, WEFT_DEBUG=$debug"
		done
	done
done
echo "1..$n"
exit $bad
