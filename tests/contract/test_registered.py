"""Everything a new source needs is there: facts, dictionary, simulated provider, contract case."""

import dataclasses

import pytest

from sms_etl.dictionaries import load_dictionary
from sms_etl.sandbox.case import kinds
from sms_etl.sandbox.provider import ProviderApi, missing_words
from sms_etl.sandbox.providers import APIS
from sms_etl.sandbox.registry import api_class
from sms_etl.sources.base import Facts
from sms_etl.sources.catalogue import PAGE, page
from sms_etl.sources.http_source import HttpSource
from sms_etl.sources.registry import SOURCES, source_class

MAY_BE_BLANK = ("to_check", "engagement")
OF_MESSAGES = [kind for kind in SOURCES if source_class(kind).lists_messages]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_states_its_facts(kind):
    source = source_class(kind)
    facts = dataclasses.asdict(source.facts)
    blank = [name for name, text in facts.items() if not text and name not in MAY_BE_BLANK]
    assert blank == []
    assert set(facts) == {field.name for field in dataclasses.fields(Facts)}
    assert not [name for name, text in facts.items() if text.endswith(".")]
    assert source.settings_type.model_fields["kind"].annotation.__args__ == (kind,)


def test_every_source_has_a_contract_case():
    assert set(kinds()) == set(OF_MESSAGES)


@pytest.mark.parametrize(
    "kind", [k for k in OF_MESSAGES if issubclass(source_class(k), HttpSource)]
)
def test_a_source_asked_over_http_has_a_dictionary(kind):
    assert load_dictionary(source_class(kind).provider).statuses.height > 0


@pytest.mark.parametrize("provider", APIS)
def test_a_simulated_provider_has_a_word_for_every_stage_and_outcome(provider):
    api = api_class(provider)
    assert api.name == provider
    if api.lists_messages and api.worded is ProviderApi.worded:
        assert missing_words(api) == []


def test_the_page_of_sources_is_current():
    assert PAGE.read_text("utf-8") == page(), "run: python -m sms_etl.sources.catalogue"
