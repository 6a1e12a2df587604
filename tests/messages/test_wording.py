"""What a text says without being kept: template, links, how to refuse."""

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.messages.letters import letter_facts
from sms_etl.messages.text import text_facts
from sms_etl.messages.wording import masked, without_telling_digits, wording_facts
from tests.messages.observations import build, observation

ONE = "Олено, осінній розпродаж у Промінь: знижки до 50% на техніку. Деталі: https://promin.ua/a1"
SAME = "Тарас, осінній розпродаж у Промінь: знижки до 70% на техніку. Деталі: https://promin.ua/zz"
OTHER = "Тарас, літній розпродаж у Промінь: знижки до 70% на техніку. Деталі: https://promin.ua/zz"


def facts(*texts, wordings=()):
    series = pl.Series("text", texts, dtype=pl.String)
    found = wording_facts(series, wordings, b"key")
    return series.to_frame().join(found, on="text", how="left", maintain_order="left")


def test_texts_that_differ_in_name_number_and_link_are_one_template():
    one, same, other = facts(ONE, SAME, OTHER)["template"]
    assert one == same != other


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("{{first_name}}, your code is 4821.", "@, your code is 0."),
        ("Hi Mary Ann, 12 % off till 30.11.2026!", "@, 0 % off till 0!"),
        ("Dear  Olena,\nsee bit.ly/x7", "@, see @"),
        ("Ваш код чекає Олену Коваль тут", "Ваш код чекає @ тут"),
        ("Знижки чекають. Приходьте!", "Знижки чекають. Приходьте!"),
        ("Марія! Ваші 300 балів", "@! Ваші 0 балів"),
    ],
)
def test_a_mask_hides_what_is_personal(text, template):
    assert pl.select(masked(pl.lit(text))).item() == template


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("no link here", 0),
        ("https://a.example/x and www.b.example", 2),
        ("see promin.ua/sale or promin.com.ua", 2),
        ("промінь.укр не лінк, а HTTPS://A.example/1 лінк", 1),
        ("Зміна о 10.30 на вул.Київська", 0),
    ],
)
def test_links_are_counted(text, links):
    assert facts(text)["links"].to_list() == [links]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Знижки! Відмова: STOP на 7575", True),
        ("Sale. Reply STOP to opt out", True),
        ("Акція. Відписатися: https://promin.ua/u", True),
        ("Акція. ВIДПИCАТИCЯ: 7575", True),
        ("Sale! Txt STOP2END 4 no more", True),
        ("Non-stop розпродаж", False),
        ("Замовлення готове", False),
    ],
)
def test_wording_of_refusal_is_found_in_whole_words(text, says):
    assert facts(text)["opt_out_wording"].to_list() == [says]


def test_own_wordings_are_added_to_the_known_ones():
    assert facts("Досить? Пишіть ГОДІ.", wordings=("пишіть годі",))["opt_out_wording"].item()


def test_a_message_carries_what_the_outbox_and_its_text_tell():
    outbox = [
        {
            "message_id": "SM1", "contact_id": "C7", "contact_source": "shop", "purpose": "Promo",
            "template": "sale_v2", "campaign": "sale",
        },
        {"message_id": "SM2", "campaign": "codes"},
    ]  # fmt: skip
    told, plain, unknown = build(
        observation("SM1", text=ONE),
        observation("SM2", text=SAME, record=1),
        observation("SM3", text=None, recipient=None, record=2),
        outbox=outbox,
        purposes={"codes": "transactional"},
    ).messages.to_dicts()

    assert [told[name] for name in ("contact_source", "purpose", "template", "links")] == [
        "shop", "marketing", "sale_v2", 1,
    ]  # fmt: skip
    assert told["contact"] is not None
    assert told["contact"] != told["recipient"]
    assert told["number_prefix"] == "3806712"
    assert (plain["contact"], plain["contact_source"], plain["purpose"]) == (
        None, "unknown", "transactional",
    )  # fmt: skip
    assert len(plain["template"]) == 16
    nothing = ("template", "links", "opt_out_wording", "number_prefix")
    assert [unknown[name] for name in nothing] == [None] * 4
    assert unknown["purpose"] == "unknown"


_DIGIT_PLACES = re.compile("[0-9]")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["12", "3", "STOP 2 END", "stop at 77", "{code9}", "promin.ua/x5", "Олена,", " ", ". ",
             "50 %", "30.11", "%m4%", "ʼ", "—", "[", "№7", "²", "١", "www.a7.example", "Ціна!"]
        ),
        max_size=9,
    ).map("".join)
)  # fmt: skip
def test_which_digits_a_text_has_changes_no_fact_of_it(text):
    wordings = ("stop at 77",)
    [even] = pl.select(without_telling_digits(pl.lit(text), wordings)).to_series()
    assert even == _DIGIT_PLACES.sub(lambda d: d[0] if d[0] in "27" else "0", text)
    texts = pl.Series([text, even])
    said = wording_facts(texts, wordings, b"key")
    costs = text_facts(texts)
    spelt = costs.join(letter_facts(costs), on="text", how="left").drop("text")
    assert said.drop("text").n_unique() == 1
    assert spelt.n_unique() == 1
