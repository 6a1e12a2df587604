#!/usr/bin/env bash
# Webserver and daemon on loopback, for one person on one machine. Ctrl-C stops both.
set -euo pipefail
cd "$(dirname "$0")/.."
demo_dir="${DEMO_DIR:-var/demo}"
if [ -z "${SMS_ETL_CONFIG:-}" ] && [ -f "$demo_dir/sms_etl.toml" ]; then
  export SMS_ETL_CONFIG="$PWD/$demo_dir/sms_etl.toml"
  set -a; . "$demo_dir/demo.env"; set +a
fi
export DAGSTER_HOME="${DAGSTER_HOME:-$PWD/var/dagster}"
mkdir -p "$DAGSTER_HOME"
[ -f "$DAGSTER_HOME/dagster.yaml" ] || cp deploy/dagster.yaml "$DAGSTER_HOME/dagster.yaml"
port="${PORT:-3000}"
bin="$PWD/.venv/bin"
"$bin/dagster-daemon" run -w workspace.yaml &
daemon=$!
trap 'kill $daemon 2>/dev/null; wait $daemon 2>/dev/null' EXIT INT TERM
echo "Dagster UI: http://127.0.0.1:$port"
"$bin/dagster-webserver" -w workspace.yaml -h 127.0.0.1 -p "$port"
