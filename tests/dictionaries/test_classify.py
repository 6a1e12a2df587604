"""Status words and codes of each provider, to class and reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.dictionaries import classify, load_dictionary, reasons
from sms_etl.dictionaries.classify import ADDED
from sms_etl.model.vocabulary import StatusClass

PULLED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SILENCE_HOURS = 72
SCHEMA = {
    "id": pl.Int64,
    "status": pl.String,
    "code": pl.String,
    "submitted_at": pl.Datetime("us", "UTC"),
    "pulled_at": pl.Datetime("us", "UTC"),
}


def observed(rows: list[tuple[str | None, str | None, float | None]]) -> pl.LazyFrame:
    """Rows of status word, code, and age in hours."""
    return pl.LazyFrame(
        [
            (
                number,
                status,
                code,
                None if age is None else PULLED_AT - timedelta(hours=age),
                PULLED_AT,
            )
            for number, (status, code, age) in enumerate(rows)
        ],
        schema=SCHEMA,
        orient="row",
    )


def classified(provider: str, rows: list[tuple[str | None, str | None, float | None]]):
    frame = classify(
        observed(rows),
        load_dictionary(provider),
        now_column="pulled_at",
        silence_hours=SILENCE_HOURS,
    )
    return frame.collect(engine="streaming").sort("id")


def outcome(provider: str, status: str | None, code: str | None = None, age: float = 1) -> tuple:
    return classified(provider, [(status, code, age)]).row(0, named=True)


@pytest.mark.parametrize(
    ("provider", "status", "code", "expected"),
    [
        ("twilio", "delivered", None, ("delivered", True, None, "unstated")),
        ("twilio", "read", None, ("delivered", True, None, "handset")),
        ("twilio", "sent", None, ("pending", False, None, "none")),
        ("twilio", "queued", None, ("pending", False, None, "none")),
        ("twilio", "undelivered", "30003", ("failed", True, "unreachable_handset", "none")),
        ("twilio", "undelivered", "30007", ("failed", True, "spam_filtered_content", "none")),
        ("twilio", "undelivered", None, ("failed", True, "not_stated", "none")),
        ("twilio", "failed", "21610", ("rejected", True, "opted_out", "none")),
        ("twilio", "failed", "30453", ("rejected", True, "fraud_or_pumping", "none")),
        ("twilio", "canceled", None, ("rejected", True, "canceled", "none")),
        ("twilio", "partially_delivered", None, ("unknown", False, "not_stated", "none")),
        ("turbosms", "Delivered", "0", ("delivered", True, None, "unstated")),
        ("turbosms", "Undelivered", "0", ("failed", True, "not_stated", "none")),
        ("turbosms", "Expired", "0", ("failed", True, "expired_ttl", "none")),
        ("turbosms", "In Queue", None, ("pending", False, None, "none")),
        ("turbosms", None, None, ("pending", False, None, "none")),
        ("turbosms", None, "800", ("pending", False, None, "none")),
        ("turbosms", None, "404", ("rejected", True, "opted_out", "none")),
        ("turbosms", "", "406", ("rejected", True, "geo_permission", "none")),
        ("turbosms", "NOT_ALLOWED_NUMBER_STOPLIST", "404", ("rejected", True, "opted_out", "none")),
        ("turbosms", "NOT_ALLOWED_MESSAGE_ID", "414", ("unknown", False, "no_receipt", "none")),
        ("turbosms", "NOT_ALLOWED_MESSAGE_ID", "404", ("unknown", False, "unknown_status", "none")),
        ("turbosms", None, "414", ("unknown", False, "no_receipt", "none")),
        ("turbosms", "REJECTD", "46", ("rejected", True, "opted_out", "none")),
        ("turbosms", "UNKNOWN", "0", ("unknown", True, "not_stated", "none")),
        ("smpp", "DELIVRD", "000", ("delivered", True, None, "handset")),
        ("smpp", "ACCEPTD", "000", ("pending", False, None, "none")),
        ("smpp", "ENROUTE", None, ("pending", False, None, "none")),
        ("smpp", "EXPIRED", "000", ("failed", True, "expired_ttl", "none")),
        ("smpp", "EXPIRED", "4ff", ("failed", True, "expired_ttl", "none")),
        ("smpp", "UNDELIV", "001", ("failed", True, "unknown_code", "none")),
        ("smpp", "UNDELIV", "000", ("failed", True, "not_stated", "none")),
        ("smpp", "REJECTD", None, ("rejected", True, "not_stated", "none")),
        ("smpp", "UNKNOWN", "000", ("unknown", True, "not_stated", "none")),
        ("smpp", "ESME_ROK", None, ("pending", False, None, "none")),
        ("smpp", "ESME_RINVDSTADR", None, ("rejected", True, "invalid_number", "none")),
        ("smpp", None, None, ("unknown", False, "unknown_status", "none")),
        ("smpp_map", "UNDELIV", "001", ("failed", True, "invalid_number", "none")),
        ("smpp_map", "UNDELIV", "027", ("failed", True, "absent_subscriber", "none")),
        ("gammu", "SendingOK", "-1", ("pending", False, None, "none")),
        ("gammu", "SendingOKNoReport", "-1", ("unknown", True, "no_receipt", "none")),
        ("gammu", "DeliveryOK", "0", ("delivered", True, None, "handset")),
        ("gammu", "DeliveryFailed", "70", ("failed", True, "expired_ttl", "none")),
        ("gammu", "DeliveryPending", "34", ("pending", False, None, "none")),
        ("gammu", "SendingError", "-1", ("failed", True, "provider_error", "none")),
        ("gammu", "DeliveryUnknown", None, ("unknown", True, "not_stated", "none")),
    ],
)
def test_golden_rows(provider, status, code, expected):
    row = outcome(provider, status, code)
    assert (row["status_class"], row["final"], row["reason"], row["receipt"]) == expected


@pytest.mark.parametrize("written", ["DELIVRD", "delivrd", " Delivrd ", "\tDELIVRD\n"])
def test_status_words_are_compared_without_case_and_blanks(written):
    assert outcome("smpp", written)["status_class"] == "delivered"


def test_an_unknown_word_is_loud_and_never_delivered_or_failed():
    row = outcome("twilio", "teleported", "30005")
    assert row["status_class"] == "unknown"
    assert row["reason"] == "unknown_status"
    assert row["final"] is False
    assert row["status_known"] is False
    assert row["code_known"] is True


def test_an_unknown_code_is_loud():
    row = outcome("twilio", "undelivered", "30999")
    assert (row["reason"], row["code_known"], row["status_known"]) == ("unknown_code", False, True)


def test_a_message_without_a_code_has_nothing_unknown():
    assert outcome("twilio", "undelivered")["code_known"] is True


def test_permanence_and_mender_come_from_the_code_before_the_reason():
    trial = outcome("twilio", "failed", "21608")
    assert (trial["reason"], trial["permanence"]) == ("account_problem", "permanent")
    defaults = reasons().row(by_predicate=pl.col("reason") == "expired_ttl", named=True)
    expired = outcome("smpp", "EXPIRED")
    assert expired["permanence"] == defaults["permanence"]
    assert expired["mender"] == defaults["mender"]


@pytest.mark.parametrize(
    ("age", "status_class", "reason"),
    [(71.9, "pending", None), (72, "pending", None), (72.1, "unknown", "no_receipt")],
)
def test_a_message_pending_for_too_long_has_lost_its_receipt(age, status_class, reason):
    row = outcome("twilio", "sent", age=age)
    assert (row["status_class"], row["reason"], row["final"]) == (status_class, reason, False)


def test_silence_does_not_touch_a_final_state():
    assert outcome("twilio", "delivered", age=1000)["status_class"] == "delivered"
    assert outcome("twilio", "undelivered", "30003", age=1000)["status_class"] == "failed"


def test_without_a_submit_time_a_message_stays_pending():
    [row] = classified("twilio", [("sent", None, None)]).to_dicts()
    assert row["status_class"] == "pending"


def test_the_plan_streams_from_end_to_end():
    frame = classify(
        observed([("sent", None, 1)]),
        load_dictionary("twilio"),
        now_column="pulled_at",
        silence_hours=SILENCE_HOURS,
    )
    plan = frame.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    assert "equi-join" in plan
    assert "columnar-function" not in plan
    assert "in-memory-map" not in plan


def test_only_the_promised_columns_are_added():
    rows = classified("twilio", [("sent", None, 1)])
    assert set(rows.columns) == {*SCHEMA, *ADDED}
    assert {name: rows.schema[name] for name in ADDED} == ADDED


WORDS = st.sampled_from(
    [
        *("DELIVRD", "UNDELIV", "expired", " Rejected", "Sent", "UNKNOWN", "Queued"),
        *("INVALID_PHONE", "teleported", "", None),
    ]
)
CODES = st.sampled_from(["0", "404", "046", "414", "800", "305", "7777", "", None])
ROWS = st.lists(st.tuples(WORDS, CODES, st.sampled_from([1.0, 100.0, None])), max_size=30)


@given(ROWS)
@settings(deadline=None, max_examples=60)
def test_every_row_is_kept_and_classified_by_the_written_rules(rows):
    result = classified("turbosms", rows)
    assert result["id"].to_list() == list(range(len(rows)))
    for given_row, row in zip(rows, result.iter_rows(named=True), strict=True):
        expected = by_the_written_rules(*given_row)
        assert {name: row[name] for name in expected} == expected, given_row


def by_the_written_rules(status: str | None, code: str | None, age: float | None) -> dict[str, Any]:
    """The rules again, one row at a time, from the rows of the same files."""
    dictionary = load_dictionary("turbosms")
    statuses = {row["word"].lower(): row for row in dictionary.statuses.to_dicts()}
    codes = {row["code"]: row for row in dictionary.codes.to_dicts()}
    word = (status or "").strip().lower()
    said = codes.get((code or "").lstrip("0") or ("0" if code else ""))
    code_unread = bool(code) and said is None
    only_named = bool(said and said["name"]) and word == said["name"].lower()
    if (not word or only_named) and said and said["class_alone"]:
        entry = {"class": said["class_alone"], "receipt": "none", "reason": said["reason"]}
        entry["final"] = said["class_alone"] in {"failed", "rejected"}
    else:
        entry = statuses.get(word or "(no status)")
    known = entry is not None
    entry = entry or {
        "class": "unknown",
        "final": False,
        "receipt": "none",
        "reason": "unknown_status",
    }
    status_class, final, reason = entry["class"], entry["final"], entry["reason"]
    if status_class == "failed" and (said or {}).get("reason") == "no_receipt":
        status_class, reason = "unknown", "no_receipt"
    elif status_class == "pending" and age is not None and age > SILENCE_HOURS:
        status_class, final, reason = "unknown", False, "no_receipt"
    elif status_class in {"failed", "rejected"}:
        reason = (said or {}).get("reason") or reason
        reason = reason or ("unknown_code" if code_unread else "not_stated")
    elif status_class == "unknown":
        reason = reason or "no_receipt"
    else:
        reason = None
    return {
        "status_class": status_class,
        "final": final,
        "reason": reason,
        "receipt": entry["receipt"],
        "status_known": known,
        "code_known": not code_unread,
    }


@given(ROWS, st.sampled_from(["gammu", "smpp", "smpp_map", "twilio"]))
@settings(deadline=None, max_examples=60)
def test_the_laws_of_the_canonical_table_hold_for_any_words(rows, provider):
    result = classified(provider, rows)
    assert result.height == len(rows)
    assert set(result["status_class"]) <= {word.value for word in StatusClass}
    settled = result["status_class"].is_in(["delivered", "pending"])
    assert (result["reason"].is_null() == settled).all()
    assert (result["permanence"].is_null() == result["reason"].is_null()).all()
    assert (result["mender"].is_null() == result["reason"].is_null()).all()
    assert ((result["receipt"] == "none") == (result["status_class"] != "delivered")).all()
    unread = result.filter(~pl.col("status_known"))
    assert set(unread["reason"]) <= {"unknown_status"}
