"""The Dagster layer: thin assets over `sms_etl`. It imports the library; nothing imports it."""

import warnings

import dagster as dg

# Backfill policies and partitioned checks are marked beta; we use them knowingly.
for category in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=category)
