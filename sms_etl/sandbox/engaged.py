"""What the retailer's customers do with its messages: replies, stop lists, clicks.

Robots open links too: previews of messengers, filters of operators. Which click was a robot's is
known to the truth only; some robots say so in their user agent and some do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from sms_etl.sandbox.draws import ROW, Draws
from sms_etl.sandbox.lifecycle import UTC_TIME

OPT_OUT_TEXTS = ("STOP", "СТОП", "Стоп.", "stop", "CТOП", "відписатися")
OTHER_TEXTS = (
    "Дякую!", "Коли буде замовлення?", "Ok", "А можна обміняти?", "Хто це?", "5", "Не працює 🙁",
)  # fmt: skip
REPLY_NUMBER = "+15005550006"
"""Number that customers answer to; Twilio's own test number."""

_REPLY_SHARE = {"promo": 0.03, "service": 0.015, "otp": 0.002}
_OPT_OUT_SHARE = {"promo": 0.5, "service": 0.1, "otp": 0.0}
_CLICK_SHARE, _SECOND_CLICK_SHARE, _ROBOT_SHARE = 0.14, 0.2, 0.08
_MEDIAN_MINUTES, _SPREAD = 14.0, 1.6
_SLOWEST = timedelta(days=3)
_LIST_DELAY = timedelta(minutes=3)
_TEMPORARY_SHARE, _TEMPORARY = 0.1, timedelta(days=180)
_LINK = r"(https://\S+)"

PHONES = pl.DataFrame(
    [
        ("Mozilla/5.0 (Linux; Android 14; SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/128.0.0.0 Mobile Safari/537.36", "Android", "Chrome Mobile", "Mobile"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
         "Gecko) Version/17.6 Mobile/15E148 Safari/604.1", "iOS", "Safari", "Mobile"),
        ("Mozilla/5.0 (Linux; Android 13; 22101316G) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/127.0.0.0 Mobile Safari/537.36", "Android", "Chrome Mobile", "Mobile"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:129.0) Gecko/20100101 Firefox/129.0",
         "Windows", "Firefox", "PC"),
    ],
    schema=["user_agent", "os", "browser", "device"],
    orient="row",
)  # fmt: skip
ROBOTS = pl.DataFrame(
    [
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "", "", ""),
        ("TelegramBot (like TwitterBot)", "", "", ""),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/119.0.0.0 Safari/537.36", "Linux", "Chrome", "PC"),
    ],
    schema=["user_agent", "os", "browser", "device"],
    orient="row",
)  # fmt: skip


@dataclass(frozen=True)
class Engaged:
    """What customers did, each frame ordered by `at` (UTC, whole seconds).

    All have event_id (32 hexadecimal digits), way, e164, at. `replies` and `clicks` have
    message_id and campaign of the message they belong to (null: of none). `replies` has text,
    opt_out (the truth) and the sender answered. `clicks` has link, user_agent, os, browser,
    device and robot (the truth). `opt_outs` has expires_at (null: never).
    """

    replies: pl.DataFrame
    clicks: pl.DataFrame
    opt_outs: pl.DataFrame

    def seen(self, now: datetime) -> Engaged:
        """As far as it has happened by a time."""
        return Engaged(
            *(
                frame.filter(pl.col("at") <= now)
                for frame in (self.replies, self.clicks, self.opt_outs)
            )
        )


def engage(
    draws: Draws, messages: pl.DataFrame, contacts: pl.DataFrame, texts: pl.DataFrame
) -> Engaged:
    """What customers do with messages of lifecycle.live; draws no number that others draw.

    `texts` (event_id, way, e164, text, at) were sent by customers to no message in particular.
    """
    reached = (
        messages.filter((pl.col("outcome") == "delivered") & pl.col("e164").is_not_null())
        .drop(ROW, strict=False)
        .with_row_index(ROW)
        .with_columns(pl.col(ROW).cast(pl.UInt64))
    )
    refusals = [text.upper() for text in OPT_OUT_TEXTS]
    unprompted = texts.with_columns(opt_out=pl.col("text").str.to_uppercase().is_in(refusals))
    replies = pl.concat([_replies(draws, reached), unprompted], how="diagonal").sort(
        "at", "event_id"
    )
    return Engaged(replies, _clicks(draws, reached), _opt_outs(draws, replies, contacts))


