"""The operations report: pulls, coverage, late receipts, restatements, and what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.config.settings import Language
from sms_etl.model.schemas import CONSERVATION, EVENTS
from sms_etl.reports import operations_told
from sms_etl.reports.figures import fingerprint
from sms_etl.reports.language import Words
from sms_etl.reports.operations import OperationsInputs, operations
from sms_etl.restatement import Cause, Restatement
from sms_etl.store.manifest import MANIFEST_VERSION, Manifest, ManifestPage
from tests.reports import samples

EN, UK = Words(Language.ENGLISH), Words(Language.UKRAINIAN)
ZONE = ZoneInfo("Europe/Kyiv")
MONDAY, SUNDAY = date(2026, 10, 19), date(2026, 10, 25)
END = datetime(2026, 10, 25, 22, tzinfo=UTC)
"""Midnight in Kyiv after the Sunday on which the clocks went back."""


def manifest(day: date, seconds: float, *retries: int) -> Manifest:
    start = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    pages = tuple(
        ManifestPage(
            file=f"{n:05}.json.zst", format="json", request="GET /", records=100,
            received_at=start, body_bytes=1, body_sha256="0" * 64, stored_bytes=1,
            meta={"retries": str(k), "waited_seconds": f"{2.5 * k}"} if k else {},
        )
        for n, k in enumerate(retries)
    )  # fmt: skip
    return Manifest(
        version=MANIFEST_VERSION, source="turbosms", pull=f"p{day}", asked="q", first_day=day,
        last_day=day, started_at=start, finished_at=start + timedelta(seconds=seconds), pages=pages,
    )  # fmt: skip


def restatement(day: date, figure: str, then: int, now: int, *causes: Cause) -> Restatement:
    return Restatement(END, day, "turbosms", figure, "", then, now, causes)


def built():
    events = [
        {"day": SUNDAY, "source": "turbosms", "provider": "turbosms", "campaign": "sale",
         "event_hour": END + timedelta(hours=hours), "status_class": "delivered", "messages": n}
        for hours, n in ((-1, 70), (0, 16), (23, 8), (24, 4), (72, 2))
    ]  # fmt: skip
    fates = [
        (MONDAY, "message", None, 200),
        (MONDAY, "folded", "repeated", 10),
        (MONDAY, "quarantined", "bad_time", 3),
        (SUNDAY, "message", None, 0),
    ]
    return operations(
        OperationsInputs(
            manifests={"turbosms": [manifest(MONDAY, 30, 0, 2), manifest(SUNDAY, 12.34, 1)]},
            built={"turbosms": {MONDAY, SUNDAY}, "vonage": set()},
            conservation=pl.LazyFrame(
                [(day, "turbosms", *rest) for day, *rest in fates],
                schema=CONSERVATION.schema, orient="row",
            ),
            events=pl.LazyFrame(events, schema=EVENTS.schema),
            restatements=[
                restatement(MONDAY, "delivered", 100, 120, Cause.RECEIPTS),
                restatement(SUNDAY, "delivered", 50, 55, Cause.MAPPING, Cause.RECEIPTS),
                restatement(date(2026, 9, 1), "delivered", 0, 99, Cause.CODE),
            ],
        ),
        (MONDAY, SUNDAY),
        ZONE,
    )  # fmt: skip


def test_pulls_add_up_with_their_repeated_requests():
    [pulls] = built().pulls
    assert (pulls.count, pulls.pages, pulls.records) == (2, 3, 300)
    assert (pulls.seconds, pulls.slowest_seconds) == (42.3, 30.0)
    assert (pulls.retries, pulls.waited_seconds) == (3, 7.5)
    assert pulls.last_at == datetime(2026, 10, 25, 3, 0, 12, 340_000, tzinfo=UTC)


def test_every_day_of_every_source_is_there_or_missing():
    turbosms, vonage = built().days
    assert [day.built for day in turbosms.days] == [True, *[False] * 5, True]
    assert (turbosms.days[0].messages, turbosms.days[0].set_aside) == (200, 3)
    assert not any(day.built for day in vonage.days)


def test_receipts_are_late_from_the_end_of_the_last_business_day():
    [late] = built().late
    assert late.ended == 100
    assert {one.hours: one.messages for one in late.late} == {0: 30, 24: 6, 72: 2}


def test_restatements_of_the_days_of_the_report_add_up():
    [moved] = built().restated
    assert (moved.change, moved.days, moved.last_day) == (25, 2, SUNDAY)
    assert moved.causes == ("receipts", "mapping")


def test_a_missing_day_is_the_first_thing_to_do():
    figures = samples.operations()
    first = operations_told.steps(EN, figures)[0]
    assert first.what == "Pull and build twilio for 12 October again: sms-etl backfill."
    assert (first.who, first.stake) == ("the data team", "1 day")
    headline = operations_told.headline(EN, figures)
    assert headline.startswith("1 day is missing (twilio); 15 of 4.93M records could not be read")
    assert "Бракує 1 дня (twilio)" in operations_told.headline(UK, figures)


def test_a_provider_that_makes_us_repeat_requests_is_told():
    asked = [step.what for step in operations_told.steps(EN, samples.operations())]
    assert [what for what in asked if "requests_per_second of alphasms" in what]
    assert not [what for what in asked if "requests_per_second of turbosms" in what]


def test_only_pulling_again_makes_no_other_report():
    figures = samples.operations()
    assert figures.operations is not None
    later = figures.operations.pulls[0].model_copy(update={"count": 99, "seconds": 1.0})
    again = figures.operations.model_copy(update={"pulls": (later, *figures.operations.pulls[1:])})
    assert fingerprint(figures.model_copy(update={"operations": again})) == fingerprint(figures)
    moved = figures.operations.model_copy(update={"late": ()})
    assert fingerprint(figures.model_copy(update={"operations": moved})) != fingerprint(figures)
