"""Mobizon's Message/List over a simulated world.

Shapes and rules: github.com/mobizon/mobizon-api-docs @bde2569, src/v1/en/message/api/list.md and
_other/apiCode.md. Decided here, because the documents are silent: times are wall clock of Kyiv,
both bounds of a criterion are included, sending of a refused message starts when it is refused,
an unbilled message has no segUserBuy, a page after the last is the last (as in the Yii
framework), and messages of one second come in any order unless other sort fields settle it.
Links: link/api/list.md and getStats.md; the grid of getStats as an unofficial client recorded it
(Mobizon.Net, LinkStatsResultConverter); every link of a text is a short link of the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import days_between
from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size, paged
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

PATH = "/service/Message/List"
LINKS_PATH, STATS_PATH = "/service/Link/List", "/service/Link/GetStats"
INTERFACE = {"api": "v1", "output": "json"}
PAGE_SIZES = (25, 50, 100)
_ZONE = ZoneInfo("Europe/Kyiv")
_FORMAT = "%Y-%m-%d %H:%M:%S"
_FROM, _TO = "criteria[startSendTsFrom]", "criteria[startSendTsTo]"
_SIZE, _PAGE = "pagination[pageSize]", "pagination[currentPage]"
_SORTS = {
    "sort[startSendTs]": "wall_clock",
    "sort[campaignId]": "campaign",
    "sort[to]": "e164",
}
_FIELDS = {_FROM, _TO, _SIZE, _PAGE, "withNumberInfo", *_SORTS}
_LOGIN, _METHOD, _PARAMETER, _TOO_FAST = 8, 5, 12, 30
_DIGITS_OF_ID = 13
_MOST_LINKS, _LONGEST = 5, timedelta(days=89)
_UNOPENED = tuple(f"https://promin.example/u{n}" for n in range(7))


class MobizonApi(ProviderApi):
    """Answers requests of one Mobizon account, read-only."""

    name = "mobizon"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("NEW"),
        "leaving": Told("ENQUEUD"),
        "sent": Told("ACCEPTD"),
        "read": Told("DELIVRD"),
        "delivered": Told("DELIVRD"),
        "no_receipt": Told("ACCEPTD"),
        "final_unknown": Told("PDLIVRD"),
        "expired": Told("EXPIRED"),
        "outage": Told("EXPIRED"),
        "dead_number": Told("UNDELIV"),
        "landline": Told("UNDELIV"),
        "network_error": Told("UNDELIV"),
        "spam_filter": Told("REJECTD"),
        "invalid_number": Told("REJECTD"),
        "opted_out": Told("REJECTD"),
        "cancelled": Told("DELETED"),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        started = pl.coalesce("sent_at", "done_at")
        local = started.dt.convert_time_zone(_ZONE.key).dt.strftime(_FORMAT)
        self._rows = self.messages.with_columns(started_at=started, wall_clock=local)
        names = self.messages["campaign"].unique().sort().to_list()
        self._campaigns = {name: 5_000_000 + at for at, name in enumerate(names)}
        links = self.engaged(Engagement.CLICKS)["link"].unique().sort()
        self._link_ids = {400_100 + at: link for at, link in enumerate([*links, *_UNOPENED])}

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number."""
        digits = thirty_two_hex.str.slice(0, _DIGITS_OF_ID)
        return digits.str.to_integer(base=16, dtype=pl.Int64).cast(pl.String)

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """A failure in front of the API."""
        return json_reply(status, _body(999, "", "General service error."), headers)

    def busy(self) -> Reply:
        """Too many calls of one method."""
        return _error(_TOO_FAST, "Request rate limit exceeded.")

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        query = request.query
        if faults.token_expired or query.get("apiKey") != self.accounts.secret_of(self.name):
            return _error(_LOGIN, "Login data is incorrect.")
        answers = {PATH: self._list, LINKS_PATH: self._links, STATS_PATH: self._stats}
        if request.path not in answers or INTERFACE.items() - query.items():
            return _error(_METHOD, "Incorrect method.")
        try:
            return answers[request.path](request.form, now, faults)
        except ValueError as problem:
            return _error(_PARAMETER, str(problem))

    def _list(self, form: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        if unknown := set(form) - _FIELDS:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        asked, number = int(form.get(_SIZE, PAGE_SIZES[0])), int(form.get(_PAGE, 0))
        if asked not in PAGE_SIZES or number < 0:
            raise ValueError("no such page")
        conditions = [pl.col("started_at") <= now]
        if _FROM in form:
            conditions.append(pl.col("wall_clock") >= _checked(form[_FROM]))
        if _TO in form:
            conditions.append(pl.col("wall_clock") <= _checked(form[_TO]))
        matching = self._rows.filter(conditions)
        keys = [column for field, column in _SORTS.items() if form.get(field) == "ASC"]
        matching = matching.sort([*keys, pl.int_range(pl.len()).hash(seed=number)])
        size = page_size(asked, faults)
        number = min(number, max(0, (matching.height - 1) // size))
        found = paged(matching, number * size, size, faults)
        data = {"items": self.records(found, now, faults), "totalItemCount": matching.height}
        return json_reply(200, _body(0, data, ""))

    def _links(self, form: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        asked, number = int(form.get(_SIZE, PAGE_SIZES[0])), int(form.get(_PAGE, 0))
        if asked not in PAGE_SIZES or number < 0:
            raise ValueError("no such page")
        counts = dict(self._clicks(now).group_by("link").len().iter_rows())
        size = page_size(asked, faults)
        listed = [
            _link(identifier, link, counts.get(link, 0))
            for identifier, link in self._link_ids.items()
        ]
        items = listed[number * size : (number + 1) * size]
        return json_reply(200, _body(0, {"items": items, "totalItemCount": len(listed)}, ""))

    def _stats(self, form: Mapping[str, str], now: datetime, _faults: FaultSettings) -> Reply:
        ids = [int(value) for name, value in form.items() if name.startswith("ids[")]
        if not 1 <= len(ids) <= _MOST_LINKS or form.get("type") != "daily":
            raise ValueError("ids or type")
        first, last = (
            datetime.strptime(form[name], _FORMAT).replace(tzinfo=UTC).date()
            for name in ("criteria[dateFrom]", "criteria[dateTo]")
        )
        last = min(last, first + _LONGEST)
        local = pl.col("at").dt.convert_time_zone(_ZONE.key).dt.date()
        cells = self._clicks(now).group_by("link", day=local).len().iter_rows()
        counts = {(link, day): count for link, day, count in cells}
        rows, totals = [], dict.fromkeys(range(len(ids)), 0)
        for day in days_between(first, last):
            row: dict[str, Any] = {"param": day.isoformat()}
            for at, identifier in enumerate(ids):
                clicks = counts.get((self._link_ids.get(identifier), day), 0)
                row |= {f"clicks{at}": str(clicks), f"redirects{at}": clicks}
                totals[at] += clicks
            rows.append(row)
        told = {f"totalClicks{at}": count for at, count in totals.items()}
        return json_reply(200, _body(0, {"items": rows, "totals": told}, ""))

    def _clicks(self, now: datetime) -> pl.DataFrame:
        return self.engaged(Engagement.CLICKS).filter(pl.col("at") <= now)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in Mobizon's fields."""
        billed = row["billed_at"] is not None
        return {
            "id": int(row["message_id"]),
            "campaignId": self._campaigns[row["campaign"]],
            "segNum": row["parts"],
            "segUserBuy": row["part_micro"] / 1_000_000 if billed else None,
            "from": row["sender"],
            "to": (row["e164"] or row["recipient"]).removeprefix("+"),
            "text": row["text"],
            "status": row["word"],
            "groups": "",
            "uuid": f"{int(row['message_id']):032x}",
            "countryA2": row["country"],
            "operatorName": row["operator"],
            "startSendTs": _local(row["sent_at"] or row["done_at"]),
            "statusUpdateTs": _local(row["done_at"] or row["sent_at"]),
        }


def _link(identifier: int, link: str, clicks: int) -> dict[str, Any]:
    """One short link as Link/List tells it."""
    return {
        "id": identifier,
        "status": 1,
        "moderatorStatus": 1,
        "clickCnt": clicks,
        "createTs": "2026-01-05 10:00:00",
        "expirationDate": None,
        "code": link.rpartition("/")[2],
        "fullLink": "https://promin.example/catalogue",
        "shortLink": link,
        "comment": None,
        "moderatorComment": None,
    }


def _checked(text: str) -> str:
    """A wall clock time, as it is.

    Raises:
        ValueError: it is none.
    """
    datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    return text


def _local(moment: datetime | None) -> str | None:
    return moment.astimezone(_ZONE).strftime(_FORMAT) if moment else None


def _body(code: int, data: Any, message: str) -> dict[str, Any]:
    return {"code": code, "data": data, "message": message}


def _error(code: int, message: str) -> Reply:
    return json_reply(200, _body(code, "", message))
