#!/usr/bin/env bash
# Makes sure that the tests about Redis find a redis-server, installing Debian's where apt-get may be used.
# Ends with 1 where there is none afterwards; REQUIRE_REDIS=1 then makes those tests fail instead of being skipped.
set -euo pipefail

if ! command -v redis-server >/dev/null && command -v apt-get >/dev/null; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo -n)
  {
    "${run[@]}" apt-get update -qq &&
      "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server
  } >&2 || true
fi

if ! command -v redis-server >/dev/null; then
  echo 'There is no redis-server on this machine, and it could not be installed (on Debian: apt-get install redis-server).' >&2
  exit 1
fi
redis-server --version
