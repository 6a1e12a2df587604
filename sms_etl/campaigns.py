"""The campaign catalogue: names of campaigns, from a CSV the user keeps."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from sms_etl.config import Settings
from sms_etl.errors import ConfigError
from sms_etl.messages.purpose import purpose_of
from sms_etl.store.warehouse import Campaign

REQUIRED = "campaign"
COLUMNS = ("name_uk", "name_en", "kind")


def read_catalogue(path: Path) -> list[Campaign]:
    """Campaigns of a CSV: the column campaign, and name_uk, name_en and kind if it has them.

    Raises:
        ConfigError: the file cannot be read or has no column `campaign`.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, PolarsError) as error:
        raise ConfigError(f"The campaign catalogue {path} cannot be read: {error}") from None
    if REQUIRED not in frame.columns:
        raise ConfigError(
            f"The campaign catalogue {path} has no column '{REQUIRED}'; "
            f"it has: {', '.join(frame.columns)}"
        )
    missing = [pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in frame.columns]
    rows = (
        frame.with_columns(missing)
        .filter(pl.col(REQUIRED).is_not_null())
        .unique(REQUIRED, keep="last", maintain_order=True)
        .select(REQUIRED, *COLUMNS)
    )
    return [Campaign(*row) for row in rows.iter_rows()]


def catalogue(settings: Settings) -> list[Campaign]:
    """Campaigns of the catalogue file, if the settings name one.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = settings.campaigns.catalogue
    return read_catalogue(settings.resolve(path)) if path is not None else []


def labels(campaigns: list[Campaign]) -> dict[str, dict[str, str]]:
    """Campaign -> language -> name, where a name is known."""
    return {
        campaign.id: {
            language: name
            for language, name in (("uk", campaign.name_uk), ("en", campaign.name_en))
            if name
        }
        for campaign in campaigns
    }


def purposes(campaigns: list[Campaign]) -> dict[str, str]:
    """Campaign -> Purpose, where the catalogue's `kind` says it."""
    told = pl.DataFrame(
        [(campaign.id, campaign.kind) for campaign in campaigns],
        schema={"campaign": pl.String, "kind": pl.String},
        orient="row",
    ).with_columns(kind=purpose_of(pl.col("kind")))
    return dict(told.drop_nulls().iter_rows())
