"""Hand-made observations, so that each test says only what it is about."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.dictionaries import load_dictionary
from sms_etl.messages.build import Built, Recipe, build_messages
from sms_etl.model.schemas import OBSERVATIONS, OUTBOX

DAY = date(2026, 10, 20)
NOON = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
PULLED = datetime(2026, 10, 21, 5, 0, tzinfo=UTC)
KYIV = ZoneInfo("Europe/Kyiv")


def observation(message_id: str | None, status: str = "delivered", **changes) -> dict:
    created = changes.pop("created_at", NOON)
    done = changes.pop("done_at", None)
    row = {
        "pull": "p1",
        "page": 1,
        "record": 0,
        "pulled_at": PULLED,
        "message_id": message_id,
        "recipient": "+380671234567",
        "sender": "Kramnytsia",
        "status": status,
        "created_at": created,
        "created_at_text": created and str(created),
        "done_at": done,
        "done_at_text": done and str(done),
        "done_at_origin": "provider" if done else None,
        "updated_at": done or created,
        "parts_billed": 1,
        "inbound": False,
        "text": "Hello",
    }
    return {**row, **changes}


def recipe(**changes) -> Recipe:
    return Recipe(
        **{
            "source": "twilio",
            "provider": "twilio",
            "dictionary": load_dictionary("twilio"),
            "rules": (),
            "tariff": (),
            "zone": KYIV,
            "home_country": "UA",
            "silence_hours": 72.0,
            "pseudonym_key": b"test",
            **changes,
        }
    )


def build(
    *observations: dict,
    outbox: list[dict] | None = None,
    days: list[date] | None = None,
    pulls: dict[str, tuple[date, date]] | None = None,
    landed: dict[str, int] | None = None,
    **recipe_changes,
) -> Built:
    rows = [{**row, "record": row["record"] or n} for n, row in enumerate(observations)]
    observed = pl.DataFrame(rows, schema=OBSERVATIONS.schema)
    ranges = pulls or {"p1": (DAY, DAY)}
    counted = Counter(observed["pull"].to_list()) | Counter(landed or {})
    pull_frame = pl.DataFrame(
        [(pull, first, last, counted[pull]) for pull, (first, last) in ranges.items()],
        schema={
            "pull": pl.String,
            "first_day": pl.Date,
            "last_day": pl.Date,
            "records": pl.Int64,
        },
        orient="row",
    )
    return build_messages(
        observed.lazy(),
        pl.DataFrame(outbox or [], schema=OUTBOX.schema).lazy(),
        pull_frame,
        days or [DAY],
        recipe(**recipe_changes),
    )


def fates(built: Built) -> dict[tuple[str, str | None], int]:
    return {
        (fate, reason): records
        for fate, reason, records in built.conservation.select(
            "fate", "reason", "records"
        ).iter_rows()
    }


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)
