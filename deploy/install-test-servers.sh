#!/usr/bin/env bash
# Real servers that `make test-servers` starts: PostgreSQL, and gammu-smsd (an SMS gateway, here with a dummy phone).
set -euo pipefail
command -v gammu-smsd >/dev/null && command -v gammu-smsd-inject >/dev/null && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gammu gammu-smsd libdbd-sqlite3 postgresql >/dev/null
else
  echo "PostgreSQL and gammu-smsd are needed. On Debian or Ubuntu: sudo apt-get install gammu gammu-smsd libdbd-sqlite3 postgresql" >&2
  exit 1
fi
