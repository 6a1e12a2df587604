"""Tables of engagement from a database and from files: the same rows give the same events."""

import csv
import hmac
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sms_etl.engagement.build import EventRecipe, build_events
from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.pipeline import pull_frame
from sms_etl.sources.base import PullContext
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from sms_etl.store.landing import Landing

KYIV = ZoneInfo("Europe/Kyiv")
DAY, NEXT = date(2025, 3, 5), date(2025, 3, 6)
NOW = datetime(2025, 3, 8, 6, tzinfo=UTC)
KEY = b"a key of the tests"
NUMBER = "+380671234567"
KINDS = ("sql_events", "file_events")


class Shop:
    """One table of the user's, in a database or a folder, and what becomes of it."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.landing = Landing(folder / "landing")

    def put(self, rows, name="rows"):
        headings = list(rows[0])
        cells = [[row.get(heading, "") for heading in headings] for row in rows]
        if self.kind == "file_events":
            (self.folder / "in").mkdir(exist_ok=True)
            with (self.folder / "in" / f"{name}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([headings, *cells])
            return
        with closing(sqlite3.connect(self.folder / "shop.sqlite")) as connection, connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS t ({', '.join(headings)})")
            marks = ", ".join("?" for _ in headings)
            connection.executemany(f"INSERT INTO t VALUES ({marks})", cells)  # noqa: S608

    def source(self, stream, columns, **more):
        where = (
            {"folder": "in"}
            if self.kind == "file_events"
            else {"url": "sqlite:///shop.sqlite", "table": "t"}
        )
        block = {
            "kind": self.kind, "stream": stream, "columns": columns, "time_zone": "Europe/Kyiv",
            **where, **more,
        }  # fmt: skip
        return make_source("shop", SOURCE_KINDS[self.kind].model_validate(block), self.folder)

    def pull(self, source, days=(DAY,)):
        (stream,) = source.streams()
        place = f"shop.{stream.kind}"
        context = PullContext(KYIV, NOW, OUTBOX.empty(), self.landing.checksums(place))
        for plan in stream.plan(days, context):
            self.landing.land(place, plan)
        manifests = self.landing.manifests(place, days)
        recipe = EventRecipe(
            "shop", source.provider, stream.kind, KYIV, "UA", KEY, stream.whole_list
        )
        read = stream.read(self.landing.pages(manifests))
        return build_events(read, pull_frame(manifests), days, recipe)


@pytest.fixture(params=KINDS)
def shop(request, tmp_path):
    return Shop(tmp_path, request.param)


def digest(text):
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


def at(hour, minute=0, day=5):
    return datetime(2025, 3, day, hour, minute, tzinfo=UTC)


ORDER_COLUMNS = {
    "event_id": "id", "at": "created", "recipient": "phone", "contact_id": "customer",
    "amount": "total", "order_kind": "type", "utm_campaign": "utm", "promo_code": "code",
}  # fmt: skip
ORDERS = [
    {"id": "A1", "created": "2025-03-05 10:00:00", "phone": "067 123-45-67", "customer": "C1",
     "total": "1200.50", "type": "sale", "utm": "autumn", "code": " sale10 "},
    {"id": "A2", "created": "2025-03-05 11:00:00", "phone": "", "customer": "C2", "total": "80",
     "type": "sale", "utm": "", "code": ""},
    {"id": "A1", "created": "2025-03-05 18:00:00", "phone": "067 123-45-67", "customer": "C1",
     "total": "-200.50", "type": "sale", "utm": "", "code": ""},
    {"id": "A1", "created": "2025-03-06 09:00:00", "phone": "067 123-45-67", "customer": "C1",
     "total": "1000", "type": "Refund", "utm": "", "code": ""},
]  # fmt: skip


def test_orders_have_people_money_and_marks_and_refunds_are_rows_of_their_own(shop):
    shop.put(ORDERS)
    source = shop.source("orders", ORDER_COLUMNS, constants={"currency": "uah"})
    built = shop.pull(source, (DAY, NEXT))
    first, second = (built.rows.filter(event_id=name).row(0, named=True) for name in ("A1", "A2"))

    assert (first["ordered_at"], first["amount_micro"], first["currency"]) == (
        at(8), 1_200_500_000, "UAH",
    )  # fmt: skip
    assert (first["kind"], first["utm_campaign"], first["promo_code"]) == (
        "order", "autumn", "SALE10",
    )  # fmt: skip
    assert (first["recipient"], first["country"]) == (digest(NUMBER), "UA")
    assert (second["recipient"], second["contact"]) == (None, digest("contact C2"))
    refunds = built.rows.filter(kind="refund").select("day", "refund_of", "amount_micro").rows()
    assert refunds == [(DAY, "A1", 200_500_000), (NEXT, "A1", 1_000_000_000)]
    assert built.rows["event_id"].n_unique() == 4


def test_an_order_read_twice_is_one_row_and_the_last_stands(shop):
    shop.put([ORDERS[0]], "first")
    source = shop.source("orders", ORDER_COLUMNS, constants={"currency": "UAH"})
    shop.pull(source)
    shop.put([{**ORDERS[0], "total": "1300"}, ORDERS[1]], "second")
    built = shop.pull(source)

    assert dict(built.rows.select("event_id", "amount_micro").rows()) == {
        "A1": 1_300_000_000, "A2": 80_000_000,
    }  # fmt: skip
    folded = built.conservation.filter(reason="repeated_record")["records"].sum()
    assert folded == (1 if shop.kind == "file_events" else 2)


def test_a_refund_exported_twice_is_one(shop):
    shop.put([ORDERS[2]], "first")
    source = shop.source("orders", ORDER_COLUMNS, constants={"currency": "UAH"})
    shop.pull(source)
    shop.put([{**ORDERS[2], "utm": "seen again"}], "second")
    assert shop.pull(source).rows.height == 1


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"total": ""}, "no_amount"),
        ({"total": "12,x"}, "unreadable_amount"),
        ({"money": ""}, "no_currency"),
    ],
)
def test_an_order_without_readable_money_is_set_aside(shop, spoiled, reason):
    shop.put([{**row, "money": "UAH", **(spoiled if row["id"] == "A2" else {})} for row in ORDERS])
    built = shop.pull(shop.source("orders", {**ORDER_COLUMNS, "currency": "money"}))

    assert built.quarantine["reason"].to_list() == [reason]
    assert NUMBER[4:] not in str(built.quarantine.to_dicts())
    assert built.rows.height == 2
    assert built.conservation["records"].sum() == 3


def test_clicks_of_a_shortener_keep_the_network_only(shop):
    shop.put(
        [
            {"url": "https://x.example/s1?to=380671234567", "at": "2025-03-05 09:30:00",
             "ip": "203.0.113.77", "ua": "Mozilla", "bot": "no", "phone": NUMBER},
            {"url": "https://x.example/s1", "at": "2025-03-05 09:31:00", "ip": "", "ua": "",
             "bot": "Bot", "phone": ""},
        ]
    )  # fmt: skip
    columns = {
        "link": "url", "at": "at", "address": "ip", "user_agent": "ua", "robot": "bot",
        "recipient": "phone",
    }  # fmt: skip
    built = shop.pull(shop.source("clicks", columns, constants={"campaign": "sale"}))
    kept = ("clicked_at", "link", "network", "robot", "clicks", "campaign")

    assert built.rows.sort("clicked_at").select(kept).rows() == [
        (at(7, 30), "https://x.example/s1", "203.0.113.0/24", False, 1, "sale"),
        (at(7, 31), "https://x.example/s1", None, True, 1, "sale"),
    ]


def test_a_click_of_nobody_belongs_to_the_campaign_that_its_link_names(shop):
    link = "https://promin.example/sale?utm_source=sms&utm_campaign=%D0%BE%D1%81%D1%96%D0%BD%D1%8C"
    rows = [
        {"url": link, "at": "2025-03-05 09:30:00", "phone": "", "of": ""},
        {"url": link, "at": "2025-03-05 09:31:00", "phone": "", "of": "told"},
        {"url": link, "at": "2025-03-05 09:32:00", "phone": NUMBER, "of": ""},
        {"url": "https://promin.example/sale", "at": "2025-03-05 09:33:00", "phone": "", "of": ""},
    ]
    shop.put(rows)
    columns = {"link": "url", "at": "at", "recipient": "phone", "campaign": "of"}
    built = shop.pull(shop.source("clicks", columns)).rows.sort("clicked_at")
    assert built["campaign"].to_list() == ["осінь", "told", None, None]
    assert set(built["link"]) == {"https://promin.example/sale"}


def test_replies_are_read_for_refusals_and_the_text_goes(shop):
    shop.put(
        [
            {"who": NUMBER, "at": "2025-03-05 09:30:00", "body": "СТОП!"},
            {"who": NUMBER, "at": "2025-03-05 09:32:00", "body": "Дякую"},
            {"who": NUMBER, "at": "someday", "body": "Дякую"},
        ]
    )
    columns = {"recipient": "who", "at": "at", "text": "body"}
    built = shop.pull(shop.source("replies", columns))

    assert built.rows.sort("received_at")["intent"].to_list() == ["opt_out", "other"]
    assert "text" not in built.rows.columns
    timeless = ["unreadable_time"] if shop.kind == "file_events" else []
    assert built.quarantine["reason"].to_list() == timeless


def test_a_web_form_of_refusals_is_a_whole_list_in_which_a_row_that_comes_twice_is_one(shop):
    rows = [
        {"phone": "067 1234567", "at": "2025-01-05 10:00:00"},
        {"phone": "067 1234567", "at": "2025-01-05 10:00:00"},
        {"phone": "050 1234567", "at": ""},
        {"phone": "", "at": "2025-01-05 10:00:00"},
    ]
    shop.put(rows)
    source = shop.source("opt_outs", {"recipient": "phone", "at": "at"})
    built = shop.pull(source, (DAY, NEXT))

    assert built.rows.select("day", "opted_out_at").sort("opted_out_at").rows() == [
        (NEXT, None), (NEXT, datetime(2025, 1, 5, 8, tzinfo=UTC)),
    ]  # fmt: skip
    assert built.quarantine["reason"].to_list() == ["no_person"]
    assert built.conservation["records"].sum() == 4
    again = shop.pull(source, (DAY,))
    assert again.rows.filter(day=DAY).height == 2


def test_the_query_of_a_list_needs_no_window_but_that_of_events_does(tmp_path):
    shop = Shop(tmp_path, "sql_events")
    shop.put([{"phone": NUMBER, "at": "2025-01-05 10:00:00"}])
    query = {"table": None, "query": "SELECT phone, at FROM t WHERE phone <> ''"}
    columns = {"recipient": "phone", "at": "at"}
    assert shop.pull(shop.source("opt_outs", columns, **query)).rows.height == 1
    with pytest.raises(ValueError, match=":start and :end"):
        shop.source("replies", columns, **query)


def test_consents_tell_when_how_and_what_for(shop):
    shop.put(
        [
            {"customer": "C1", "phone": NUMBER, "given": "2024-05-01 10:00:00", "gone": "",
             "how": "form v3", "what": "Promo"},
            {"customer": "C2", "phone": "", "given": "", "gone": "2025-01-01 00:00:00",
             "how": "", "what": "news"},
            {"customer": "C3", "phone": "", "given": "", "gone": "soon", "how": "", "what": ""},
        ]
    )  # fmt: skip
    columns = {
        "contact_id": "customer", "recipient": "phone", "at": "given", "withdrawn_at": "gone",
        "how": "how", "purpose": "what",
    }  # fmt: skip
    built = shop.pull(shop.source("consents", columns))
    told = ("contact", "given_at", "withdrawn_at", "how", "purpose")

    assert built.rows.sort("given_at", nulls_last=True).select(told).rows() == [
        (digest("contact C1"), datetime(2024, 5, 1, 7, tzinfo=UTC), None, "form v3", "marketing"),
        (digest("contact C2"), None, datetime(2024, 12, 31, 22, tzinfo=UTC), None, "news"),
    ]
    assert built.quarantine["reason"].to_list() == ["unreadable_time"]


def test_the_edges_of_a_day_are_in_to_the_second(shop):
    moments = ["2025-03-04 23:59:59", "2025-03-05 00:00:00", "2025-03-05 23:59:59",
               "2025-03-06 00:00:00"]  # fmt: skip
    shop.put([{"phone": NUMBER, "at": moment, "link": "x.example/1"} for moment in moments])
    columns = {"recipient": "phone", "at": "at", "link": "link"}
    built = shop.pull(shop.source("clicks", columns))
    assert built.rows.sort("clicked_at")["clicked_at"].to_list() == [
        at(22, 0, 4), at(21, 59).replace(second=59),
    ]  # fmt: skip


def test_a_check_names_what_is_missing_and_what_there_is(shop):
    shop.put(ORDERS)
    good = shop.source("orders", ORDER_COLUMNS, constants={"currency": "UAH"})
    assert [result.ok for _, result in good.check_streams()] == [True]
    assert good.check() == []
    bad = shop.source("orders", {**ORDER_COLUMNS, "amount": "sum"}, constants={"currency": "UAH"})
    ((_, refused),) = bad.check_streams()
    assert not refused.ok
    assert "sum" in refused.mend
    with pytest.raises(PermanentSourceError, match="sum"):
        shop.pull(bad)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"stream": "orders", "columns": {"at": "x", "amount": "y"}}, "currency"),
        ({"stream": "clicks", "columns": {"at": "x", "link": "y", "amount": "z"}}, "amount"),
        ({"stream": "opt_outs", "columns": {"at": "x"}}, "recipient or contact_id"),
        ({"stream": "visits", "columns": {}}, "clicks"),
    ],
)
def test_a_mapping_that_does_not_fit_the_stream_is_refused(block, told):
    given = {"kind": "file_events", "folder": "in", "time_zone": "UTC", **block}
    with pytest.raises(ValueError, match=told):
        SOURCE_KINDS["file_events"].model_validate(given)


def test_typed_cells_and_lines_of_objects_are_read_like_text(tmp_path):
    shop = Shop(tmp_path, "file_events")
    (tmp_path / "in").mkdir()
    pl.DataFrame(
        {"id": ["A1"], "created": [at(10).replace(tzinfo=None)], "total": [12.5]}
    ).write_excel(tmp_path / "in" / "orders.xlsx")
    line = '{"id": "A2", "created": "05.03.2025 11:00", "total": "7,5"}\n'
    (tmp_path / "in" / "orders.ndjson").write_text(line, "utf-8")
    columns = {"event_id": "id", "at": "created", "amount": "total"}
    source = shop.source(
        "orders", columns, constants={"currency": "UAH"}, decimal=",",
        time_formats=["%d.%m.%Y %H:%M"],
    )  # fmt: skip
    rows = shop.pull(source).rows.sort("event_id").select("event_id", "ordered_at", "amount_micro")
    assert rows.rows() == [("A1", at(8), 12_500_000), ("A2", at(9), 7_500_000)]
