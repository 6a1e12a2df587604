"""Words, numbers and dates of a report in one language.

English is the language of the message ids; every other language is one catalogue
`report_templates/locales/<language>.po`. What the catalogue's context `format` holds are
patterns (dates, units, where the percent sign and the currency go), so that a language needs no
code. Number shapes come from CLDR through Babel, with a real minus and no-break spaces.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, get_day_names, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_symbol

from sms_etl.config.settings import Language
from sms_etl.errors import RenderError
from sms_etl.model.vocabulary import MICRO, UNKNOWN_LABEL

TEMPLATES = Path(__file__).resolve().parents[2] / "report_templates"
FONTS = TEMPLATES / "fonts"
LOCALES = TEMPLATES / "locales"

NBSP = "\u00a0"
MINUS = "\u2212"
TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")
NO_GLYPH = "\u25a1"
"""Printed for a character that the report's fonts cannot draw (an emoji in a campaign name)."""

COMPACT_FROM = 1_000_000
"""Counts and sums from here on are printed as millions in headlines."""

SIGNIFICANT_DIGITS_OF_PRICE = 3
MINUTE = 60.0
HOUR = 3600.0


@cache
def _catalogue(language: Language) -> NullTranslations:
    if language is Language.ENGLISH:
        return NullTranslations()
    path = LOCALES / f"{language.value}.po"
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language.value)
    except FileNotFoundError as error:
        raise RenderError(f"no message catalogue for {language.value!r}: add {path}") from error
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def drawable() -> frozenset[int]:
    """Code points that every font of the package can draw."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    maps = [set(TTFont(path, lazy=True).getBestCmap()) for path in sorted(FONTS.glob("*.ttf"))]
    return frozenset(set.intersection(*maps))


def printable(text: str) -> str:
    """A name from outside as the fonts can draw it: composed, one line, no control characters.

    A character without a glyph becomes a box; the report says so (see `Words.boxed`).
    """
    known = drawable()
    composed = unicodedata.normalize("NFC", text)
    visible = (" " if unicodedata.category(c)[0] in "CZ" else c for c in composed)
    shown = (c if ord(c) in known else NO_GLYPH for c in visible)
    return " ".join("".join(shown).split())


def typographic(text: str) -> str:
    """Words of a catalogue or of CLDR with the one apostrophe that this project prints."""
    return re.sub("(?<=\\w)['\u02bc](?=\\w)", "\u2019", text)


class Words:
    """Everything a report says, in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.translations = _catalogue(language)
        try:
            self.locale = Locale.parse(language.value)
        except (UnknownLocaleError, ValueError) as error:
            raise RenderError(f"Babel knows no locale {language.value!r}") from error

    def text(self, message: str, **values: object) -> str:
        """A message of the catalogue with its values filled in."""
        return _ended_once(self.translations.gettext(message) % values)

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """A message with the form that the number asks for; `%(n)s` is the printed number."""
        form = self.translations.ngettext(one, many, n)
        return _ended_once(form % {"n": self.count(n), **values})

    def named(self, context: str, message: str, **values: object) -> str:
        """A message whose meaning depends on its context."""
        return _ended_once(self.translations.pgettext(context, message) % values)

    def _pattern(self, message: str, **values: object) -> str:
        return self.named("format", message, **values)

    # numbers

    def decimal(self, value: float, digits: int = 0, *, signed: bool = False) -> str:
        """A number with a fixed count of decimals, a real minus and no-break group marks."""
        rounded = round(value, digits) + 0.0
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        shown = str(format_decimal(abs(rounded), format=pattern, locale=self.locale))
        sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
        return sign + shown

    def count(self, value: int) -> str:
        """A whole number in full."""
        return self.decimal(value)

    def compact(self, value: float) -> str:
        """A whole number, as millions with two decimals when it is that large."""
        if abs(value) < COMPACT_FROM:
            return self.decimal(value)
        return self._pattern("%(n)sM", n=self.decimal(value / COMPACT_FROM, 2))

    def percent(self, share: float, digits: int = 1) -> str:
        """A share of 0..1 as a percentage; only 0 and 1 print as 0 and 100."""
        step = 10 ** -(digits + 2)
        if 0 < share < 1:
            share = min(max(share, step), 1 - step)
        return self._pattern("%(number)s%%", number=self.decimal(share * 100, digits))

    def percent_plain(self, share: float) -> str:
        """A share somebody chose (a goal): no more decimals than it has, one at most."""
        return self.percent(share, 0 if round(share * 1000) % 10 == 0 else 1)

    def relative(self, ratio: float, digits: int = 1) -> str:
        """A signed relative change: 0.05 is printed as +5.0 percent."""
        return self._pattern("%(number)s%%", number=self.decimal(ratio * 100, digits, signed=True))

    def points(self, difference: float, digits: int = 1, *, signed: bool = True) -> str:
        """A difference of two shares in percentage points."""
        number = self.decimal(difference * 100, digits, signed=signed)
        return self._pattern("%(number)s pp", number=number)

    def _currency(self, amount: str, currency: str) -> str:
        symbol = str(get_currency_symbol(currency, locale=self.locale))
        if symbol.isalpha():
            return self._pattern("%(code)s %(amount)s", code=symbol, amount=amount)
        return self._pattern("%(symbol)s%(amount)s", symbol=symbol, amount=amount)

    def money(self, micro: int, currency: str) -> str:
        """A sum of money given in millionths."""
        amount = micro / MICRO
        if abs(amount) >= COMPACT_FROM:
            return self._currency(self.compact(amount), currency)
        return self._currency(self.decimal(amount, 0 if abs(amount) >= 100 else 2), currency)

    def price(self, micro: int, currency: str) -> str:
        """The price of one message: three significant digits, two decimals at least."""
        amount = micro / MICRO
        exponent = math.floor(math.log10(abs(amount))) if amount else 0
        digits = max(2, SIGNIFICANT_DIGITS_OF_PRICE - 1 - exponent)
        return self._currency(self.decimal(amount, digits), currency)

    def duration(self, seconds: float) -> str:
        """A duration in the two units that matter."""
        if seconds < MINUTE:
            digits = 1 if seconds < 9.95 else 0
            if round(seconds, digits) < MINUTE:
                return self._pattern("%(n)s s", n=self.decimal(seconds, digits))
        if round(seconds) < HOUR:
            minutes, rest = divmod(round(seconds), round(MINUTE))
            big = self._pattern("%(n)s min", n=self.count(minutes))
            return f"{big} {self._pattern('%(n)s s', n=rest)}" if rest else big
        hours, minutes = divmod(round(seconds / MINUTE), round(MINUTE))
        big = self._pattern("%(n)s h", n=self.count(hours))
        return f"{big} {self._pattern('%(n)s min', n=minutes)}" if minutes else big

    def duration_short(self, seconds: float) -> str:
        """A whole number of the largest unit that fits, for an axis."""
        if seconds < MINUTE:
            return self._pattern("%(n)s s", n=self.decimal(seconds))
        if seconds < HOUR:
            return self._pattern("%(n)s min", n=self.decimal(seconds / MINUTE))
        return self._pattern("%(n)s h", n=self.decimal(seconds / HOUR))

    def shapes(self, currencies: Sequence[str]) -> dict[str, Any]:
        """Patterns of numbers and days for a page that prints its own; `{}` stands for the number.

        `months`: a day and its month, from January on; `currencies`: by code.
        """
        symbols = self.decimal(1234.5, 1)
        patterns = {
            "percent": self._pattern("%(number)s%%", number="{}"),
            "million": self._pattern("%(n)sM", n="{}"),
            "seconds": self._pattern("%(n)s s", n="{}"),
            "minutes": self._pattern("%(n)s min", n="{}"),
            "hours": self._pattern("%(n)s h", n="{}"),
        }
        days = [self.day_short(date(2001, month, 28)) for month in range(1, 13)]
        return patterns | {
            "group": symbols[1],
            "decimal": symbols[5],
            "months": [day.replace("28", "{}") for day in days],
            "currencies": {code: self._currency("{}", code) for code in currencies},
        }

    # dates

    def _date(self, day: date, pattern: str) -> str:
        return str(format_date(day, self._pattern(pattern), locale=self.locale))

    def day(self, day: date) -> str:
        """A date in full."""
        return self._date(day, "d MMMM y")

    def day_month(self, day: date) -> str:
        """Day and month."""
        return self._date(day, "d MMMM")

    def day_short(self, day: date) -> str:
        """Day and abbreviated month, for an axis."""
        return self._date(day, "d MMM")

    def span(self, first: date, last: date) -> str:
        """A range of days, with what the two ends share said once."""
        if first == last:
            return self.day(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{self.day(last)}"
        start = self.day_month(first) if first.year == last.year else self.day(first)
        return f"{start} – {self.day(last)}"

    def span_short(self, first: date, last: date) -> str:
        """A range of days inside the report's own period: without the year."""
        if first == last:
            return self.day_month(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{self.day_month(last)}"
        return f"{self.day_month(first)} – {self.day_month(last)}"

    def moment(self, at: datetime, zone: str) -> str:
        """A time in a zone, to the minute."""
        pattern = self._pattern("d MMMM y, HH:mm")
        local = at.astimezone(ZoneInfo(zone))
        return str(format_datetime(local, pattern, locale=self.locale))

    def between(self, start: datetime, end: datetime, zone: str) -> str:
        """Two times in a zone, without the year; the day is said once if it is one."""
        first, last = (at.astimezone(ZoneInfo(zone)) for at in (start, end))
        day_time, time = self._pattern("d MMMM, HH:mm"), self._pattern("HH:mm")
        begin = format_datetime(first, day_time, locale=self.locale)
        if first.date() == last.date():
            return f"{begin}–{format_datetime(last, time, locale=self.locale)}"
        return f"{begin} – {format_datetime(last, day_time, locale=self.locale)}"

    def weekdays(self, *, full: bool = False) -> list[str]:
        """Names from Monday to Sunday, abbreviated unless `full`."""
        if full:
            names = get_day_names("wide", context="stand-alone", locale=self.locale)
            return [typographic(str(names[n])) for n in range(7)]
        names = get_day_names("abbreviated", context="stand-alone", locale=self.locale)
        return [str(names[n]).capitalize() for n in range(7)]

    # names

    def country(self, code: str) -> str:
        """A country by its two-letter code."""
        name = self.locale.territories.get(code)
        return typographic(str(name)) if name else self.label(code)

    def zone(self, name: str) -> str:
        """A time zone by its city: `Kyiv` for `Europe/Kyiv`."""
        city = get_timezone_location(name, locale=self.locale, return_city=True)
        # CLDR knows the Ukrainian name of this city only under the zone's old id.
        return self.text("Kyiv") if city == "Kyiv" else typographic(city)

    def label(self, name: str) -> str:
        """A name from the data, safe to draw; the placeholder for nothing known is translated."""
        if name == UNKNOWN_LABEL or not name.strip():
            return self.text("not known")
        return printable(name)


def _ended_once(sentence: str) -> str:
    """A sentence that ends with an abbreviation ("в. п.") has one full stop, not two."""
    return TWO_STOPS.sub(".", sentence)
