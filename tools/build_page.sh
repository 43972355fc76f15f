#!/bin/sh
# Bundles web/ for the program: build_page.sh WEB OUTDIR DEPFILE FILE..., where FILE... are the files it must yield.
# Copies them to OUTDIR and writes what they depend on to DEPFILE.
set -eu
web=$1 out=$2 depfile=$3
shift 3

fail() {
	echo "the viewer's page cannot be built: $*" >&2
	echo "(./dev build installs what is missing; -Dpage=DIR takes a page that was built elsewhere)" >&2
	exit 1
}

command -v node >/dev/null && command -v npm >/dev/null || fail "Node.js or npm is missing"

# Several build folders share web/node_modules and web/dist.
exec 9<"$web/package.json"
flock 9
if [ ! -e "$web/node_modules/.package-lock.json" ] || [ "$web/package-lock.json" -nt "$web/node_modules/.package-lock.json" ]; then
	(cd "$web" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error >&2) || fail "npm ci failed"
	touch "$web/node_modules/.package-lock.json"
fi
(cd "$web" && npm run --silent build >&2) || fail "npm run build failed"
for f in "$@"; do
	[ -s "$web/dist/$f" ] || fail "it yields no $f"
	cp "$web/dist/$f" "$out/$f"
done
{
	printf '%s/%s:' "$out" "$1"
	find "$web" \( -name node_modules -o -name dist -o -name test \) -prune -o \( -type f -o -type d \) -print |
		grep -v "^$web\$" | sed 's/ /\\ /g' | tr '\n' ' ' | sed 's/^/ /'
	echo
} >"$depfile"
