#!/usr/bin/env bash
# Makes sure that the tests of the pages find a Chromium, installing Debian's where apt-get may be used.
# Ends with 1 where there is none afterwards; REQUIRE_CHROMIUM=1 then makes those tests fail instead of being skipped.
set -euo pipefail

find_chromium() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
}

if ! find_chromium >/dev/null && command -v apt-get >/dev/null; then
  run=()
  [ "$(id -u)" = 0 ] || run=(sudo -n)
  # It is a hundred megabytes with its libraries: a connection that breaks is tried again.
  {
    "${run[@]}" apt-get update -qq -o Acquire::Retries=3 &&
      "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        --no-install-recommends chromium fonts-dejavu-core
  } >&2 || true
fi

if ! chromium=$(find_chromium); then
  echo 'There is no Chromium on this machine, and it could not be installed (on Debian: apt-get install chromium).' >&2
  exit 1
fi
"$chromium" --version --no-sandbox 2>/dev/null
