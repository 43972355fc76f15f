#!/bin/sh
# Packs a folder of NAME.trace, NAME.truth.json and index.tsv into test/data: the reverse of unpack_data.sh.
#   pack_data.sh FOLDER
set -eu
from=$1
out=$(cd "$(dirname "$0")/../test/data" && pwd)
rm -rf "$out/traces"
mkdir "$out/traces"
zstd -q --ultra -22 --no-check --output-dir-flat "$out/traces" "$from"/*.trace
(cd "$from" && LC_ALL=C ls *.truth.json) |
	tar -C "$from" --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=644 -cf - -T - |
	zstd -q --ultra -22 --long=27 -f -o "$out/truth.tar.zst"
cp "$from/index.tsv" "$out"