def _replies(draws: Draws, reached: pl.DataFrame) -> pl.DataFrame:
    share, refusing = (
        pl.col("kind").replace_strict(shares, return_dtype=pl.Float64)
        for shares in (_REPLY_SHARE, _OPT_OUT_SHARE)
    )
    answered = reached.filter(draws.uniform("engaged:reply") < share)
    return (
        answered.with_columns(
            _hexadecimal(draws, answered, "engaged:reply-id"),
            at=_later(draws, "engaged:reply-after"),
            opt_out=draws.uniform("engaged:reply-stop") < refusing,
        )
        .with_columns(
            text=pl.when("opt_out")
            .then(draws.one_of("engaged:stop-text", OPT_OUT_TEXTS))
            .otherwise(draws.one_of("engaged:reply-text", OTHER_TEXTS))
        )
        .select(
            "event_id", "way", "message_id", "campaign", "e164", "sender", "text", "opt_out", "at"
        )
    )


def _clicks(draws: Draws, reached: pl.DataFrame) -> pl.DataFrame:
    linked = reached.with_columns(link=pl.col("text").str.extract(_LINK)).drop_nulls("link")
    clicker = draws.uniform("engaged:click") < _CLICK_SHARE
    first = linked.filter(clicker)
    second = first.filter(draws.uniform("engaged:click-again") < _SECOND_CLICK_SHARE)
    robots = linked.filter(draws.uniform("engaged:robot") < _ROBOT_SHARE)
    frames = [
        _opened(draws, first, "engaged:click", PHONES).with_columns(
            at=_later(draws, "engaged:click-after")
        ),
        _opened(draws, second, "engaged:click-2", PHONES).with_columns(
            at=_later(draws, "engaged:click-2-after")
        ),
        _opened(draws, robots, "engaged:robot", ROBOTS).with_columns(
            at=pl.col("done_at") + pl.duration(seconds=draws.whole("engaged:robot-after", 0, 6)),
        ),
    ]
    kept = (
        "event_id", "way", "message_id", "campaign", "e164", "link", "user_agent", "os", "browser",
        "device", "robot", "at",
    )  # fmt: skip
    return pl.concat([frame.select(kept) for frame in frames]).sort("at", "event_id")


def _opened(draws: Draws, rows: pl.DataFrame, stream: str, agents: pl.DataFrame) -> pl.DataFrame:
    chosen = rows.select(draws.whole(f"{stream}-agent", 0, agents.height)).to_series()
    return pl.concat(
        [rows.with_columns(_hexadecimal(draws, rows, f"{stream}-id")), agents[chosen]],
        how="horizontal",
    ).with_columns(robot=pl.lit(agents is ROBOTS))


def _opt_outs(draws: Draws, replies: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Everybody who refused: by a reply, or otherwise (`opted_out_at` of the contact)."""
    by_reply = replies.filter("opt_out").select("e164", at=pl.col("at") + _LIST_DELAY)
    otherwise = contacts.filter(pl.col("opted_out_at").is_not_null() & pl.col("e164").is_not_null())
    rows = (
        pl.concat([by_reply, otherwise.select("e164", at=pl.col("opted_out_at").cast(UTC_TIME))])
        .sort("at", "e164")
        .unique("e164", keep="first", maintain_order=True)
        .with_columns(pl.col("at").dt.truncate("1s"))
        .with_row_index(ROW)
        .with_columns(pl.col(ROW).cast(pl.UInt64))
    )
    temporary = draws.uniform("engaged:temporary") < _TEMPORARY_SHARE
    return rows.with_columns(
        _hexadecimal(draws, rows, "engaged:opt-out-id"),
        way=pl.lit(None, pl.String),
        expires_at=pl.when(temporary).then(pl.col("at") + _TEMPORARY),
    ).drop(ROW)


def _later(draws: Draws, stream: str) -> pl.Expr:
    """Some time after the message arrived: log-normal, most within the hour."""
    seconds = (60 * _MEDIAN_MINUTES * (_SPREAD * draws.normal(stream)).exp()).clip(
        20, _SLOWEST.total_seconds()
    )
    return pl.col("done_at") + pl.duration(seconds=seconds.floor().cast(pl.Int64))


def _hexadecimal(draws: Draws, rows: pl.DataFrame, stream: str) -> pl.Series:
    pairs = rows.select(high=draws.bits(f"{stream}:high"), low=draws.bits(f"{stream}:low"))
    return pl.Series("event_id", [f"{high:016x}{low:016x}" for high, low in pairs.iter_rows()])
