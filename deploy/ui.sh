#!/usr/bin/env bash
# Webserver and daemon on loopback, for one person on one machine. Ctrl-C stops all of it.
# Without SMS_ETL_CONFIG it shows the demo, and serves the demo's simulated providers beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="$PWD/.venv/bin"
demo_dir="${DEMO_DIR:-var/demo}"
port="${PORT:-3000}"
children=()
stop() { kill "${children[@]}" 2>/dev/null || true; wait "${children[@]}" 2>/dev/null || true; }
trap stop EXIT INT TERM

if [ -z "${SMS_ETL_CONFIG:-}" ]; then
  [ -f "$demo_dir/demo.env" ] || { echo "Run 'make demo' first, or set SMS_ETL_CONFIG to your settings file." >&2; exit 1; }
  set -a; . "$demo_dir/demo.env"; set +a
  "$bin/sms-etl" sandbox serve --port "$DEMO_SANDBOX_PORT" --messages "$DEMO_MESSAGES" \
    --first-day "$DEMO_FIRST_DAY" --planted all --now "$SMS_ETL_NOW" &
  children+=($!)
  "$bin/sms-etl" sandbox mail --port "$DEMO_MAIL_PORT" --folder "$demo_dir/mailbox" &
  children+=($!)
fi
export DAGSTER_HOME="${DAGSTER_HOME:-$PWD/var/dagster}"
mkdir -p "$DAGSTER_HOME"
[ -f "$DAGSTER_HOME/dagster.yaml" ] || cp deploy/dagster.yaml "$DAGSTER_HOME/dagster.yaml"
"$bin/dagster-daemon" run -w workspace.yaml &
children+=($!)
echo "Dagster UI: http://127.0.0.1:$port"
"$bin/dagster-webserver" -w workspace.yaml -h 127.0.0.1 -p "$port" &
children+=($!)
wait -n
