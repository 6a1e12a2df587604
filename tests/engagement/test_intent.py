"""What a reply asks for."""

import polars as pl
import pytest

from sms_etl.engagement.replies import with_intent


def intent_of(text):
    return with_intent(pl.DataFrame({"text": [text]}, schema={"text": pl.String}))["intent"].item()


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " Stop! ", "«Стоп»", "СТОП.", "CТOП", "STОP", "Stop all", "opt-out",
        "Відписатися", "відписка!", "ＳＴＯＰ", "іещз", "arrêt",
    ],
)  # fmt: skip
def test_a_keyword_alone_is_an_opt_out(text):
    assert intent_of(text) == "opt_out"


@pytest.mark.parametrize(
    "text", ["Не зупиняйтесь, stop лише вночі", "stopping", "5", "", "ні", "😀"]
)
def test_a_keyword_within_a_sentence_is_none(text):
    assert intent_of(text) == "other"


@pytest.mark.parametrize(("text", "intent"), [("START", "opt_in"), ("help", "help"), (None, None)])
def test_other_intents(text, intent):
    assert intent_of(text) == intent


def test_own_keywords_go_before_the_known_ones_and_are_compared_like_them():
    asked = pl.DataFrame({"text": ["ГОДІ!", "Годi", "start", "STOP", "годі вже"]})
    read = with_intent(asked, ("годі", "START"))
    assert read["intent"].to_list() == ["opt_out", "opt_out", "opt_out", "opt_out", "other"]


def test_order_and_rows_are_kept():
    texts = ["hi", "STOP", None, "STOP"]
    read = with_intent(pl.DataFrame({"text": texts}))
    assert read["intent"].to_list() == ["other", "opt_out", None, "opt_out"]
    assert read["text"].to_list() == texts
