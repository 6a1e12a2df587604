"""Landed pages of a simulated Twilio account, at any size and always the same.

The company, its texts and its numbers are those of the sandbox; what differs is that rows are
made by the column, so that a day of ten million records takes minutes and not hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from sms_etl.days import day_window
from sms_etl.project import Project
from sms_etl.sandbox import texts
from sms_etl.sandbox.accounts import TWILIO_SERVICE_SID
from sms_etl.sandbox.campaigns import CAMPAIGNS, Way
from sms_etl.sandbox.draws import ROW, Draws, choose_rows
from sms_etl.sandbox.people import RANGES
from sms_etl.sources.base import Page, PageFormat, PullPlan

SEED = 20261123
SOURCE = "twilio"
DAY = date(2026, 10, 20)
ACCOUNT = "AC" + "0" * 32
RECORDS_A_PAGE = 1000
ROWS_AT_ONCE = 100_000
REPEATED_SHARE = 0.01
"""Records that a list gives twice because it moved between two pages."""

PEOPLE_A_RECORD = 0.7
"""Numbers that records are drawn over; about half as many people as records are written to."""

SETTINGS = f"""\
[project]
name = "Benchmark"
data_dir = "data"
first_day = {DAY - timedelta(days=400)}

[sources.{SOURCE}]
kind = "twilio"
account_sid = "{ACCOUNT}"
auth_token = "TWILIO_AUTH_TOKEN"
"""

_STATES = pl.DataFrame(
    [
        ("delivered", None, 92.0),
        ("undelivered", 30003, 2.2),
        ("undelivered", 30005, 1.3),
        ("undelivered", 30007, 0.5),
        ("failed", 21610, 0.6),
        ("failed", 30006, 0.4),
        ("sent", None, 3.0),
    ],
    schema={"status": pl.String, "error_code": pl.Int64, "weight": pl.Float64},
    orient="row",
)
PRICE_A_PART = 0.1034
FIRST_SECOND, WORKING_SECONDS = 28_800, 43_200
"""Messages go out evenly between 8 and 20 o'clock."""

_RFC_2822 = "%a, %d %b %Y %H:%M:%S +0000"
_MEDIAN_SECONDS, _SPREAD = 1.8, 1.1
"""Logarithm of the median of seconds to deliver, and its spread."""


