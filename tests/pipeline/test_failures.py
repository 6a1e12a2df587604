"""What goes wrong says what it is, loses nothing, and does not stop the other source."""

from datetime import date

import polars as pl
import pytest

from sms_etl.config.settings import Language, ReportKind
from sms_etl.errors import ConfigError, PermanentSourceError, StoreError, TransientSourceError
from sms_etl.model.schemas import CONSERVATION, MESSAGES, QUARANTINE
from sms_etl.pipeline import land_outbox, land_source, rebuild_cube, rebuild_messages
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, figures_of

DAY = date(2026, 10, 20)


def fates(company, source):
    account = company.project.lake.scan(CONSERVATION, DAY, DAY, [source]).collect()
    return {
        (fate, reason): records
        for fate, reason, records in account.select("fate", "reason", "records").iter_rows()
    }


def twilio_ids(company):
    local = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    own = company.truth.filter((pl.col("way") == "twilio") & (local == DAY))
    return own["message_id"].to_list()


def test_a_wrong_password_is_a_sentence_and_never_shown(fresh_company, monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong-secret-word")

    with pytest.raises(PermanentSourceError) as refused:
        land_source(fresh_company.project, "twilio", [DAY])

    assert "twilio" in str(refused.value)
    assert "wrong-secret-word" not in str(refused.value)
    assert fresh_company.project.landing.manifests("twilio", [DAY]) == []


def test_a_missing_secret_names_its_variable(fresh_company, monkeypatch):
    monkeypatch.delenv("TURBOSMS_TOKEN")
    land_outbox(fresh_company.project, [DAY])

    with pytest.raises(ConfigError, match="TURBOSMS_TOKEN is not set"):
        land_source(fresh_company.project, "turbosms", [DAY])


def test_an_unreachable_host_is_transient(fresh_company):
    path = fresh_company.folder / "sms_etl.toml"
    text = path.read_text("utf-8").replace(fresh_company.sandbox.base_url, "http://127.0.0.1:9")
    path.write_text(
        text.replace('kind = "twilio"', 'kind = "twilio"\nretry_budget_seconds = 0.5'), "utf-8"
    )

    with pytest.raises(TransientSourceError, match="cannot be reached"):
        land_source(Project.open(path), "twilio", [DAY])


@pytest.mark.parametrize(
    "faults",
    [
        {"cut": 2},
        {"truncated": 2},
        {"server_errors": 2},
        {"rate_limited": 2, "retry_after": 0},
        {"rate_limited": 1, "retry_after": None},
    ],
    ids=["cut", "truncated", "500", "429", "429 without Retry-After"],
)
def test_a_passing_fault_loses_nothing(fresh_company, faults):
    fresh_company.sandbox.set_faults(**faults)

    land_source(fresh_company.project, "twilio", [DAY])
    rebuild_messages(fresh_company.project, "twilio", [DAY])

    messages = fresh_company.project.lake.scan(MESSAGES, DAY, DAY, ["twilio"]).collect()
    assert set(messages["message_id"]) == set(twilio_ids(fresh_company))


def test_a_record_with_nonsense_in_it_is_set_aside_and_the_others_are_not(fresh_company):
    spoilt, *rest = twilio_ids(fresh_company)
    fresh_company.sandbox.set_faults(nonsense=[spoilt])

    land_source(fresh_company.project, "twilio", [DAY])
    rebuild_messages(fresh_company.project, "twilio", [DAY])

    project = fresh_company.project
    messages = project.lake.scan(MESSAGES, DAY, DAY, ["twilio"]).collect()
    quarantine = project.lake.scan(QUARANTINE, DAY, DAY, ["twilio"]).collect()
    assert set(messages["message_id"]) == set(rest)
    assert len(quarantine) >= 1
    manifests = project.landing.manifests("twilio", [DAY])
    assert set(quarantine["pull"]) <= {manifest.pull for manifest in manifests}


def test_a_word_nobody_knows_is_unknown_and_listed(fresh_company):
    first = twilio_ids(fresh_company)[0]
    fresh_company.sandbox.set_faults(status_words={first: "teleported"})

    land_source(fresh_company.project, "twilio", [DAY])
    (account,) = rebuild_messages(fresh_company.project, "twilio", [DAY])

    assert account.unmapped == {"teleported": 1}
    assert account.classes["unknown"] >= 1


def test_an_empty_day_is_an_account_of_nothing(fresh_company):
    before_the_first_message = date(2026, 9, 1)
    land_outbox(fresh_company.project, [before_the_first_message])
    for name in fresh_company.project.source_names:
        land_source(fresh_company.project, name, [before_the_first_message])
        (account,) = rebuild_messages(fresh_company.project, name, [before_the_first_message])
        assert (account.records, account.messages) == (0, 0)
        assert rebuild_cube(fresh_company.project, name, [before_the_first_message]).messages == {
            before_the_first_message: 0
        }


def test_a_folder_that_cannot_be_written_is_named(fresh_company):
    fresh_company.project.landing.root.parent.mkdir(parents=True)
    fresh_company.project.landing.root.write_text("a file where the folder should be")

    with pytest.raises(StoreError, match="landing"):
        land_source(fresh_company.project, "twilio", [DAY])


def test_a_provider_asked_by_id_is_asked_only_until_the_status_is_final(fresh_company):
    project = fresh_company.project
    land_outbox(project, [DAY])
    land_source(project, "turbosms", [DAY])
    (account,) = rebuild_messages(project, "turbosms", [DAY])
    final = project.lake.scan(MESSAGES, DAY, DAY, ["turbosms"]).collect()["final"].sum()

    (again,) = land_source(project, "turbosms", [DAY])

    assert final > 0
    assert again.records == account.messages - final


def test_a_day_that_was_rebuilt_but_never_pulled_is_missing_and_not_quiet(fresh_company):
    project = fresh_company.project
    rebuild_messages(project, "twilio", [DAY])
    rebuild_cube(project, "twilio", [DAY])
    order = ReportOrder(ReportKind.PERIOD, None, DAY, DAY, "Europe/Kyiv", Language.ENGLISH)

    states = {state.source: state for state in figures_of(project, order).sources}

    assert states["twilio"].missing_days == (DAY,)
