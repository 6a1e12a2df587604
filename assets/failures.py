"""Library errors as Dagster failures: a sentence for the reader, retried only if it can help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from sms_etl.errors import SmsEtlError, TransientSourceError

PROVIDER_RETRIES = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
)
"""After the HTTP session has used up its own retries."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of ours into a failure with its sentence; only transient ones may retry."""
    try:
        yield
    except TransientSourceError as error:
        raise dg.Failure(description=str(error), allow_retries=True) from error
    except SmsEtlError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
