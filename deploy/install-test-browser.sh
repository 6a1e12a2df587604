#!/usr/bin/env bash
# The browser that `make test-browser` drives.
set -euo pipefail
packages=(chromium chromium-driver)
command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
else
  echo "A browser is missing. On Debian or Ubuntu: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
