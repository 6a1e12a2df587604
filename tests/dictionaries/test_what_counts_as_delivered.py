"""Laws of all dictionaries: what may be read as delivered, as failed, and as neither.

Each list is written by hand from the providers' documents, apart from the files it judges.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sms_etl.dictionaries import classify, load_dictionary
from sms_etl.dictionaries.dictionary import NO_STATUS, dictionary_names

NAMES = dictionary_names()
PULLED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)

ARRIVED = re.compile(
    r"deliver(ed|yok)|delivrd|read|seen|viewed|replied|доставлено|dlr 1|success|"
    r"(text|media|rcs)_(delivered|read)|ok_delivered|delivered_to_handset"
)
"""Words that say a message arrived."""

TAKEN_BY_THE_OPERATOR = {
    "infobip": {"delivered_to_operator"},
    "aws_sns": {"success"},
    "aws_eum": {"text_successful", "media_successful"},
}
"""Final successes that prove no more than that the operator took the message."""

ARRIVED_AS_WRITTEN = {
    "smsc": {"1", "2", "4"},
    "playsms": {"3"},
    "gms": {"2"},
    "clicksend": {"sent/201", "completed/201"},
}
"""Where a word is a number, or a pair with the code 'received on handset'."""

ON_ITS_WAY = re.compile(
    r"accept|acptd|acked|queue|enqueu|(?<!ab)sent|send|submit|buff|en ?route|routing|dispatch|"
    r"schedul|pending|waiting|progress|process|created|reserved|rok$|^new$|отправ|mt$|draft|renewal"
)
"""Words of the way there."""

ENDED_ON_THE_WAY = re.compile(r"not.?sent|fail|error|reject|discard|invalid|not_sent")
"""Of these the words that say the way ended: 'REJECTED Send SMS', 'SendingError'."""

NOT_OF_A_MESSAGE = {"esme_rinvexpiry", "rejected_prepaid_package_expired"}
"""A parameter that is wrong and an account out of date: what expired is no message."""

NO_RECEIPT_CAME = [
    ("messagebird", "expired (DLR not received)", None),
    ("messagebird", "expired", "DLR not received"),
    ("infobip", "EXPIRED_DLR_UNKNOWN", None),
    ("vonage", "expired (no receipt in 72 hours)", "1"),
    ("vonage", "unknown", None),
    ("telnyx", "dlr_timeout", None),
    ("telnyx", "dlr_unconfirmed", None),
    ("telnyx", "delivery_unconfirmed", None),
    ("sinch", "Unknown", None),
    ("clicksend", "Failed/301", "20"),
    ("smsc", "20", "245"),
    ("gammu", "SendingOKNoReport", "-1"),
    ("gatewayapi", "ACCEPTED", None),
    ("aws_eum", "TEXT_UNKNOWN", None),
]
"""The provider stopped waiting, or heard nothing that can be read."""

EXPIRED_ON_THE_WAY = [
    ("vonage", "expired", None),
    ("infobip", "EXPIRED_EXPIRED", None),
    ("aws_eum", "TEXT_TTL_EXPIRED", None),
    ("turbosms", "Expired", None),
    ("turbosms_sql", "EXPIRED", None),
    ("smpp", "EXPIRED", None),
    ("kannel", "EXPIRED SMS", None),
    ("mobizon", "EXPIRED", None),
    ("bird", "expired", None),
    ("messagebird", "expired", None),
    ("sinch", "Expired", "406"),
    ("telnyx", "failed", "40005"),
    ("gammu", "DeliveryFailed", "70"),
]
"""A receipt, or the queue it never left, says that it will not arrive."""


def outcome(provider: str, status: str | None, code: str | None = None) -> dict:
    row = {"status": status, "code": code, "submitted_at": PULLED_AT - timedelta(hours=1)}
    schema = {"status": pl.String, "code": pl.String, "submitted_at": pl.Datetime("us", "UTC")}
    seen = pl.LazyFrame([row], schema=schema).with_columns(pulled_at=pl.lit(PULLED_AT))
    found = classify(
        seen, load_dictionary(provider), now_column="pulled_at", silence_hours=72.0
    ).collect()
    return found.row(0, named=True)


def words_of(provider: str) -> list[dict]:
    return load_dictionary(provider).statuses.filter(pl.col("word") != NO_STATUS).to_dicts()


@pytest.mark.parametrize("provider", NAMES)
def test_only_a_word_of_arrival_is_delivered(provider):
    at_operator = TAKEN_BY_THE_OPERATOR.get(provider, set())
    written = ARRIVED_AS_WRITTEN.get(provider, set())
    for row in words_of(provider):
        if row["class"] != "delivered":
            continue
        word = row["key"]
        if word in at_operator:
            assert row["receipt"] == "operator", word
        else:
            assert word in written or ARRIVED.fullmatch(word), word
            assert row["receipt"] in {"handset", "unstated"}, word


@pytest.mark.parametrize("provider", NAMES)
def test_accepted_queued_sent_and_buffered_are_never_success(provider):
    for row in words_of(provider):
        word = row["key"]
        if not ON_ITS_WAY.search(word) or word in ARRIVED_AS_WRITTEN.get(provider, set()):
            continue
        assert row["class"] != "delivered", word
        if not ENDED_ON_THE_WAY.search(word) and word != "sendingoknoreport":
            assert row["class"] in {"pending", "unknown"}, word


@pytest.mark.parametrize("provider", NAMES)
def test_no_code_makes_a_message_delivered(provider):
    assert "delivered" not in load_dictionary(provider).codes["class_alone"].to_list()


@pytest.mark.parametrize("provider", NAMES)
def test_a_word_or_code_of_expiry_is_never_delivered_nor_waits(provider):
    dictionary = load_dictionary(provider)
    for row in words_of(provider):
        expiry = re.search(r"expir|timeout|просроч|no receipt|dlr not", row["key"])
        if expiry and row["key"] not in NOT_OF_A_MESSAGE:
            assert row["class"] in {"failed", "unknown"}, row["word"]
            assert row["final"], row["word"]
    no_receipt = dictionary.codes.filter(pl.col("reason") == "no_receipt")["code"].to_list()
    failed = [row["word"] for row in words_of(provider) if row["class"] == "failed"]
    for code in no_receipt if failed else ():
        found = outcome(provider, failed[0], code)
        assert (found["status_class"], found["reason"]) == ("unknown", "no_receipt")


@pytest.mark.parametrize(("provider", "status", "code"), NO_RECEIPT_CAME)
def test_an_expiry_that_the_provider_made_is_unknown(provider, status, code):
    found = outcome(provider, status, code)
    assert (found["status_class"], found["reason"]) == ("unknown", "no_receipt")
    assert found["status_known"]
    assert found["code_known"]


@pytest.mark.parametrize(("provider", "status", "code"), EXPIRED_ON_THE_WAY)
def test_an_expiry_that_was_reported_is_failed(provider, status, code):
    found = outcome(provider, status, code)
    assert (found["status_class"], found["final"], found["reason"]) == (
        "failed",
        True,
        "expired_ttl",
    )


@pytest.mark.parametrize("word", ["DLR_EXPIRED", "delivery-receipt-expired", "NO DLR"])
@pytest.mark.parametrize("provider", NAMES)
def test_a_word_of_expiry_that_nobody_mapped_is_loud_and_unknown(provider, word):
    found = outcome(provider, word)
    assert (found["status_class"], found["reason"]) == ("unknown", "unknown_status")
