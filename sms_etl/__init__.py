"""sms_etl: delivery logs of SMS providers in, honest delivery reports out.

The library knows nothing of Dagster; the `assets` package orchestrates it.
"""
