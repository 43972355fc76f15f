#!/bin/sh
# What the tests for arm64 are built with and run in: Debian's arm64 packages, with all that they need, unpacked into a
# folder of their own, and in it cross.ini, which tells Meson of them.  Nothing is installed, and no rights are needed.
#   arm64.sh FOLDER PACKAGE..
set -eu
root=$1
shift
[ "$(cat "$root/packages" 2>/dev/null)" = "$*" ] && exit 0
rm -rf "$root" "$root.apt"
mkdir -p "$root" "$root.apt/state/lists/partial" "$root.apt/cache/archives/partial"
root=$(cd "$root" && pwd)
apt=$root.apt
: >"$apt/status"

# An apt that believes to be on an arm64 machine without any package.
arm64() {
	apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
		-o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" "$@"
}
arm64 update
arm64 install -y --no-install-recommends --download-only "$@"
for deb in "$apt"/cache/archives/*.deb; do
	dpkg -x "$deb" "$root"
done
rm -rf "$apt"

cat >"$root/cross.ini" <<END
[constants]
root = '$root'

[binaries]
c = ['aarch64-linux-gnu-gcc', '--sysroot=' + root]
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', root]

[properties]
sys_root = root
pkg_config_libdir = root / 'usr/lib/aarch64-linux-gnu/pkgconfig'

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
echo "$*" >"$root/packages"
