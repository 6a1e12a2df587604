"""What every source must do, whatever the provider; see docs/adding-a-source.md."""

from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.days import day_window, days_between
from sms_etl.errors import PermanentSourceError, SmsEtlError
from sms_etl.model.schemas import OBSERVATIONS
from tests.contract.edges import EDGE_DAYS, ORDINARY, SECOND, ZONE

WEEK = days_between(ORDINARY - timedelta(days=6), ORDINARY)
SMALL_PAGES = 5
PLACE = ("pull", "page", "record", "pulled_at")
FIRST_SECOND_PAGE = {"page_size": SMALL_PAGES, "calm": 1}


def same(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether two reads say the same, wherever in landing it lies."""
    by = "message_id"
    return left.drop(PLACE).sort(by).equals(right.drop(PLACE).sort(by))


def distinct(observed: pl.DataFrame) -> int:
    """How many different things are said, wherever in landing they lie."""
    return observed.drop(PLACE).unique().height


def once(bench, observed: pl.DataFrame) -> pl.DataFrame:
    """The messages of the day; once each where a pull may read a message twice."""
    of_day = observed.filter(pl.col("message_id").is_in(bench.ids([ORDINARY])))
    return of_day.unique("message_id") if bench.case.reads_twice else of_day


def wrongly_classed(both: pl.DataFrame) -> list[tuple]:
    """What was made of a message, and what truly became of it, where they differ."""
    wrong = both.filter(pl.col("status_class").ne_missing(pl.col("class")))
    return wrong.select("status", "code", "status_class", "class", "outcome").unique().rows()


def test_what_is_read_is_what_is_true(bench):
    bench.at_usual_time(WEEK)
    truth, observed = bench.truth(WEEK), bench.pull(WEEK)
    assert observed.schema == OBSERVATIONS.schema
    assert truth.height > 30
    assert set(truth["message_id"]) <= set(observed["message_id"])
    assert observed["malformed"].null_count() == observed.height
    both = bench.classed(observed).join(truth, on="message_id", suffix="_true")
    assert wrongly_classed(both) == []
    assert both.filter(~pl.col("status_known"))["status"].to_list() == []
    assert both.filter(~pl.col("code_known"))["code"].to_list() == []


def test_what_the_provider_tells_is_read_right(bench):
    bench.at_usual_time(WEEK)
    true_names = {
        "cost_micro": "price_micro",
        "parts_billed": "parts",
        "created_at": "submitted_at",
    }
    both = bench.truth(WEEK).join(
        bench.pull(WEEK).unique("message_id", keep="last"), on="message_id", suffix="_read"
    )
    assert bench.case.tells
    for column in bench.case.tells:
        true = true_names.get(column, column)
        read = column if true != column else f"{column}_read"
        known = both.filter(pl.col(true).is_not_null()).select("message_id", true, read)
        assert known.height > 10, column
        if known.schema[true] == OBSERVATIONS.schema["created_at"]:
            off = (pl.col(read) - pl.col(true).dt.truncate("1s")).abs()
            known = known.filter((off > SECOND).fill_null(value=True))
        else:
            known = known.filter(pl.col(read).ne_missing(pl.col(true)))
        assert known.is_empty(), f"{column}: {known}"


@pytest.mark.parametrize("day", EDGE_DAYS, ids=str)
def test_the_edges_of_a_day_are_in_to_the_second(bench, day):
    bench.at_usual_time([day])
    window = day_window(day, ZONE)
    wanted = bench.truth([day])
    assert {window.start, window.end - SECOND} <= set(wanted["submitted_at"])
    assert set(wanted["message_id"]) <= set(bench.pull([day])["message_id"])


def test_days_beside_each_other_lose_nothing_between_them(bench):
    days = days_between(EDGE_DAYS[2] - timedelta(days=1), EDGE_DAYS[2] + timedelta(days=1))
    bench.at_usual_time(days)
    read = [set(bench.pull([day])["message_id"]) for day in days]
    assert bench.ids(days) <= set().union(*read)


def test_pages_are_read_to_the_last_row(bench):
    bench.at_usual_time([ORDINARY])
    whole = bench.pull([ORDINARY])
    bench.sandbox.set_faults(page_size=SMALL_PAGES)
    pages = bench.pages([ORDINARY])
    assert len(pages) > 2
    in_pieces = bench.read(pages)
    assert same(once(bench, in_pieces), once(bench, whole))
    assert sum(page.records for page in pages) == in_pieces.height
    if not bench.case.reads_twice:
        assert in_pieces["message_id"].is_unique().all()


def test_rows_that_arrive_while_paging_lose_none_and_double_none(bench):
    window = day_window(ORDINARY, ZONE)
    bench.sandbox.set_clock(window.start + timedelta(hours=14))
    there = bench.ids([ORDINARY])
    assert len(there) > SMALL_PAGES
    bench.sandbox.set_faults(page_size=SMALL_PAGES, clock_step_seconds=1800)
    observed = bench.pull([ORDINARY])
    assert there <= set(observed["message_id"])
    if not bench.case.reads_twice:
        assert observed["message_id"].is_unique().all()


def test_reading_again_brings_late_statuses_and_prices(bench):
    bench.sandbox.set_clock(day_window(ORDINARY, ZONE).end)
    early = bench.pull(WEEK)
    bench.at_usual_time(WEEK)
    late = bench.pull(WEEK)
    both = early.join(late, on="message_id", suffix="_late")
    changed = both.filter(pl.col("status").ne_missing(pl.col("status_late")))
    new = late.join(early, on="message_id", how="anti")
    assert changed.height + new.height > 0
    true = bench.truth(WEEK).select("message_id", "class", "outcome", "price_micro")
    now = bench.classed(late).join(true, on="message_id")
    assert wrongly_classed(now) == []
    if "cost_micro" in bench.case.tells:
        assert now["cost_micro"].equals(now["price_micro"], null_equal=True)


@pytest.mark.parametrize(
    "fault",
    [
        {"rate_limited": 2, "retry_after": 3},
        {"rate_limited": 2, "retry_after": None},
        {"server_errors": 2},
        {"cut": 2},
        {"truncated": 2},
        {"busy_inside": 2},
    ],
    ids=["429 with Retry-After", "429 without", "500", "cut body", "half JSON", "error in 200"],
)
def test_faults_in_the_middle_of_paging_change_nothing(bench, naps, fault):
    if "busy_inside" in fault and bench.sandbox.api(bench.case.provider).busy() is None:
        pytest.skip("the provider uses HTTP statuses alone")
    bench.at_usual_time([ORDINARY])
    bench.sandbox.set_faults(page_size=SMALL_PAGES)
    calm = bench.pull([ORDINARY])
    naps.clear()
    bench.sandbox.set_faults(**FIRST_SECOND_PAGE, **fault)
    pages = bench.pages([ORDINARY])
    assert bench.sandbox.faults.settings().calm == 0
    assert same(bench.read(pages), calm)
    assert len(naps) >= 2
    assert max(naps) >= (fault.get("retry_after") or 0)
    assert any(page.meta.get("retries") for page in pages)


def test_an_expired_token_is_told_without_the_secret(bench):
    bench.at_usual_time([ORDINARY])
    assert [result.ok for result in bench.source.check()] == [True]
    bench.sandbox.set_faults(token_expired=True)
    with pytest.raises(PermanentSourceError) as caught:
        bench.pages([ORDINARY])
    (refused,) = bench.source.check()
    assert not refused.ok
    assert "Check" in refused.mend
    for secret in bench.case.secrets(bench.sandbox.accounts).values():
        assert secret not in f"{caught.value} {refused} {caught.value.__context__}"


def test_a_store_that_is_gone_is_told_with_how_to_mend_it(bench):
    bench.at_usual_time([ORDINARY])
    bench.write()
    assert [result.ok for result in bench.source.check()] == [True]
    source, store = bench.source, bench.store
    store.rename(store.with_name("elsewhere"))
    with pytest.raises(PermanentSourceError) as caught:
        [list(plan.pages) for plan in source.plan([ORDINARY], bench.context())]
    (refused,) = source.check()
    assert not refused.ok
    assert "mend" in refused.mend.lower()
    assert str(store) in str(caught.value)


def test_secrets_are_in_no_page_error_or_repr(bench):
    bench.at_usual_time([ORDINARY])
    source = bench.source
    told = " ".join(f"{page.request} {page.meta}" for page in bench.pages([ORDINARY]))
    bench.sandbox.set_faults(server_errors=1000)
    with pytest.raises(SmsEtlError) as caught:
        bench.pages([ORDINARY])
    for secret in bench.case.secrets(bench.sandbox.accounts).values():
        assert secret not in f"{told} {caught.value} {source!r} {vars(source)}"


def test_a_day_without_messages_is_empty_and_no_error(bench):
    empty = date(2026, 3, 1)
    bench.at_usual_time([empty])
    assert bench.pull([empty]).height == 0
    plans = list(bench.source.plan([empty], bench.context()))
    assert {(plan.first_day, plan.last_day) for plan in plans} == {(empty, empty)}


def victim_of(bench) -> str:
    """A delivered message of the day."""
    delivered = bench.truth([ORDINARY]).filter(pl.col("outcome") == "delivered")
    return str(delivered["message_id"][2])


def test_a_record_with_every_optional_field_null_is_still_a_row(bench):
    bench.at_usual_time([ORDINARY])
    calm, victim = bench.pull([ORDINARY]), victim_of(bench)
    bench.sandbox.set_faults(blank=[victim])
    observed = bench.pull([ORDINARY])
    mine = pl.col("message_id") == victim
    assert same(observed.filter(~mine), calm.filter(~mine))
    (row,) = observed.filter(mine).unique("message_id").iter_rows(named=True)
    assert row["malformed"] is None
    assert {row[name] for name in ("status", "done_at", "cost_micro", "code")} == {None}


def test_an_unknown_status_word_is_loud_and_of_class_unknown(bench):
    bench.at_usual_time([ORDINARY])
    victim = victim_of(bench)
    bench.sandbox.set_faults(status_words={victim: "Teleported"})
    (row,) = (
        bench.classed(bench.pull([ORDINARY]))
        .filter(pl.col("message_id") == victim)
        .iter_rows(named=True)
    )
    assert row["status"] == "Teleported"
    assert (row["status_class"], row["status_known"]) == ("unknown", False)
    assert row["reason"] == "unknown_status"


def test_an_unknown_code_is_loud_and_guesses_nothing(bench):
    bench.at_usual_time(WEEK)
    failed = bench.truth(WEEK).filter(pl.col("outcome").is_in(["expired", "dead_number"]))
    victim = failed["message_id"][0]
    bench.sandbox.set_faults(codes={victim: "98765"})
    (row,) = (
        bench.classed(bench.pull(WEEK)).filter(pl.col("message_id") == victim).iter_rows(named=True)
    )
    assert row["code"] == "98765"
    assert not row["code_known"]


def test_a_record_that_comes_twice_is_two_rows_of_one_message(bench):
    bench.at_usual_time([ORDINARY])
    calm, victim = bench.pull([ORDINARY]), victim_of(bench)
    bench.sandbox.set_faults(twice=[victim])
    observed = bench.pull([ORDINARY])
    mine = pl.col("message_id") == victim
    assert observed.filter(mine).height > calm.filter(mine).height
    assert distinct(observed.filter(mine)) == distinct(calm.filter(mine))
    assert same(observed.filter(~mine), calm.filter(~mine))


@pytest.mark.parametrize("hours", [-3, 3], ids=["slow by 3 h", "fast by 3 h"])
def test_a_clock_that_disagrees_loses_nothing(bench, hours):
    now = bench.at_usual_time([ORDINARY])
    observed = bench.pull([ORDINARY], now=now + timedelta(hours=hours))
    assert bench.ids([ORDINARY]) <= set(observed["message_id"])
