#!/usr/bin/env bash
# Makes sure that the tests about connection poolers find a pgbouncer, installing Debian's where apt-get may be used.
# Ends with 1 where there is none afterwards; REQUIRE_PGBOUNCER=1 then makes those tests fail instead of being skipped.
set -euo pipefail

if ! command -v pgbouncer >/dev/null && command -v apt-get >/dev/null; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo -n)
  {
    "${run[@]}" apt-get update -qq &&
      "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbouncer
  } >&2 || true
fi

if ! command -v pgbouncer >/dev/null; then
  echo 'There is no pgbouncer on this machine, and it could not be installed (on Debian: apt-get install pgbouncer).' >&2
  exit 1
fi
pgbouncer --version
