"""Errors a reader can act on. Each says what happened, where, and what to do."""

from __future__ import annotations


class SmsEtlError(Exception):
    """Root of every error this package raises on purpose."""


class ConfigError(SmsEtlError):
    """The settings file or the environment is wrong; running again will not help."""


class PermanentSourceError(SmsEtlError):
    """A provider refused us for a reason that no retry mends (credentials, rights, request)."""


class TransientSourceError(SmsEtlError):
    """A provider could not answer now (time-out, 429, 5xx, cut connection); later it may."""


class LandingError(SmsEtlError):
    """A landed page is missing, truncated or not what its manifest says."""


class StoreError(SmsEtlError):
    """The lake, the landing folder or the warehouse cannot be read or written."""


class ConservationError(SmsEtlError):
    """Records in are not equal to messages + folded + quarantined."""


class RenderError(SmsEtlError):
    """A report could not be rendered without a warning; it must not reach a reader."""


class MailError(SmsEtlError):
    """A mail could not be composed or sent."""
