"""The suppression list of the simulated company: held against the truth, exported, revealed."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sms_etl.clean_base.reveal import Question, reveal
from sms_etl.clean_base.steps import lift_suppression, rebuild_suppressions, suppression_list
from sms_etl.cli import app
from sms_etl.errors import ConfigError
from sms_etl.messages.phones import pseudonyms
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.store.audit import Lift, lifts, reveals
from tests.pipeline.company import DAYS, NOW

KEY_VARIABLE = "SMS_ETL_PSEUDONYM_KEY"
WHY = "Complaint 17 of 3 November"


@pytest.fixture(autouse=True)
def settings(company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands are those of this company, whichever others run beside it."""
    monkeypatch.setenv("SMS_ETL_CONFIG", str(company.project.settings.path))


@pytest.fixture(scope="module")
def listed(company) -> pl.DataFrame:
    rebuild_suppressions(company.project, DAYS)
    return suppression_list(company.project, NOW)


@pytest.fixture(scope="module")
def truth(company) -> pl.DataFrame:
    key = company.project.settings.project.pseudonym_key.get().encode()
    truth = company.truth.filter(
        pl.col("e164" if "e164" in company.truth else "recipient").is_not_null()
    )
    return truth.with_columns(person=pseudonyms(truth["recipient"], key))


def test_everybody_whose_number_is_dead_and_nobody_else_is_listed_for_it(truth, listed) -> None:
    """TurboSMS tells of no reason, so only those written to through the other two are known."""
    told = truth.filter(pl.col("way").is_in(["twilio", "gateway"]))
    for outcome, rule in (("dead_number", "no_such_number"), ("landline", "not_mobile")):
        true = set(told.filter(outcome=outcome)["person"])

        assert len(true) > 5
        assert set(listed.filter(rule=rule)["recipient"]) == true


def test_rebuilding_gives_the_same_rows(company, listed) -> None:
    before = company.project.lake.scan(SUPPRESSIONS).collect()
    for day in DAYS[10:13]:
        rebuild_suppressions(company.project, [day])
    after = company.project.lake.scan(SUPPRESSIONS).collect()

    keys = ["day", "source", "recipient", "rule"]
    assert after.sort(keys).equals(before.sort(keys))


def test_the_command_line_makes_the_same_rows(company, listed) -> None:
    before = company.project.lake.scan(SUPPRESSIONS).collect().height
    arguments = ["clean-base", "--from", str(DAYS[0]), "--to", str(DAYS[-1])]
    done = CliRunner().invoke(app, arguments)

    assert done.exit_code == 0, done.output
    assert f"suppressions: {before} grounds" in done.output


def test_the_export_names_the_companys_own_contacts(company, listed, truth, tmp_path: Path) -> None:
    out = tmp_path / "list.csv"
    done = CliRunner().invoke(app, ["suppression", "export", "--out", str(out)])

    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    mine = dict(truth.select("person", "contact_id").iter_rows())
    named = [row for row in rows if row["contact_id"]]
    assert len(named) > len(rows) / 2
    assert all(mine[row["recipient"]] == row["contact_id"] for row in named)
    assert "+380" not in out.read_text("utf-8-sig")


def test_a_number_is_shown_for_a_reason_and_the_question_is_kept(company, listed, truth) -> None:
    person = listed.filter(rule="no_such_number")["recipient"][0]
    number = dict(truth.select("person", "recipient").iter_rows())[person]
    before = len(reveals(company.project.warehouse))

    done = CliRunner().invoke(app, ["reveal", person, "--why", WHY, "--who", "olena"])

    assert done.output.strip() == number
    asked, shown = reveals(company.project.warehouse)[before:]
    assert (asked.outcome, shown.outcome) == ("asked", "shown")
    assert (shown.who, shown.why, shown.recipient) == ("olena", WHY, person)


@pytest.mark.parametrize("why", ["", "   ", "x"])
def test_without_a_reason_nothing_is_shown_or_looked_up(company, listed, why: str) -> None:
    before = len(reveals(company.project.warehouse))

    with pytest.raises(ConfigError, match="why"):
        reveal(company.project, Question(listed["recipient"][0], "olena", why))
    assert len(reveals(company.project.warehouse)) == before


def test_without_the_key_or_with_another_one_nothing_is_shown(
    company, listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(listed["recipient"][0], "olena", WHY)
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(ConfigError, match=KEY_VARIABLE):
        reveal(company.project, question)
    monkeypatch.setenv(KEY_VARIABLE, "another key of this length")
    with pytest.raises(ConfigError, match="key"):
        reveal(company.project, question)


def test_a_question_without_an_answer_is_kept_too(company, listed) -> None:
    assert reveal(company.project, Question("0" * 64, "olena", WHY)) is None
    assert reveals(company.project.warehouse)[-1].outcome == "not_found"


def test_a_lift_takes_a_person_off_from_then_on(company, listed) -> None:
    person = listed.filter(rule="no_such_number")["recipient"][-1]
    lift = Lift(person, "no_such_number", NOW, "list_owner", "olena", "Called back from it")
    lift_suppression(company.project, lift)

    off = suppression_list(company.project, NOW)
    assert person not in off.filter(rule="no_such_number")["recipient"].to_list()
    assert lift in lifts(company.project.warehouse)
    with pytest.raises(ConfigError, match="not on the list"):
        lift_suppression(company.project, lift)


def test_only_who_may_lifts_and_only_with_a_reason(company, listed) -> None:
    person = listed["recipient"][0]
    with pytest.raises(ConfigError, match="person's own new wish"):
        lift_suppression(
            company.project, Lift(person, "opted_out", NOW, "list_owner", "olena", "We want to")
        )
    with pytest.raises(ConfigError, match="Say why"):
        lift_suppression(
            company.project, Lift(person, "no_such_number", NOW, "list_owner", "olena", "")
        )
