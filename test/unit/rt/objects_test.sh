#!/bin/sh
# What the switch's object files tell the linker: no shadow stack, no executable stack.  Prints TAP.
#   objects_test.sh CC SOURCE_ROOT
set -u
cc=$1 root=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
check() { # NAME COMMAND..
	name=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		bad=1
	fi
}
printf 'int (*other)(void);\nint f(void) { return other(); }\n' >"$tmp/other.c"
"$cc" -fcf-protection=full -c "$root/src/rt/ctx/entry.S" -o "$tmp/entry.o" || exit 1
"$cc" -fcf-protection=full -fPIC -c "$tmp/other.c" -o "$tmp/other.o" || exit 1
"$cc" -nostdlib -shared "$tmp"/*.o -o "$tmp/all.so" || exit 1

notes() { readelf -n "$1" | sed -n 's/.*x86 feature: //p'; }
said() { notes "$2" | grep -q "$1"; }
unsaid() { ! said "$1" "$2"; }
check "others may claim a shadow stack" said SHSTK "$tmp/other.o"
check "the switch does not" unsaid SHSTK "$tmp/entry.o"
check "so a program with it does not" unsaid SHSTK "$tmp/all.so"
check "it keeps indirect branch tracking" said IBT "$tmp/all.so"
stack_rw() { readelf -lW "$tmp/all.so" | grep -q 'GNU_STACK.* RW '; }
check "the stack is not executable" stack_rw
echo "1..$n"
exit $bad
