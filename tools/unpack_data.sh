#!/bin/sh
# Unpacks test/data for the tests: NAME.trace and NAME.truth.json side by side.
#   unpack_data.sh SOURCE_DIR OUT_DIR STAMP
set -eu
src=$1 out=$2 stamp=$3
rm -rf "$out"
mkdir -p "$out"
zstd -dqf --output-dir-flat "$out" "$src"/traces/*.trace.zst
zstd -dqc "$src/truth.tar.zst" | tar -C "$out" -xf -
cp "$src/index.tsv" "$out"
# A pair each, or the archive and the folder have drifted apart.
for t in "$out"/*.trace; do
	[ -f "${t%.trace}.truth.json" ] || { echo "unpack_data.sh: no truth for $t" >&2; exit 1; }
done
for t in "$out"/*.truth.json; do
	[ -f "${t%.truth.json}.trace" ] || { echo "unpack_data.sh: no trace for $t" >&2; exit 1; }
done
ls "$out" >"$stamp"
