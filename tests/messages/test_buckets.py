"""A day built in buckets is the day built at once."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks.landed import DAY, SOURCE, land_day, project_in
from sms_etl.errors import ConservationError
from sms_etl.messages.buckets import build_in_buckets
from sms_etl.messages.build import build_messages, placed_records
from sms_etl.model.schemas import OBSERVATIONS, OUTBOX
from sms_etl.pipeline import pull_frame
from sms_etl.store.landing import Landing
from tests.messages.observations import observation, recipe

RECORDS = 3_000
AT_ONCE = 400


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """Observations and pulls of a day of simulated traffic."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMS_ETL_PSEUDONYM_KEY", "a key of the tests")
        patch.setenv("TWILIO_AUTH_TOKEN", "not used")
        project = project_in(tmp_path_factory.mktemp("day"))
        land_day(project, RECORDS)
        landing: Landing = project.landing
        manifests = landing.manifests(SOURCE, [DAY])
        read = project.source(SOURCE).read(landing.pages(manifests)).collect()
    return read, pull_frame(manifests)


def both(observed: pl.DataFrame, pulls: pl.DataFrame):
    given = (observed.lazy(), OUTBOX.empty().lazy(), pulls, [DAY], recipe())
    with build_in_buckets(*given, at_once=AT_ONCE) as large:
        messages = large.messages.collect().sort("day", "submitted_at", "message_id")
    return build_messages(*given), large, messages


def test_a_day_in_buckets_has_the_same_rows(day):
    observed, pulls = day
    spoilt = (pl.col("page") == 2) & (pl.col("record") % 50 == 0)
    neighbours = (pl.col("page") == 1) & (pl.col("record") < 40)
    observed = observed.with_columns(
        created_at=pl.when(~spoilt).then("created_at"),
        status=pl.when(pl.col("record") % 97 == 0).then(pl.lit("odd")).otherwise("status"),
        recipient=pl.when(neighbours)
        .then(pl.format("+38067123{}", pl.col("record") + 1000))
        .otherwise("recipient"),
    )
    at_once, large, messages = both(observed, pulls)
    assert_frame_equal(messages, at_once.messages)
    assert messages["in_number_run"].sum() > 30
    assert (messages["observations"] > 1).any()
    for name in ("quarantine", "conservation", "unmapped"):
        frame = getattr(at_once, name)
        assert not frame.is_empty()
        assert_frame_equal(getattr(large, name), frame)


def test_parts_and_attempts_are_never_torn_apart(day):
    observed, pulls = day
    group = pl.col("record") // 3
    observed = observed.with_columns(
        part_of=pl.when(pl.col("page") == 1).then(pl.format("long-{}", group)),
        order_id=pl.when(pl.col("page") == 2).then(pl.format("order-{}", group)),
    )
    at_once, large, messages = both(observed, pulls)
    assert_frame_equal(messages, at_once.messages)
    assert_frame_equal(large.conservation, at_once.conservation)
    assert at_once.messages.height < 0.6 * RECORDS


def test_a_pull_that_was_not_read_whole_stops_the_build(day):
    observed, pulls = day
    given = (observed.head(RECORDS - 1).lazy(), OUTBOX.empty().lazy(), pulls, [DAY], recipe())
    with pytest.raises(ConservationError), build_in_buckets(*given, at_once=AT_ONCE):
        pass


def test_a_day_without_a_usable_record_is_empty():
    rows = [observation(None, created_at=None) | {"pull": "p"}]
    observed = pl.DataFrame(rows, schema=OBSERVATIONS.schema)
    pulls = pl.DataFrame({"pull": ["p"], "first_day": [DAY], "last_day": [DAY], "records": [1]})
    _, large, messages = both(observed, pulls)
    assert messages.is_empty()
    assert large.quarantine.height == 1


def test_the_way_from_pages_to_buckets_streams(day, tmp_path):
    """No node of the physical plan may hold all columns of all rows."""
    observed, pulls = day
    landed = project_in(tmp_path).source(SOURCE).read([])
    placed = placed_records(observed.lazy(), OUTBOX.empty().lazy(), pulls, [DAY], recipe())
    for plan in (landed, placed):
        assert "columnar-function" not in nodes(plan)
    standard = pl.col("status").replace_strict({"sent": "s"}, default=None)
    assert "columnar-function" in nodes(observed.lazy().with_columns(standard))


def test_the_way_from_buckets_to_the_lake_streams(day):
    observed, pulls = day
    given = (observed.lazy(), OUTBOX.empty().lazy(), pulls, [DAY], recipe())
    with build_in_buckets(*given, at_once=AT_ONCE) as large:
        graph = nodes(large.messages)
        whole = nodes(large.messages.map_batches(lambda rows: rows))
    assert "multi-scan" in graph
    assert "columnar-function" not in graph
    assert "in-memory-map" not in graph
    assert "in-memory-map" in whole, "the name of a step that holds all rows"


def nodes(plan: pl.LazyFrame) -> str:
    graph = plan.show_graph(engine="streaming", plan_stage="physical", raw_output=True, show=False)
    assert graph
    return graph
