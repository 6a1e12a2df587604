#!/usr/bin/env bash
# Real servers that `make test-servers` starts: PostgreSQL, MariaDB, Redis, and two SMS gateways, gammu-smsd (here with a dummy phone) and Kannel.
set -euo pipefail
programs=(gammu-smsd gammu-smsd-inject mariadbd mariadb-install-db mariadb-tzinfo-to-sql bearerbox smsbox redis-server)
packages=(gammu gammu-smsd libdbd-sqlite3 postgresql mariadb-server kannel redis-server)
installed() {
  local program
  for program in "${programs[@]}"; do
    PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || return 1
  done
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}
installed && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
else
  echo "Servers are missing. On Debian or Ubuntu: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
