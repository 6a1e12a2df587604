"""What the dictionaries cover is listed in docs/dictionaries.md, and every source has one."""

import re

import pytest
from typer.testing import CliRunner

from sms_etl.cli import app
from sms_etl.dictionaries import dictionary_names, load_dictionary
from sms_etl.dictionaries.coverage import PAGE, page
from sms_etl.errors import ConfigError
from sms_etl.sources.registry import SOURCES, dictionary_name, source_class


def test_the_page_of_dictionaries_is_current():
    assert PAGE.read_text("utf-8") == page(), "run: python -m sms_etl.dictionaries.coverage"


@pytest.mark.parametrize("name", dictionary_names())
def test_every_word_and_code_is_on_the_page(name):
    section = page().split(f"\n## {name}\n")[1].split("\n## ")[0]
    listed = re.findall(r"`(.+?)`(?=\*?(?:, |\n|$))", section)
    dictionary = load_dictionary(name)
    assert sorted(listed) == sorted([*dictionary.statuses["word"], *dictionary.codes["code"]])


@pytest.mark.parametrize("kind", [k for k in SOURCES if source_class(k).lists_messages])
def test_a_kind_of_source_names_its_dictionary(kind):
    assert load_dictionary(dictionary_name(kind)).statuses.height > 0


def test_other_words_are_names_of_dictionaries_themselves():
    assert dictionary_name("alphasms") == "alphasms_json"
    assert dictionary_name("kannel_map") == "kannel_map"
    with pytest.raises(ConfigError, match="no dictionary for provider 'shlink'"):
        load_dictionary(dictionary_name("shlink"))


def test_the_command_explains_a_code_in_both_languages_and_takes_kinds_of_sources():
    code = CliRunner().invoke(app, ["dictionary", "twilio", "30003"])
    assert "Phone off, out of coverage or full" in code.output
    assert "Телефон вимкнено, поза мережею або переповнено" in code.output
    word = CliRunner().invoke(app, ["dictionary", "jasmin", "DELIVRD"])
    assert re.search(r"status class +delivered", word.output)


def test_the_command_says_where_what_is_known_is_listed():
    refused = CliRunner().invoke(app, ["dictionary", "alphasms", "martian"])
    assert refused.exit_code == 1
    assert "The dictionary of alphasms_json has no 'martian'" in refused.output
