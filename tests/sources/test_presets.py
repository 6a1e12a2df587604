"""Exports without identifiers and stored callbacks, read by the presets that come with them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sms_etl.dictionaries import load_dictionary
from sms_etl.errors import ConfigError, PermanentSourceError
from sms_etl.messages.build import Recipe, build_messages
from sms_etl.model.schemas import OUTBOX
from sms_etl.sandbox import WorldParameters, build_world
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.files import outbox_at
from sms_etl.sandbox.lifecycle import seen_at
from sms_etl.sandbox.stored import DELIVERED, EXPIRED, REFUSED, UNKNOWN, kind_of, write_alphasms
from sms_etl.sandbox.stored import write_callbacks as write_all_callbacks
from sms_etl.sources.base import PullContext
from sms_etl.sources.presets import presets
from sms_etl.sources.registry import SOURCE_KINDS, make_source

KYIV = ZoneInfo("Europe/Kyiv")
KEY = "a key of the tests"


@pytest.fixture(scope="module")
def world():
    return build_world(WorldParameters(messages=1_500))


@pytest.fixture(scope="module")
def now(world):
    return world.parameters.end + timedelta(days=4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SMS_ETL_PSEUDONYM_KEY", KEY)
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def read(tmp_path, land, folder, now):
    """What a preset makes of the files of the folder: OBSERVATIONS and the pull's days."""

    def of(preset, **changes):
        block = {"kind": "drop_folder", "folder": "in", "preset": preset, **changes}
        settings = SOURCE_KINDS["drop_folder"].model_validate(block)
        source = make_source("dropped", settings, tmp_path)
        plans = list(source.plan([], PullContext(KYIV, now, OUTBOX.empty())))
        pages = [page for plan in plans for page in plan.pages]
        found = source.read(land(pages)).collect()
        assert found["malformed"].null_count() == found.height
        assert found.height == sum(page.records for page in pages)
        return found, plans

    return of


def true_rows(world, now, way):
    rows = seen_at(world.by_way[way], now)
    kinds = [kind_of(row) for row in rows.iter_rows(named=True)]
    return rows.with_columns(kind=pl.Series(kinds, dtype=pl.String))


class TestAnExportWithoutIdentifiers:
    def test_every_row_is_a_message_with_its_number_time_status_and_price(
        self, world, now, folder, read
    ):
        write_alphasms(world, now, folder / "report.xlsx")
        found, _ = read("alphasms_xlsx")
        truth = true_rows(world, now, Way.CABINET)
        assert found["message_id"].is_unique().all()
        assert found["created_at"].to_list() == truth["submitted_at"].dt.truncate("1s").to_list()
        assert found["done_at"].null_count() == truth["done_at"].null_count()
        assert found["parts_billed"].to_list() == truth["parts"].to_list()
        cost = (truth["part_micro"] * truth["parts"]).to_list()
        assert found["cost_micro"].to_list() == cost
        words = set(load_dictionary("alphasms_json").statuses["key"])
        assert set(found["status"].str.to_lowercase()) <= words

    def test_a_later_export_gives_the_same_messages_the_same_identifiers(
        self, world, now, folder, read
    ):
        middle = world.parameters.start + (world.parameters.end - world.parameters.start) / 2
        write_alphasms(world, middle, folder / "a.xlsx")
        early, _ = read("alphasms_xlsx")
        (folder / "a.xlsx").unlink()
        write_alphasms(world, now, folder / "b.xlsx")
        late, _ = read("alphasms_xlsx")
        assert 0 < early.height < late.height
        assert early["message_id"].to_list() == late["message_id"].head(early.height).to_list()

    def test_rows_alike_in_one_file_are_kept_apart_and_folded_from_file_to_file(self, folder, read):
        heading = "Phone number,Status,Sender ID,Beginning,End,Number of SMS,Price\n"
        row = "380671234567,{},Shop,05.03.2025 10:00:00,,1,1.2\n"
        other = "380671234568,Sent,Shop,05.03.2025 10:00:00,,1,1.2\n"
        (folder / "a.csv").write_text(heading + row.format("Sent") + other + row.format("Sent"))
        (folder / "b.csv").write_text(heading + row.format("Delivered") * 2 + other)
        found, _ = read("alphasms_xlsx")
        assert found.height == 6
        assert found["message_id"].n_unique() == 3
        assert set(found.head(3)["message_id"]) == set(found.tail(3)["message_id"])

    def test_a_number_is_in_the_identifier_as_a_keyed_hash_only(self, folder, read, monkeypatch):
        text = "Phone number,Status,Sender ID,Beginning,End,Number of SMS,Price\n"
        text += "+380 67 123-45-67,Sent,Shop,05.03.2025 10:00:00,,1,1.2\n"
        (folder / "a.csv").write_text(text)
        (one,) = read("alphasms_xlsx")[0]["message_id"]
        (folder / "a.csv").write_text(text.replace("+380 67 123-45-67", "380671234567"))
        assert read("alphasms_xlsx")[0]["message_id"].to_list() == [one]
        assert "671234567" not in one
        assert one.startswith("20250305T080000Z-")
        monkeypatch.setenv("SMS_ETL_PSEUDONYM_KEY", "another key")
        assert read("alphasms_xlsx")[0]["message_id"].to_list() != [one]

    def test_a_row_without_a_number_has_no_identifier(self, folder, read):
        text = "Phone number,Status,Sender ID,Beginning,End,Number of SMS,Price\n"
        (folder / "a.csv").write_text(text + ",Sent,Shop,05.03.2025 10:00:00,,1,1.2\n")
        assert read("alphasms_xlsx")[0]["message_id"].to_list() == [None]


