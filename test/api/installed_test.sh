#!/bin/sh
# A program of somebody else, built as its author would: what `meson install` leaves, pkg-config, cc.  Prints TAP.
#   installed_test.sh BUILD PROGRAM.c
set -u
root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
cd "$root" || exit 1
bad=0
result() { # STATUS WHAT
	n=$((${n:-0} + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' log
		bad=1
	fi
}

echo 1..6
meson install -C "$1" --no-rebuild --destdir "$root" >log 2>&1
result $? "meson install"

pc=$(find "$root" -name libweft.pc)
export PKG_CONFIG_PATH="${pc%/*}"
prefix=$root$(sed -n 's/^prefix=//p' "$pc")
for library in libweft libwtr; do
	awk 'length > 120 { print FILENAME ": a line of " length " columns"; long = 1 } END { exit long }' "${pc%/*}/$library.pc" >log
	result $? "$library.pc is fit to be read"
done

flags() { pkg-config --define-variable=prefix="$prefix" "$@" libweft; }
# shellcheck disable=SC2046
cc -Wall -Werror "$2" -o shared $(flags --cflags --libs) >log 2>&1 && LD_LIBRARY_PATH=$(flags --variable=libdir) ./shared >>log 2>&1
result $? "a program with the shared library"
# shellcheck disable=SC2046
cc -Wall -Werror "$2" -o static $(flags --static --cflags --libs | sed 's/-lweft\>/-l:libweft.a/') >log 2>&1 && ./static >>log 2>&1
result $? "a program with the static library"
"$prefix/bin/weft" check trace.out >log 2>&1
result $? "the command that was installed reads the trace that it made"
exit $bad
