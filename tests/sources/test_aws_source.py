"""AWS sources against scripted answers: what boto3 would hide, and what only AWS does."""

import gzip
import json
import logging
import sys
from datetime import UTC, date, datetime

import pytest

from sms_etl.errors import ConfigError, PermanentSourceError, TransientSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.aws_eum import AwsEum, AwsEumSettings, records_of
from sms_etl.sources.aws_sns import AwsSns, AwsSnsSettings
from sms_etl.sources.base import PullContext
from tests.sources.conftest import KYIV
from tests.sources.scripted_server import Reply

DAY = date(2026, 6, 10)
NOW = datetime(2026, 6, 14, tzinfo=UTC)
GROUP = "/sms/events"
SECRET = "a secret that nobody may see"
SAMPLING = """<GetSMSAttributesResponse><GetSMSAttributesResult><attributes><entry>
<key>DeliveryStatusSuccessSamplingRate</key><value>{}</value></entry></attributes>
</GetSMSAttributesResult></GetSMSAttributesResponse>"""
DENIED = """<ErrorResponse><Error><Code>AuthorizationError</Code><Message>not authorized</Message>
</Error></ErrorResponse>"""
EVENT = {
    "eventType": "TEXT_DELIVERED", "eventTimestamp": 1781078406000, "isFinal": True,
    "originationPhoneNumber": "Shop", "destinationPhoneNumber": "+380671234567", "mcc": "255",
    "mnc": "03", "messageId": "m-1", "messageRequestTimestamp": 1781078400000,
    "context": {"campaign": "spring"}, "totalMessageParts": 1, "totalMessagePrice": 0.085,
}  # fmt: skip


@pytest.fixture
def keys(server, monkeypatch):
    """Settings that all have, and their secrets."""
    monkeypatch.setenv("AWS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET", SECRET)
    return {
        "region": "eu-central-1",
        "access_key_id": "AWS_KEY_ID",
        "secret_access_key": "AWS_SECRET",
        "base_url": server.url,
        "requests_per_second": 1000,
    }


@pytest.fixture
def eum(keys):
    def make(**changes):
        block = {"kind": "aws_eum", "log_groups": [GROUP], **keys, **changes}
        return AwsEum("shop", AwsEumSettings.model_validate(block))

    return make


@pytest.fixture
def sns(keys):
    block = {"kind": "aws_sns", "log_groups": [GROUP], **keys}
    return AwsSns("shop", AwsSnsSettings.model_validate(block))


def pull(source):
    plans = list(source.plan([DAY], PullContext(KYIV, NOW, OUTBOX.empty())))
    return [page for plan in plans for page in plan.pages]


def found(*messages, **more):
    return Reply.of({"events": [{"message": text} for text in messages], **more})


def refused(code, status=400, **headers):
    return Reply.of({"__type": code, "message": "no"}, status=status, headers=headers)


class TestPages:
    def test_an_empty_page_with_a_token_is_not_the_end(self, eum, server):
        server.script = [found(nextToken="1"), found("{}", nextToken="2"), found(nextToken="3"),
                         found("{}")]  # fmt: skip
        assert [page.records for page in pull(eum())] == [1, 1]
        asked = [json.loads(request.body) for request in server.asked]
        assert [body.get("nextToken") for body in asked] == [None, "1", "2", "3"]

    def test_the_log_is_searched_from_a_minute_before_the_day_to_four_days_after_it(
        self, eum, server
    ):
        server.script = [found()]
        pull(eum())
        (asked,) = (json.loads(request.body) for request in server.asked)
        start, end = (
            datetime.fromtimestamp(asked[k] / 1000, UTC) for k in ("startTime", "endTime")
        )
        assert start == datetime(2026, 6, 9, 20, 59, tzinfo=UTC)
        assert end == datetime(2026, 6, 14, 20, 59, 59, 999000, tzinfo=UTC)

    def test_a_token_that_comes_again_is_refused(self, eum, server):
        server.otherwise = lambda asked: found("{}", nextToken="same")
        with pytest.raises(PermanentSourceError, match="same nextToken"):
            pull(eum())

    def test_a_record_is_one_line_however_it_was_written(self, eum, server, land):
        server.script = [found(json.dumps(EVENT, indent=2), json.dumps(EVENT))]
        source = eum(campaign_key="campaign")
        (page,) = pages = pull(source)
        assert [json.loads(line) for line in page.body.splitlines()] == [EVENT, EVENT]
        row = source.read(land(pages)).collect().row(0, named=True)
        assert (row["campaign"], row["mcc_mnc"], row["channel"]) == ("spring", "25503", "sms")
        assert row["done_at"] == datetime(2026, 6, 10, 8, 0, 6, tzinfo=UTC)

    def test_an_event_that_is_not_the_last_has_no_final_time(self, eum, server, land):
        event = EVENT | {"eventType": "TEXT_SUCCESSFUL", "isFinal": False}
        server.script = [found(json.dumps(event))]
        source = eum()
        row = source.read(land(pull(source))).collect().row(0, named=True)
        assert (row["status"], row["done_at"], row["campaign"]) == ("TEXT_SUCCESSFUL", None, None)
        assert row["updated_at"] == datetime(2026, 6, 10, 8, 0, 6, tzinfo=UTC)


