"""A process that lands one day of one source; the tests kill it."""

import json
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from sms_etl.config.clock import now
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.base import PullContext
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from sms_etl.store.landing import Landing


def main(root: str, block: str, day: str) -> None:
    """Land the day under `root`; `block` is the source's settings as JSON."""
    settings = json.loads(block)
    source = make_source("shop", SOURCE_KINDS[settings["kind"]].model_validate(settings), Path())
    context = PullContext(ZoneInfo("Europe/Kyiv"), now(), OUTBOX.empty())
    plans = source.plan([date.fromisoformat(day)], context)
    Landing(Path(root)).land_all("shop", plans, source.parallel)


if __name__ == "__main__":
    main(*sys.argv[1:])