CLASSES = {
    "africastalking": {DELIVERED: "delivered", REFUSED: "rejected"},
    "gms": {DELIVERED: "delivered"},
    "smsapi": {DELIVERED: "delivered", REFUSED: "rejected", UNKNOWN: "unknown"},
}
"""What the final words of a provider can say; all else that is done is failed."""
FILES = {"africastalking": "*.ndjson", "gms": "*.ndjson.gz", "smsapi": "*.ndjson"}


class TestStoredCallbacks:
    @pytest.fixture
    def stored(self, world, now, folder, read):
        """The callbacks of one provider, read."""

        def of(provider):
            write_all_callbacks(world, now, folder)
            for path in folder.iterdir():
                if not path.name.startswith(provider):
                    path.unlink()
            return read(f"{provider}_callbacks")

        return of

    @pytest.mark.parametrize("provider", CLASSES)
    def test_the_callbacks_of_a_message_are_folded_to_what_became_of_it(
        self, world, now, stored, provider
    ):
        observed, (plan,) = stored(provider)
        truth = true_rows(world, now, Way.TURBOSMS)
        called = truth.filter(pl.col("sent_at").is_not_null() | pl.col("done_at").is_not_null())
        assert observed.height > observed["message_id"].n_unique() == called.height
        built = built_of(world, now, observed, plan, provider)
        assert built.quarantine.is_empty()
        assert built.unmapped.is_empty()
        both = called.join(built.messages, on="message_id", suffix="_read")
        assert both.height == built.messages.height == called.height
        for row in both.iter_rows(named=True):
            silent = "unknown" if row["kind"] is None else "failed"
            assert row["status_class"] == CLASSES[provider].get(row["kind"], silent)
            assert row["submitted_at_read"] == row["submitted_at"]
        told = both.filter(pl.col("kind") == EXPIRED)["done_at_read"]
        assert told.len() > 0
        off = (both["done_at_read"] - both["done_at"]).abs().drop_nulls()
        assert off.max() <= timedelta(seconds=1)

    def test_a_callback_of_gms_tells_the_channel_and_how_many_parts_arrived(self, folder, read):
        line = (
            '{"number": "380961111111", "time": 1477417294667, "status": 3, "substatus": 35, '
            '"hyber_status": 35015, "message_id": "9f60ac8f", "extra_id": "AD-6640-7006", '
            '"sent_via": "sms", "total_sms_parts": 3, "delivered_sms_parts": 2}\n'
        )
        by_viber = '{"message_id": "8a3ff6c5", "time": 1477417299050, "sent_via": "viber"}\n'
        (folder / "gms.ndjson").write_text(line + by_viber)
        observed, _ = read("gms_callbacks")
        said = ("message_id", "channel", "parts_billed", "parts_arrived")
        assert observed.select(said).rows() == [
            ("9f60ac8f", "sms", 3, 2),
            ("8a3ff6c5", "viber", None, None),
        ]

    def test_a_file_covers_the_days_before_its_callbacks(self, folder, read):
        line = '{"id": "A1", "status": "Success", "received_at": "2025-03-08T10:00:00+00:00"}\n'
        (folder / "a.ndjson").write_text(line)
        _, (plan,) = read("africastalking_callbacks")
        assert (str(plan.first_day), str(plan.last_day)) == ("2025-03-04", "2025-03-08")

    def test_a_callback_that_is_no_json_is_a_malformed_row(self, tmp_path, folder, land, now):
        good = '{"id": "A1", "status": "Success", "received_at": "2025-03-08T10:00:00+00:00"}\n'
        (folder / "a.ndjson").write_text(good + "status=Success&id=A2\n")
        block = {"kind": "drop_folder", "folder": "in", "preset": "africastalking_callbacks"}
        source = make_source("x", SOURCE_KINDS["drop_folder"].model_validate(block), tmp_path)
        (plan,) = source.plan([], PullContext(KYIV, now, OUTBOX.empty()))
        found = source.read(land(list(plan.pages))).collect()
        assert found["message_id"].to_list() == ["A1", None]
        assert found["malformed"].is_null().to_list() == [True, False]


