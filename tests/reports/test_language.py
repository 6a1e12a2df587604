"""Numbers, dates and plural forms as a reader sees them."""

import ast
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2.ext import babel_extract

from sms_etl.config.settings import Language
from sms_etl.model.vocabulary import MICRO
from sms_etl.reports.language import LOCALES, NO_GLYPH, TEMPLATES, Words, drawable, printable

UK, EN = Words(Language.UKRAINIAN), Words(Language.ENGLISH)
LIBRARY = Path(__file__).parents[2] / "sms_etl"
NB = "\u00a0"


def test_ukrainian_numbers():
    assert UK.count(1248530) == f"1{NB}248{NB}530"
    assert UK.decimal(-0.3, 1) == "\u22120,3"
    assert UK.decimal(0.04, 1, signed=True) == "0,0"
    assert UK.percent(0.9712) == f"97,1{NB}%"
    assert UK.points(-0.003) == f"\u22120,3{NB}в.{NB}п."
    assert UK.compact(4_631_472) == f"4,63{NB}млн"
    assert UK.money(1_910_000 * MICRO, "UAH") == f"1,91{NB}млн{NB}₴"
    assert UK.price(424_000, "UAH") == f"0,424{NB}₴"


def test_english_numbers():
    assert EN.count(1248530) == "1,248,530"
    assert EN.percent(0.9712) == "97.1%"
    assert EN.points(0.003) == "+0.3 pp"
    assert EN.money(1_910_000 * MICRO, "UAH") == "UAH 1.91M"
    assert EN.money(2_275 * MICRO, "USD") == "$2,275"
    assert EN.price(7_500, "USD") == "$0.00750"


def test_a_zone_is_named_by_its_city():
    assert (UK.zone("Europe/Kyiv"), EN.zone("Europe/Kyiv")) == ("Київ", "Kyiv")
    assert UK.zone("Europe/Warsaw") == "Варшава"
    assert EN.zone("UTC") == "UTC"


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.99996, "99.9%"), (1.0, "100.0%"), (0.00001, "0.1%"), (0.0, "0.0%"), (0.5, "50.0%")],
)
def test_only_all_prints_as_a_hundred_and_only_none_as_zero(share, shown):
    assert EN.percent(share) == shown


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_never_prints_smaller(a, b):
    low, high = sorted((a, b))
    assert float(EN.percent(low)[:-1]) <= float(EN.percent(high)[:-1])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3.24, f"3,2{NB}с"),
        (9.96, f"10{NB}с"),
        (59.7, f"1{NB}хв"),
        (138, f"2{NB}хв 18{NB}с"),
        (3599.6, f"1{NB}год"),
        (11_100, f"3{NB}год 5{NB}хв"),
    ],
)
def test_durations_carry_over(seconds, shown):
    assert UK.duration(seconds) == shown


def test_dates_have_the_right_case_and_say_what_they_share_once():
    assert UK.span(date(2026, 10, 1), date(2026, 10, 31)) == "1–31 жовтня 2026 р."
    assert UK.span(date(2026, 9, 28), date(2026, 10, 4)) == "28 вересня – 4 жовтня 2026 р."
    assert EN.span(date(2026, 12, 28), date(2027, 1, 3)) == "28 December 2026 – 3 January 2027"
    assert UK.span(date(2026, 10, 5), date(2026, 10, 5)) == "5 жовтня 2026 р."
    assert UK.weekdays(full=True)[4] == "п’ятниця"


def test_times_are_those_of_the_zone_across_a_clock_change():
    before = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    after = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert UK.between(before, after, "Europe/Kyiv") == "25 жовтня, 02:30–03:30"
    assert UK.moment(after, "Europe/Kyiv") == "25 жовтня 2026 р., 03:30"


@pytest.mark.parametrize(
    ("n", "form"),
    [
        (1, "1 причина пояснює"),
        (2, "2 причини пояснюють"),
        (5, "5 причин пояснюють"),
        (11, "11 причин пояснюють"),
        (21, "21 причина пояснює"),
        (112, "112 причин пояснюють"),
    ],
)
def test_ukrainian_plural_forms(n, form):
    one, many = "%(n)s reason explains %(share)s %(of)s", "%(n)s reasons explain %(share)s %(of)s"
    assert UK.plural(one, many, n, share="", of="").startswith(form)


def test_names_are_made_drawable_and_nothing_is_lost_in_silence():
    assert printable("Зи\u0306ма\n 🔥  -20%") == f"Зи\u0306ма {NO_GLYPH} -20%".replace(
        "и\u0306", "й"
    )
    assert printable("\u202eabc\x00") == "abc"
    assert printable("п’ять ґанків, Łódź, București") == "п’ять ґанків, Łódź, București"


@given(st.text())
def test_every_name_becomes_drawable(name):
    assert {ord(char) for char in printable(name)} <= drawable()


def test_both_weights_draw_the_whole_ukrainian_alphabet_and_the_signs_we_print():
    letters = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяʼ’"
    signs = "−\u202f\u2009▲▼↑↓≤≥≈Δ₴€$□·×—–«»"
    assert {ord(char) for char in letters + letters.upper() + signs} <= drawable()


def messages_of_the_code() -> set[tuple[str | None, str]]:
    """Every message id used by the modules and templates of reports and mails."""
    found: set[tuple[str | None, str]] = set()
    for path in [*LIBRARY.glob("reports/**/*.py"), *LIBRARY.glob("mail/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            texts = [
                arg.value
                for arg in node.args
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
            if node.func.attr in {"plural", "text"} and texts:
                found.add((None, texts[0]))
            elif node.func.attr in {"_pattern", "_date"}:
                found |= {("format", text) for text in texts}
    for path in TEMPLATES.glob("**/*.j2"):
        with path.open("rb") as file:
            for _, _, message, _ in babel_extract(file, ("_", "ngettext"), (), {}):
                found.add((None, message if isinstance(message, str) else message[0]))
    return found


@pytest.mark.parametrize("language", [x for x in Language if x is not Language.ENGLISH])
def test_a_catalogue_has_every_message_and_no_other(language):
    with (LOCALES / f"{language.value}.po").open("rb") as file:
        catalogue = read_po(file, locale=language.value)
    written = {(m.context, m.id if isinstance(m.id, str) else m.id[0]) for m in catalogue if m.id}
    assert written == messages_of_the_code()
    texts = [
        t for m in catalogue if m.id for t in ([m.string] if m.pluralizable == 0 else m.string)
    ]
    assert all(texts)


def test_a_catalogue_keeps_the_values_of_every_message():
    with (LOCALES / "uk.po").open("rb") as file:
        catalogue = read_po(file, locale="uk")
    for message in catalogue:
        assert not list(message.check(catalogue)), message.id


def test_a_sentence_that_ends_with_an_abbreviation_has_one_full_stop():
    assert UK.text("%(head)s.", head="на 2,7 в. п.") == "на 2,7 в. п."
    assert UK.text("%(head)s", head="далі...") == "далі..."
