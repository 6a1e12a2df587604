#!/usr/bin/env bash
# Runs a command of this installation as its services do: with their user, settings and secrets.
# Usage, as root: deploy/as-service.sh sms-etl check
set -euo pipefail
set -a
. "${SMS_ETL_ENVIRONMENT:-/etc/sms-etl/environment}"
set +a
bin="$(cd "$(dirname "$0")/.." && pwd)/.venv/bin"
cd /var/lib/sms-etl
exec runuser -u sms-etl -- "$bin/$1" "${@:2}"
