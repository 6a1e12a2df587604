#!/usr/bin/env bash
# The libraries WeasyPrint draws with. Installs them on Debian and Ubuntu with root, else says what is missing.
set -euo pipefail
libraries=(libpango-1.0.so.0 libpangoft2-1.0.so.0 libharfbuzz-subset.so.0)
packages=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)

missing() {
  for library in "${libraries[@]}"; do
    python3 -c "import ctypes, sys; ctypes.CDLL(sys.argv[1])" "$library" 2>/dev/null || return 0
  done
  return 1
}

missing || exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
if missing; then
  echo "Pango and HarfBuzz (with its subset library) are needed to draw PDFs. On Debian or Ubuntu: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
