"""The packaged dictionaries are whole, and a wrong file says where it is wrong."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import (
    dictionary_names,
    explain,
    load_dictionary,
    reason_labels,
    reasons,
)
from sms_etl.dictionaries.dictionary import read_dictionary
from sms_etl.errors import ConfigError
from sms_etl.model.vocabulary import Mender, Permanence, Reason, Receipt, StatusClass

PROVIDERS = dictionary_names()

# message_enum_status of twilio/twilio-oai spec/json/twilio_api_v2010.json.
TWILIO_STATUSES = {
    *("queued", "sending", "sent", "failed", "delivered", "undelivered", "receiving"),
    *("received", "accepted", "scheduled", "read", "partially_delivered", "canceled"),
}


def words_of(vocabulary) -> set[str]:
    return {word.value for word in vocabulary}


def test_the_providers_of_the_first_release_have_dictionaries():
    assert {"gammu", "smpp", "smpp_map", "turbosms", "twilio"} <= set(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_word_of_a_dictionary_is_of_the_vocabulary(provider):
    dictionary = load_dictionary(provider)
    assert set(dictionary.statuses["class"]) <= words_of(StatusClass)
    assert set(dictionary.statuses["receipt"]) <= words_of(Receipt)
    assert set(dictionary.statuses["reason"].drop_nulls()) <= words_of(Reason)
    assert set(dictionary.codes["reason"].drop_nulls()) <= words_of(Reason)
    assert set(dictionary.codes["permanence"].drop_nulls()) <= words_of(Permanence)
    assert set(dictionary.codes["mender"].drop_nulls()) <= words_of(Mender)
    assert dictionary.statuses.schema["final"] == pl.Boolean
    assert dictionary.codes.schema["stop_writing"] == pl.Boolean


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_dictionary_keeps_the_laws_of_the_classes(provider):
    statuses = load_dictionary(provider).statuses
    settled = statuses.filter(pl.col("class").is_in(["delivered", "failed", "rejected"]))
    assert settled["final"].all()
    assert not statuses.filter(pl.col("class") == "pending")["final"].any()
    assert (
        statuses.filter(pl.col("class").is_in(["delivered", "pending"]))["reason"].is_null().all()
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_code_is_told_in_both_languages_and_says_where_from(provider):
    codes = load_dictionary(provider).codes
    assert codes["meaning_en"].str.contains("[a-z]").all()
    assert codes["meaning_uk"].str.contains("[а-яіїєґ]").all()
    assert (codes["source"].str.len_chars() > 5).all()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_only_the_number_itself_is_a_cause_to_stop_writing(provider):
    stop = load_dictionary(provider).codes.filter("stop_writing")
    assert set(stop["reason"]) <= {
        *("invalid_number", "not_mobile_landline", "blocked_by_recipient", "opted_out"),
    }
    assert set(stop["mender"]) <= {"list"}


def test_twilio_statuses_are_those_of_its_specification():
    assert set(load_dictionary("twilio").statuses["word"]) == TWILIO_STATUSES


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_reason_has_defaults_and_a_label_of_its_own(language):
    assert set(reasons()["reason"]) == words_of(Reason)
    labels = reason_labels(language)
    assert set(labels) == words_of(Reason)
    assert len({label.meaning for label in labels.values()}) == len(Reason)
    assert len({label.advice for label in labels.values()}) == len(Reason)
    assert max(len(label.meaning) for label in labels.values()) <= 40


def test_labels_are_plain():
    assert reason_labels("en")["absent_subscriber"].meaning == "Subscriber unreachable"
    assert reason_labels("uk")["absent_subscriber"].meaning == "Абонент недоступний"


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError, match="'de': write en or uk"):
        reason_labels("de")


def test_a_dictionary_is_read_once_and_has_a_version():
    assert load_dictionary("twilio") is load_dictionary("twilio")
    versions = {load_dictionary(provider).version for provider in PROVIDERS}
    assert len(versions) == len(PROVIDERS)


def test_an_unknown_provider_is_told_which_ones_are_known():
    with pytest.raises(ConfigError, match=r"'pigeon'.*gammu, .*smpp, smpp_map, .*twilio"):
        load_dictionary("pigeon")


def test_the_err_number_of_a_receipt_is_read_only_where_its_table_is_chosen():
    assert explain("smpp", "27") is None
    assert explain("smpp_map", "027").reason == "absent_subscriber"


@pytest.mark.parametrize(
    ("provider", "word", "kind", "reason"),
    [
        ("twilio", "30005", "code", "invalid_number"),
        ("twilio", " CANCELED ", "status", "canceled"),
        ("turbosms", "404", "code", "opted_out"),
        ("turbosms", "expired", "status", "expired_ttl"),
        ("smpp", "EXPIRED", "status", "expired_ttl"),
        ("smpp", "0x0000000b", "code", "invalid_number"),
        ("gammu", "70", "code", "expired_ttl"),
    ],
)
def test_a_word_is_explained(provider, word, kind, reason):
    explanation = explain(provider, word)
    assert (explanation.kind, explanation.reason) == (kind, reason)
    assert explanation.meaning_en
    assert explanation.meaning_uk
    assert explanation.permanence in words_of(Permanence)


def test_a_word_that_is_nowhere_has_no_explanation():
    assert explain("twilio", "99999") is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in (files("sms_etl.dictionaries") / "data").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def write_cell(file: Path, key: str, column: str, value: str) -> int:
    """Change one cell of the row whose first cell is key; the row number as an editor shows it."""
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    [number] = [n for n, row in enumerate(rows, start=2) if next(iter(row.values())) == key]
    rows[number - 2][column] = value
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return number


@pytest.mark.parametrize(
    ("name", "key", "column", "value", "message"),
    [
        ("twilio_status.csv", "sent", "class", "waiting", "'waiting' is not one of delivered"),
        ("twilio_status.csv", "sent", "final", "maybe", "'maybe' is not one of yes, no"),
        ("twilio_status.csv", "failed", "reason", "spam", "'spam' is not one of absent_sub"),
        ("twilio_status.csv", "sent", "source", "", "it is blank"),
        ("twilio_codes.csv", "30005", "permanence", "forever", "'forever' is not one of perm"),
        ("twilio_codes.csv", "30005", "meaning_uk", " ", "it is blank"),
        ("twilio_codes.csv", "30005", "stop_writing", "1", "'1' is not one of yes, no"),
    ],
)
def test_a_wrong_cell_is_named_by_file_row_and_column(folder, name, key, column, value, message):
    number = write_cell(folder / name, key, column, value)
    with pytest.raises(ConfigError, match=f"{name} row {number} column {column}: {message}"):
        read_dictionary(folder, "twilio")


def test_a_word_written_twice_is_refused_whatever_its_case(folder):
    write_cell(folder / "twilio_status.csv", "sent", "word", "QUEUED")
    with pytest.raises(ConfigError, match=r"twilio_status\.csv: key queued is there more than"):
        read_dictionary(folder, "twilio")


def test_a_delivered_word_must_say_how_far_its_proof_reaches(folder):
    write_cell(folder / "twilio_status.csv", "delivered", "receipt", "none")
    with pytest.raises(ConfigError, match="word delivered column receipt"):
        read_dictionary(folder, "twilio")


def test_a_reason_needs_its_permanence(folder):
    write_cell(folder / "twilio_codes.csv", "30005", "permanence", "")
    with pytest.raises(ConfigError, match="code 30005 column permanence"):
        read_dictionary(folder, "twilio")


def test_a_missing_column_is_named(folder):
    file = folder / "twilio_status.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("word,class", "word,klass", 1))
    with pytest.raises(ConfigError, match=r"twilio_status\.csv: the columns are .*klass"):
        read_dictionary(folder, "twilio")


def test_a_row_with_a_stray_comma_is_named(folder):
    file = folder / "twilio_status.csv"
    file.write_text(file.read_text(encoding="utf-8") + "new,pending,no,none,,here,note,more\n")
    with pytest.raises(ConfigError, match=r"twilio_status\.csv row 15: it must have 7 cells"):
        read_dictionary(folder, "twilio")


def test_a_missing_file_is_named(folder):
    (folder / "twilio_codes.csv").unlink()
    with pytest.raises(ConfigError, match=r"twilio_codes\.csv is missing"):
        read_dictionary(folder, "twilio")


def test_any_change_of_a_file_changes_the_version(folder):
    before = read_dictionary(folder, "twilio").version
    assert before == load_dictionary("twilio").version
    write_cell(folder / "twilio_codes.csv", "30005", "meaning_en", "Number gone")
    assert read_dictionary(folder, "twilio").version != before
