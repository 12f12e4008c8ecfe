#!/usr/bin/env bash
# Makes sure that the tests of a network that is cut may make networks, installing Debian's iproute2 where apt-get may be used.
# Ends with 1 where they may not; REQUIRE_NETNS=1 then makes those tests fail instead of being skipped.
set -euo pipefail

if [ "$(id -u)" != 0 ]; then
  echo 'Only root may make network namespaces.' >&2
  exit 1
fi
if ! command -v ip >/dev/null && command -v apt-get >/dev/null; then
  {
    apt-get update -qq &&
      env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iproute2
  } >&2 || true
fi

name=better-auth-user-$$
if ! command -v ip >/dev/null; then
  echo 'There is no ip on this machine, and it could not be installed (on Debian: apt-get install iproute2).' >&2
  exit 1
fi
if ! ip netns add "$name"; then
  echo 'Network namespaces cannot be made on this machine.' >&2
  exit 1
fi
trap 'ip netns delete "$name"' EXIT
if ! ip -n "$name" link add cable0 type veth peer name cable1; then
  echo 'There are network namespaces on this machine, but no cables (veth) between them.' >&2
  exit 1
fi
ip -V
