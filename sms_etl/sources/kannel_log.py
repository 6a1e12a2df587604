"""Kannel by its access log: text files in a folder, rotated and perhaps compressed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.clock import now
from sms_etl.config.settings import SourceSettings, ZoneName
from sms_etl.days import day_window
from sms_etl.errors import PermanentSourceError
from sms_etl.sources.base import (
    CheckResult,
    Facts,
    LandedPage,
    Page,
    PageFormat,
    PullContext,
    PullKind,
    PullPlan,
    Source,
    checked,
)
from sms_etl.sources.files import MOST_BYTES
from sms_etl.sources.kannel_lines import Identifier, owned, parsed, records
from sms_etl.sources.records import final_update, observations, scan_pages
from sms_etl.sources.values import ISO, later_reading, times_to_utc

FIELDS = (
    "id", "recipient", "sender", "service", "text", "inbound", "status", "code", "sent", "changed",
)  # fmt: skip
NEWLINE = b"\n"
ZIPPED = ".gz"


class KannelLogSettings(SourceSettings):
    """A folder with access logs; `files` matches the current one and its rotated copies.

    `time_zone` is that of the machine. `identifier` says what names a message: 'fid', the message
    centre's number, or 'binf' for senders that give each message a binfo of its own. `provider`
    kannel_map is for message centres that give MAP errors.
    """

    kind: Literal["kannel_log"]
    folder: Path
    files: str = "access.log*"
    time_zone: ZoneName
    identifier: Identifier = "fid"
    provider: str = "kannel"
    page_messages: Annotated[int, Field(ge=1, le=100_000)] = 10_000


class KannelLog(Source):
    """Reads the messages sent on each day, and their receipts whenever they came.

    The files are read and never changed. What is landed are whole lines: those of the day's
    messages, of their receipts since, and all else that happened on the day.
    """

    kind: ClassVar[PullKind] = PullKind.WINDOW
    settings_type = KannelLogSettings
    spill_days = 1
    facts = Facts(
        title="Kannel access log",
        window_filter="time of sending in the log, to the second; with a message come its "
        "receipts since",
        history="as long as rotated logs are kept",
        look_back="every day of the settling period is read again, with the receipts since",
        rate_limit="none; every log that was written since the day is read once a run",
        proof="contract suite; a real kannel 1.4.5 (bearerbox and smsbox) behind an SMPP server",
        missing="time of acceptance, price, parts; the number of a message that was refused",
        reports="the time of sending stands for the submission unless the outbox knows it; the "
        "time of a receipt stands for the final time; a message without a number of its own is "
        "named by its time, sender and recipient; receipts that match no message in the logs "
        "(second parts of long messages) and received messages are counted as inbound",
        documents="userguide of kannel-docs 1.4.5, pruiz/kannel gw/bb_alog.c and "
        "gw/bb_smscconn.c @cdbcfc1",
        to_check="that access-log-format is not set; that receipts are asked for (dlr-mask); "
        "that rotation keeps logs longer than the settling period; the meaning of err at your "
        "message centre",
    )

    def __init__(self, name: str, settings: KannelLogSettings, base: Path) -> None:
        super().__init__(name)
        self.provider = settings.provider
        self._settings = settings
        self._folder = base / settings.folder

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day; the logs are read once for all of them.

        Raises:
            PermanentSourceError: the folder or a log cannot be read.
        """
        if not days:
            return
        since = day_window(min(days), context.zone).start.timestamp()
        lines = owned(self._lines([path for path in self._logs() if path.stat().st_mtime >= since]))
        stamp = self._utc(pl.col("stamp")).forward_fill().backward_fill()
        times = lines.select("line", stamp.alias("at"))
        placed = lines.join(times, left_on="owner", right_on="line", maintain_order="left")
        for day in sorted(days):
            window = day_window(day, context.zone)
            inside = pl.col("at").is_between(window.start, window.end, closed="left")
            asked = f"{self._settings.files} from {window.start} to {window.end}"
            yield PullPlan(day, day, asked, self._pages(placed.filter(inside), asked))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed lines as OBSERVATIONS: a row per message, and one per line that is of none."""

        def decode(_page: LandedPage, body: bytes) -> pl.DataFrame:
            return self._records(_lines_of(body.decode()))

        sent, changed = pl.col("sent"), pl.col("changed")
        final = final_update(pl.col("status"), changed, self.provider)
        done = final["done_at_text"]
        return observations(
            scan_pages(pages, FIELDS, decode),
            {
                "message_id": pl.col("id"),
                **{name: pl.col(name) for name in ("recipient", "sender", "service", "text")},
                "inbound": pl.col("inbound") == "true",
                "status": pl.col("status"),
                "code": pl.col("code"),
                "sent_at_text": sent,
                "sent_at": self._utc(sent),
                **final,
                "done_at": self._utc(done),
                "done_at_later": later_reading(done, (ISO,), self._settings.time_zone),
                "updated_at": self._utc(changed),
            },
        )

    def check(self) -> list[CheckResult]:
        """Whether there are logs and they can be read."""
        found = f"logs in {self._folder} can be read"
        return [checked(f"source {self.name}", lambda: self._lines(self._logs()[:1]), found)]

    def _utc(self, text: pl.Expr) -> pl.Expr:
        return times_to_utc(text, (ISO,), self._settings.time_zone)

    def _logs(self) -> list[Path]:
        """The current log and its rotated copies."""
        found = [path for path in self._folder.glob(self._settings.files) if path.is_file()]
        if not found:
            raise PermanentSourceError(
                f"{self.name}: there is no log {self._settings.files} in {self._folder}, or it "
                f"cannot be listed. Mend 'folder' and 'files' in the settings, or the rights."
            )
        return sorted(found)

    def _lines(self, paths: Sequence[Path]) -> pl.DataFrame:
        """The lines of logs as kannel_lines.parsed; a log begins with its earliest time."""
        logs = sorted((self._text(path) for path in paths), key=lambda log: str(log.first()))
        lines = parsed(pl.concat([pl.Series("raw", [], pl.String), *logs]))
        if lines.height and lines["time"].null_count() == lines.height:
            raise PermanentSourceError(
                f"{self.name}: no line of {self._folder}/{self._settings.files} is of Kannel's "
                f"default format. Remove access-log-format from Kannel, or mend 'files'."
            )
        return lines

    def _text(self, path: Path) -> pl.Series:
        try:
            with gzip.open(path) if path.suffix == ZIPPED else path.open("rb") as stream:
                body = stream.read(MOST_BYTES + 1)
        except (OSError, EOFError) as error:
            raise PermanentSourceError(
                f"{self.name}: {path} cannot be read ({error}). Mend its rights, or remove it."
            ) from None
        if len(body) > MOST_BYTES:
            raise PermanentSourceError(
                f"{self.name}: {path} is larger than {MOST_BYTES} bytes; rotate logs more often."
            )
        whole = body[: body.rfind(NEWLINE) + 1].decode("utf-8", "replace")
        return _lines_of(whole)

    def _pages(self, lines: pl.DataFrame, asked: str) -> Iterator[Page]:
        """Pages of so many messages each, every one with its receipts."""
        number = (pl.col("owner").rank("dense") - 1) // self._settings.page_messages
        for _, page in lines.with_columns(number.alias("page")).group_by(
            "page", maintain_order=True
        ):
            raw = page["raw"]
            body = "\n".join(raw).encode()
            yield Page(body, PageFormat.TEXT, self._records(raw).height, asked, now())

    def _records(self, raw: pl.Series) -> pl.DataFrame:
        return records(parsed(raw), self._settings.identifier)


def _lines_of(text: str) -> pl.Series:
    lines = pl.Series("raw", [text]).str.split("\n").explode()
    return lines.filter(lines != "")
