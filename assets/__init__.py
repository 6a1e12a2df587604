"""The Dagster layer: thin assets over `sms_etl`. It imports the library; nothing imports it."""
