#!/usr/bin/env bash
# Real servers that `make test-servers` starts: gammu-smsd, an SMS gateway with a dummy phone.
set -euo pipefail
command -v gammu-smsd >/dev/null && command -v gammu-smsd-inject >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gammu gammu-smsd libdbd-sqlite3 >/dev/null
else
  echo "gammu-smsd is needed. On Debian or Ubuntu: sudo apt-get install gammu gammu-smsd libdbd-sqlite3" >&2
  exit 1
fi
