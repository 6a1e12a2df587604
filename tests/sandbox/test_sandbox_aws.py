"""The AWS sources read another simulated AWS, moto's server, fed with the simulated day."""

from __future__ import annotations

import gzip
from datetime import date, timedelta
from itertools import groupby

import boto3
import polars as pl
import pytest
import requests
from moto.logs import models as moto_logs
from moto.server import ThreadedMotoServer

from sms_etl.dictionaries import load_dictionary
from sms_etl.errors import PermanentSourceError
from sms_etl.messages.build import Recipe, build_messages
from sms_etl.model.schemas import OUTBOX
from sms_etl.sandbox.agree import misread
from sms_etl.sandbox.aws_logs import ACCESS_KEY_ID, REGION
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of
from sms_etl.sources import aws
from sms_etl.sources.aws_eum import AwsEum, AwsEumSettings
from sms_etl.sources.aws_sns import SAMPLING, AwsSns, AwsSnsSettings

DAY = date(2026, 9, 16)
"""The sale and the outage are on this day."""
KEYS = {
    "region": REGION, "access_key_id": "AWS_KEY_ID", "secret_access_key": "AWS_SECRET",
    "retry_budget_seconds": 0, "requests_per_second": 1000,
}  # fmt: skip
BUCKET, PREFIX = "shop-sms", "events/"
SMALL_PAGES = 20


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def connect(moto, monkeypatch):
    """A boto3 client of an AWS with nothing in it."""
    for name, value in (("AWS_KEY_ID", ACCESS_KEY_ID), ("AWS_SECRET", "secret")):
        monkeypatch.setenv(name, value)
    session = boto3.session.Session(ACCESS_KEY_ID, "secret", region_name=REGION)
    requests.post(f"{moto}/moto-api/reset", timeout=10)

    def client(service: str):
        return session.client(service, endpoint_url=moto)

    return client


@pytest.fixture
def bench(sandbox, tmp_path, monkeypatch):
    """The truth of a kind, days after the day; moto's clock is the simulated one."""

    def of(kind: str) -> Bench:
        found = Bench(case_of(kind), sandbox, tmp_path)
        moment = found.at_usual_time([DAY])
        monkeypatch.setattr(moto_logs, "utcnow", lambda: moment.replace(tzinfo=None))
        return found

    return of


def written(bench):
    """Everything that was logged around the day."""
    api, now = bench.sandbox.api(bench.case.kind), bench.sandbox.clock.now()
    start = now - timedelta(days=8)
    return api.written(start, now, now, bench.sandbox.faults.settings())


def log_all(logs, events, groups):
    for group in groups:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        mine = [
            {"timestamp": round(at.timestamp() * 1000), "message": message}
            for at, to, message in events
            if to == group
        ]
        answer = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=mine)
        assert not answer.get("rejectedLogEventsInfo")


def pulled(bench, source):
    pages = [p for plan in source.plan([DAY], bench.context()) for p in plan.pages]
    return pages, bench.read(pages)


def assert_true(bench, observed):
    """Every message of the day is there, and all that the source tells of it is right."""
    truth = bench.truth([DAY])
    assert truth.height > 60
    assert set(truth["message_id"]) <= set(observed["message_id"])
    assert observed["malformed"].null_count() == observed.height
    last = observed.unique("message_id", keep="last", maintain_order=True)
    wrong = {name: misread(truth, last, name) for name in bench.case.tells}
    assert {name: rows.rows() for name, rows in wrong.items() if rows.height} == {}
    both = bench.classed(last).join(truth, on="message_id", suffix="_true")
    assert both.filter(pl.col("status_class").ne_missing(pl.col("class"))).is_empty()
    assert both.height == truth.height


def test_sns_logs_are_read_to_the_last_event_of_both_groups(bench, connect, moto, monkeypatch):
    sns = bench("aws_sns")
    groups = sns.sandbox.api("aws_sns").groups
    log_all(connect("logs"), written(sns), groups)
    monkeypatch.setattr(aws, "MOST_EVENTS", SMALL_PAGES)
    settings = AwsSnsSettings(kind="aws_sns", log_groups=groups, base_url=moto, **KEYS)
    source = AwsSns("shop", settings)
    assert [(line.ok, line.mend) for line in source.check()] == [(True, "")]
    pages, observed = pulled(sns, source)
    assert_true(sns, observed)
    assert len(pages) > 3
    assert {page.meta["log_group"] for page in pages} == set(groups)
    assert sum(page.records for page in pages) == observed.height


