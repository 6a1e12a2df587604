"""The Dagster layer: thin assets over `sms_etl`. It imports the library; nothing imports it."""

import warnings

import dagster as dg

# Backfill policies are marked beta; we use them knowingly.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