def project_in(folder: Path) -> Project:
    """A deployment with one Twilio account and nothing in it."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "sms_etl.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    return Project.open(settings)


def land_day(project: Project, records: int, day: date = DAY) -> None:
    """Land one pull of a day with this many records; what is there already stays."""
    if day in project.landing.days(SOURCE):
        return
    asked = f"sent {day}"
    project.landing.land(SOURCE, PullPlan(day, day, asked, _pages(project, records, day)))


def _pages(project: Project, records: int, day: date) -> Iterator[Page]:
    window = day_window(day, project.settings.project.zone)
    received = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=2)
    for first in range(0, records, ROWS_AT_ONCE):
        rows = range(first, min(first + ROWS_AT_ONCE, records))
        lines = _records(rows, records, window.start)
        for start in range(0, len(lines), RECORDS_A_PAGE):
            piece = lines[start : start + RECORDS_A_PAGE]
            number = (first + start) // RECORDS_A_PAGE
            body = f'{{"messages":[{",".join(piece)}],"page":{number},"next_page_uri":null}}'
            request = f"Messages.json?Page={number}"
            yield Page(body.encode(), PageFormat.JSON, len(piece), request, received)


def _records(rows: range, records: int, start: datetime) -> list[str]:
    """Records of these rows of a day as JSON texts, newest first as the list of the API."""
    draws = Draws(SEED)
    frame = pl.DataFrame({ROW: pl.int_range(rows.start, rows.stop, eager=True)})
    again = (draws.uniform("repeated") < REPEATED_SHARE) & (pl.col(ROW) % RECORDS_A_PAGE > 0)
    frame = frame.with_columns(pl.when(again).then(pl.col(ROW) - 1).otherwise(ROW).alias(ROW))
    for table, stream in ((_campaigns(), "campaign"), (_STATES, "state")):
        drawn = frame.select(draws.uniform(stream)).to_series()
        frame = frame.hstack(choose_rows(table, table["weight"], drawn).drop("weight"))
    frame = frame.with_columns(body=texts.fill_in(draws, pl.col("text")))
    frame = frame.with_columns(parts=texts.parts(pl.col("body")), to=_numbers(frame, records))
    return _as_json(_times(frame, draws, records, start), draws)


def _campaigns() -> pl.DataFrame:
    rows = [
        (one.sender, one.service, one.text, one.share)
        for one in CAMPAIGNS
        if one.way is Way.TWILIO and one.channel == "sms"
    ]
    return pl.DataFrame(rows, schema=["sender", "service", "text", "weight"], orient="row")


def _numbers(frame: pl.DataFrame, records: int) -> pl.Series:
    """Whom each row is written to; a person has the same number on every day."""
    whole = max(int(records * PEOPLE_A_RECORD), 1)
    people = frame.select(Draws(SEED).whole("person", 0, whole).alias(ROW))
    ranges = RANGES.filter(pl.col("free_digits") > 0)
    drawn = people.select(Draws(SEED).uniform("range")).to_series()
    people = people.hstack(choose_rows(ranges, ranges["weight"], drawn))
    digits = Draws(SEED).digits("number", pl.col("free_digits"))
    return people.select("+" + pl.col("prefix") + digits).to_series()


def _times(frame: pl.DataFrame, draws: Draws, records: int, start: datetime) -> pl.DataFrame:
    left = 1 - pl.col(ROW) / records
    created = pl.lit(start) + pl.duration(seconds=left * WORKING_SECONDS + FIRST_SECOND)
    waited = (_MEDIAN_SECONDS + _SPREAD * draws.normal("waited")).exp()
    sent = created + pl.duration(seconds=draws.whole("queued", 0, 3))
    updated = sent + pl.duration(seconds=waited.floor())
    times = {"date_created": created, "date_sent": sent, "date_updated": updated}
    return frame.with_columns(
        time.dt.convert_time_zone("UTC").dt.strftime(_RFC_2822).alias(name)
        for name, time in times.items()
    )


def _as_json(frame: pl.DataFrame, draws: Draws) -> list[str]:
    """Rows in Twilio's fields, in its order of fields."""
    sid = pl.lit("SM") + _hexadecimal(draws)
    uri = pl.lit(f"/2010-04-01/Accounts/{ACCOUNT}/Messages/") + sid
    price = pl.when(pl.col("status") != "failed").then(
        pl.format("-{}", (pl.col("parts") * PRICE_A_PART).round(4))
    )
    failed = pl.when(pl.col("status").is_in(["failed", "undelivered"]))
    record = pl.struct(
        sid=sid,
        account_sid=pl.lit(ACCOUNT),
        messaging_service_sid=pl.when("service").then(pl.lit(TWILIO_SERVICE_SID)),
        body="body",
        **{"from": pl.col("sender")},
        to="to",
        direction=pl.lit("outbound-api"),
        status="status",
        num_segments=pl.col("parts").cast(pl.String),
        num_media=pl.lit("0"),
        price=price,
        price_unit=pl.lit("USD"),
        error_code="error_code",
        error_message=failed.then(pl.lit("Unreachable destination handset")),
        date_created="date_created",
        date_sent="date_sent",
        date_updated="date_updated",
        api_version=pl.lit("2010-04-01"),
        uri=uri + ".json",
        subresource_uris=pl.struct(media=uri + "/Media.json", feedback=uri + "/Feedback.json"),
    )
    return frame.select(record.struct.json_encode()).to_series().to_list()


def _hexadecimal(draws: Draws) -> pl.Expr:
    """Thirty-two digits; decimal ones, which are as long and as distinct."""
    return draws.bits("sid").cast(pl.String).str.zfill(20) + draws.digits("sid:more", 12)