def test_a_log_that_leaves_successes_out_is_refused(bench, connect, moto):
    sns = bench("aws_sns")
    groups = sns.sandbox.api("aws_sns").groups
    connect("sns").set_sms_attributes(attributes={SAMPLING: "10"})
    settings = AwsSnsSettings(kind="aws_sns", log_groups=groups, base_url=moto, **KEYS)
    with pytest.raises(PermanentSourceError, match="only 10 % of the successes"):
        pulled(sns, AwsSns("shop", settings))


def test_eum_events_are_read_from_a_log_group(bench, connect, moto):
    eum = bench("aws_eum")
    groups = eum.sandbox.api("aws_eum").groups
    log_all(connect("logs"), written(eum), groups)
    settings = AwsEumSettings(
        kind="aws_eum", log_groups=groups, campaign_key="campaign", base_url=moto, **KEYS
    )
    _, observed = pulled(eum, AwsEum("shop", settings))
    assert_true(eum, observed)


def test_eum_events_are_read_from_the_objects_of_firehose(bench, connect, moto, monkeypatch):
    """Firehose packs records of an hour side by side, with nothing between them."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "7")
    eum = bench("aws_eum")
    s3 = connect("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for hour, events in groupby(written(eum), key=lambda event: f"{event[0]:%Y/%m/%d/%H}"):
        body = "".join(message for _, _, message in events).encode()
        key = f"{PREFIX}{hour}/shop-1-{hour.replace('/', '-')}-00-00.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(body))
    settings = AwsEumSettings(
        kind="aws_eum", bucket=BUCKET, prefix=PREFIX, campaign_key="campaign", base_url=moto, **KEYS
    )
    source = AwsEum("shop", settings)
    assert [line.ok for line in source.check()] == [True]
    pages, observed = pulled(eum, source)
    assert_true(eum, observed)
    assert len(pages) > 20
    assert pages[0].meta["object"].startswith(f"{PREFIX}2026/09/15/")
    assert sum(page.records for page in pages) == observed.height


def test_what_is_not_there_is_told_with_how_to_mend_it(bench, connect, moto):
    sns = bench("aws_sns")
    settings = AwsSnsSettings(kind="aws_sns", log_groups=("no/such",), base_url=moto, **KEYS)
    with pytest.raises(PermanentSourceError, match=r"ResourceNotFound.*may be created empty"):
        pulled(sns, AwsSns("shop", settings))
    settings = AwsEumSettings(kind="aws_eum", bucket="no-such", base_url=moto, **KEYS)
    (line,) = AwsEum("shop", settings).check()
    assert not line.ok
    assert "NoSuchBucket" in line.mend


@pytest.mark.parametrize("kind", ["aws_eum", "aws_sns"])
def test_days_that_look_ahead_hold_every_message_once(bench, monkeypatch, kind):
    """The pull of a day holds receipts of the next days too; they are folded, not counted."""
    aws_bench = bench(kind)
    for name, value in aws_bench.case.secrets(aws_bench.sandbox.accounts).items():
        monkeypatch.setenv(name, value)
    days = [DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)]
    observed = [
        aws_bench.read(list(plan.pages)).with_columns(pull=pl.lit(str(plan.first_day)))
        for plan in aws_bench.source.plan(days, aws_bench.context())
    ]
    pulls = pl.DataFrame(
        [(str(day), day, day, rows.height) for day, rows in zip(days, observed, strict=True)],
        schema={
            "pull": pl.String, "first_day": pl.Date, "last_day": pl.Date, "records": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    recipe = Recipe(
        source="shop", provider=kind, dictionary=load_dictionary(kind), rules=(), tariff=(),
        zone=aws_bench.zone, home_country="UA", silence_hours=72, pseudonym_key=b"key",
    )  # fmt: skip
    built = build_messages(pl.concat(observed).lazy(), OUTBOX.empty().lazy(), pulls, days, recipe)
    for day in days:
        counted = built.messages.filter(pl.col("day") == day)
        assert set(counted["message_id"]) == aws_bench.ids([day])
    account = built.conservation.group_by("reason").agg(pl.col("records").sum())
    folded = dict(account.drop_nulls().iter_rows())
    assert folded["belongs_to_another_day"] > 0
    assert built.quarantine.is_empty()