class TestErrors:
    def test_json_cut_short_is_asked_for_again(self, eum, server, naps):
        """boto3 makes an answer without events of it, which would be an empty day."""
        server.script = [Reply(b'{"events": [{"mess'), found("{}")]
        (page,) = pull(eum())
        assert (page.records, page.meta["retries"], len(naps)) == (1, "1", 1)

    def test_throttling_beyond_the_budget_is_for_the_next_run(self, eum, server):
        server.otherwise = lambda asked: refused("ThrottlingException")
        with pytest.raises(TransientSourceError, match=r"ThrottlingException.*next run"):
            pull(eum(retry_budget_seconds=0))

    @pytest.mark.parametrize(
        ("code", "mend"),
        [
            ("AccessDeniedException", "Give this user or role the right"),
            ("UnrecognizedClientException", "Check the access key in the environment"),
            ("ResourceNotFoundException", "Check region, log_groups and bucket"),
        ],
    )
    def test_a_refusal_says_how_to_mend_it_without_the_secret(self, eum, server, code, mend):
        server.otherwise = lambda asked: refused(code)
        with pytest.raises(PermanentSourceError, match=mend) as caught:
            pull(eum())
        assert SECRET not in str(caught.value)
        (line,) = eum().check()
        assert (line.ok, mend in line.mend) == (False, True)

    def test_boto3_that_is_not_installed_is_told_by_the_name_of_the_extra(self, eum, monkeypatch):
        monkeypatch.setitem(sys.modules, "boto3", None)
        with pytest.raises(ConfigError, match=r"pip install 'sms-etl\[aws\]'"):
            pull(eum())

    def test_a_machine_without_credentials_is_told_where_to_put_them(
        self, eum, monkeypatch, tmp_path
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        with pytest.raises(PermanentSourceError, match="Name access_key_id"):
            pull(eum(access_key_id=None, secret_access_key=None))


class TestSampling:
    def test_without_the_right_to_look_the_pull_goes_on_and_says_so(self, sns, server, caplog):
        server.script = [Reply(DENIED.encode(), 403), found("{}")]
        with caplog.at_level(logging.WARNING):
            assert len(pull(sns)) == 1
        assert "make sure that DeliveryStatusSuccessSamplingRate is 100" in caplog.text

    def test_a_rate_that_was_never_set_means_all(self, sns, server):
        empty = SAMPLING.format("").replace("<entry>", "").split("<key>")[0]
        body = empty + "</attributes></GetSMSAttributesResult></GetSMSAttributesResponse>"
        server.script = [Reply(body.encode()), found("{}")]
        assert len(pull(sns)) == 1

    def test_a_lower_rate_is_refused_by_the_check_as_well(self, sns, server):
        server.script = [Reply(SAMPLING.format("50").encode())]
        (line,) = sns.check()
        assert not line.ok
        assert "only 50 %" in line.mend


class TestSns:
    def test_the_reason_is_read_of_failures_only(self, sns, server, land):
        delivery = {"destination": "+380671234567", "priceInUSD": 0.00645, "mcc": 255, "mnc": 3,
                    "numberOfMessageParts": 1, "dwellTimeMsUntilDeviceAck": 4200}  # fmt: skip
        logs = [
            {
                "notification": {
                    "messageId": f"m-{status}",
                    "timestamp": "2026-06-10 08:00:00.123",
                },
                "delivery": {**delivery, "providerResponse": text},
                "status": status,
            }
            for status, text in (("SUCCESS", "Delivered"), ("FAILURE", "Invalid phone number"))
        ]
        server.script = [Reply(SAMPLING.format("100").encode()), found(*map(json.dumps, logs))]
        good, bad = sns.read(land(pull(sns))).collect().iter_rows(named=True)
        assert (good["status"], good["code"]) == ("SUCCESS", None)
        assert (bad["status"], bad["code"]) == ("FAILURE", "Invalid phone number")
        assert good["created_at"] == datetime(2026, 6, 10, 8, 0, 0, 123000, tzinfo=UTC)
        assert good["done_at"] == datetime(2026, 6, 10, 8, 0, 4, 323000, tzinfo=UTC)
        assert (good["cost_micro"], good["currency"], good["parts_billed"]) == (6450, "USD", 1)


class TestObjects:
    @pytest.mark.parametrize(
        ("text", "records"),
        [
            ('{"a": 1}\n{"a": 2}\n', ['{"a": 1}', '{"a": 2}']),
            ('{"a": 1}{"a": 2}', ['{"a": 1}', '{"a": 2}']),
            ('{"a": "}{"} {"a": {}}\n\n{"a": 3}', ['{"a": "}{"}', '{"a": {}}', '{"a": 3}']),
            ('{"a": 1}{"a": 2', ['{"a": 1}', '{"a": 2']),
            ("", []),
        ],
        ids=["lines", "side by side", "braces in a text", "cut short", "nothing"],
    )
    def test_records_are_taken_apart_and_left_as_they_are(self, text, records):
        assert records_of(text) == records

    def test_a_packed_object_that_is_broken_is_named(self, eum, server):
        listing = (
            "<ListBucketResult><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
            "<Contents><Key>2026/06/09/21/shop.gz</Key></Contents></ListBucketResult>"
        )
        broken = gzip.compress(b"{}")[:-6]
        server.script = [Reply(listing.encode()), Reply(broken)]
        with pytest.raises(PermanentSourceError, match=r"object 2026/06/09/21/shop\.gz"):
            pull(eum(log_groups=[], bucket="shop"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bucket": "shop"}, "either 'log_groups' or 'bucket'"),
        ({"log_groups": []}, "either 'log_groups' or 'bucket'"),
        ({"secret_access_key": None}, "both access_key_id and secret_access_key"),
        ({"base_url": "http://aws.example"}, "only https"),
    ],
)
def test_settings_that_cannot_work_are_refused(eum, changes, told):
    with pytest.raises(ValueError, match=told):
        eum(**changes)