def built_of(world, now, observed, plan, provider):
    """Messages of all days, with the outbox for the times of submission."""
    rows = outbox_at(world, now).filter(pl.col("source") == "turbosms")
    outbox = pl.concat([OUTBOX.empty(), rows], how="diagonal_relaxed")
    days = pl.date_range(plan.first_day, plan.last_day, eager=True).to_list()
    pulls = pl.DataFrame(
        [("pull-1", plan.first_day, plan.last_day, observed.height)],
        schema={
            "pull": pl.String, "first_day": pl.Date, "last_day": pl.Date, "records": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    recipe = Recipe(
        source="stored", provider=provider, dictionary=load_dictionary(provider), rules=(),
        tariff=(), zone=KYIV, home_country="UA", silence_hours=72, pseudonym_key=b"key",
    )  # fmt: skip
    return build_messages(observed.lazy(), outbox.lazy(), pulls, days, recipe)


class TestPresets:
    @pytest.mark.parametrize("name", presets())
    def test_every_preset_is_whole_and_says_where_it_is_from(self, name):
        assert presets()[name]["source"]
        block = {"kind": "drop_folder", "folder": "in", "preset": name}
        settings = SOURCE_KINDS["drop_folder"].model_validate(block)
        known = set(load_dictionary(settings.provider).statuses["key"])
        assert {word.lower() for word in settings.status_words.values()} <= known

    def test_what_is_given_goes_before_the_preset_key_by_key(self):
        settings = SOURCE_KINDS["drop_folder"].model_validate(
            {
                "kind": "drop_folder", "folder": "in", "preset": "alphasms_xlsx",
                "time_zone": "UTC", "columns": {"recipient": "Номер"},
            }
        )  # fmt: skip
        assert settings.time_zone == "UTC"
        assert settings.columns["recipient"] == "Номер"
        assert settings.columns["status"] == "Status"

    def test_an_unknown_preset_names_the_known_ones(self):
        block = {"kind": "drop_folder", "folder": "in", "preset": "sms"}
        with pytest.raises(ValueError, match="alphasms_xlsx, africastalking_callbacks"):
            SOURCE_KINDS["drop_folder"].model_validate(block)

    def test_a_heading_that_is_not_there_is_told_with_those_that_are(self, folder, read):
        (folder / "a.csv").write_text("Телефон,Status\n380671234567,Sent\n")
        with pytest.raises(PermanentSourceError, match=r"no column 'Phone number'.*'Телефон'"):
            read("alphasms_xlsx")

    def test_the_key_of_made_identifiers_is_asked_for_by_name(self, folder, read, monkeypatch):
        text = "Phone number,Status,Sender ID,Beginning,End,Number of SMS,Price\n"
        (folder / "a.csv").write_text(text + "380671234567,Sent,Shop,05.03.2025 10:00:00,,1,1.2\n")
        monkeypatch.delenv("SMS_ETL_PSEUDONYM_KEY")
        with pytest.raises(ConfigError, match="SMS_ETL_PSEUDONYM_KEY is not set"):
            read("alphasms_xlsx")


def test_a_time_of_change_may_decide_the_day_of_files_only():
    block = {
        "kind": "sql", "url": "sqlite:///x", "table": "t", "time_zone": "UTC",
        "time_column": "updated_at",
        "columns": {"message_id": "a", "status": "b", "updated_at": "c"},
    }  # fmt: skip
    with pytest.raises(ValueError, match="time_column must be one of: created_at, sent_at"):
        SOURCE_KINDS["sql"].model_validate(block)
