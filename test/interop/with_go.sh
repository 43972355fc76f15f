#!/bin/sh
# Builds test/interop/go/*.go inside Go's standard library (by an overlay: nothing is written there) and runs a
# test with its path in WEFT_GO.  Where there is no Go, or one too old, the whole test says that it was skipped.
#   with_go.sh BUILD_DIR TEST [ARG..]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
shift
skip() { echo "1..0 # SKIP $1"; exit 0; }
go=$(command -v go || ls /usr/local/go/bin/go /usr/lib/go/bin/go 2>/dev/null | head -n 1 || true)
[ -n "$go" ] || skip "Go is not installed"
root=$("$go" env GOROOT)
[ -f "$root/src/internal/trace/tracev2/events.go" ] || skip "this Go ($("$go" env GOVERSION)) is older than 1.25, or has no sources"
mkdir -p "$dir"
(
	flock 9 # several tests may start at once
	[ -x "$dir/weftcheck" ] && [ -z "$(find "$here/go" -name '*.go' -newer "$dir/weftcheck")" ] && exit 0
	cat >"$dir/overlay.json" <<END
{"Replace": {
"$root/src/internal/trace/weftcheck/damage.go": "$here/go/damage.go",
"$root/src/internal/trace/weftcheck/weftcheck.go": "$here/go/weftcheck.go"}}
END
	GOFLAGS= GOTOOLCHAIN=local "$go" build -overlay "$dir/overlay.json" -o "$dir/weftcheck" internal/trace/weftcheck >"$dir/build.log" 2>&1
) 9>"$dir/lock" || { echo "1..1"; echo "not ok 1 - weftcheck does not build"; sed 's/^/# /' "$dir/build.log"; exit 1; }
TZ=UTC WEFT_GO="$dir/weftcheck" exec "$@"
