"""From `Figures` to the files of an edition: one HTML page, one PDF, the charts of the mail.

A pure function of its inputs: the same figures give the same bytes, in any process, on any day.
Whatever WeasyPrint complains of, and any character our fonts cannot draw, is an error: a report
that is not whole must not reach a reader.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sms_etl.config.settings import Language
from sms_etl.errors import RenderError
from sms_etl.reports import sentences, vega
from sms_etl.reports.attachments import Attached, attachments
from sms_etl.reports.chart_daily import daily
from sms_etl.reports.charts import Chart, vega_chart
from sms_etl.reports.figures import Figures
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import FONTS, TEMPLATES, Words, drawable
from sms_etl.reports.page import frame_values
from sms_etl.reports.sections.section import Section, Values
from sms_etl.reports.style import BLUES, DARK_BLUES, FAMILY, PALETTE
from sms_etl.reports.twin.cube import TwinCube
from sms_etl.reports.twin.page import POLICY_PLACE, Twin, follows, script, twin_of, with_policy

__all__ = ["RenderedReport", "render", "render_html", "typeset"]

PDF_CHILD = Path(__file__).with_name("pdf_child.py")
PDF_CPU_SECONDS = 120
PDF_WALL_SECONDS = 300
PDF_MEMORY_BYTES = 2 * 1024**3
PDF_ENVIRONMENT = (
    "HOME",
    "PYTHONPATH",
    "XDG_CACHE_HOME",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "LD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "TMPDIR",
)
"""Variables the typesetting process inherits: where packages, fonts and temporary files are."""

FAMILY_IN_PDF = FAMILY.replace(" ", "-")

WEIGHTS = {"Regular": 400, "Semibold": 600}
STYLE_SHEETS = {
    "pdf": ("report.css", "pdf.css"),
    "html": ("report.css", "screen.css", "dark.css", "twin.css"),
}
INVISIBLE = frozenset("\n\r\t")


@dataclass(frozen=True)
class RenderedReport:
    """The files of one edition."""

    html: bytes
    pdf: bytes
    chart_png: bytes
    chart_png_mobile: bytes


def render(
    figures: Figures, language: Language, cube: TwinCube | None = None, *, draft: bool = False
) -> RenderedReport:
    """Draw a report in one language; a draft says on every page that it is one.

    With the cube behind it the page can be filtered.

    Raises:
        RenderError: The catalogue lacks something, a character has no glyph, WeasyPrint warned,
            or the typesetting ran out of time or memory.
    """
    words = Words(language)
    sections = _section_values(figures, words)
    chart = _first_chart(sections) or vega_chart(daily, figures, words, "")
    pdf_page = _page("pdf", figures, words, sections, draft=draft)
    return RenderedReport(
        html=_page("html", figures, words, sections, twin_of(figures, words, cube), draft=draft),
        pdf=typeset(pdf_page, attachments(figures, words)),
        chart_png=vega.png(chart.wide),
        chart_png_mobile=vega.png(chart.narrow),
    )


def render_html(
    figures: Figures, language: Language, cube: TwinCube | None = None, *, draft: bool = False
) -> bytes:
    """The web page alone, for a quick look; the same bytes as in `render`."""
    words = Words(language)
    sections = _section_values(figures, words)
    return _page("html", figures, words, sections, twin_of(figures, words, cube), draft=draft)


def _section_values(figures: Figures, words: Words) -> list[tuple[Section, Values]]:
    """Every section that has data, with what it prints: the same for the page and the PDF."""
    printed = kind_of(figures).printed(figures)
    return [(section, section.values(figures, words)) for section in printed]


def _first_chart(sections: Sequence[tuple[Section, Values]]) -> Chart | None:
    """The chart that a mail shows: the first of the report."""
    values = (value for _, printed in sections for value in printed.values())
    return next((value for value in values if isinstance(value, Chart)), None)


def image(svg: str, alt: str, style: str = "") -> Markup:
    """A drawing as an image with its alternative text: what the PDF needs to tag a figure."""
    data = base64.b64encode(svg.encode()).decode()
    return Markup('<img class="{}" alt="{}" src="data:image/svg+xml;base64,{}">').format(
        style, alt, data
    )


def inline(svg: str, alt: str, style: str = "") -> Markup:
    """A drawing inside the page, where it sees the page's fonts and scales with it."""
    without_size = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", svg, count=1)
    opening = Markup('<svg class="{}" role="img" aria-label="{}"').format(style, alt)
    return Markup(without_size.replace("<svg", opening, 1))  # noqa: S704 (drawn by us, escaped)


def font_style(target: str) -> str:
    """The fonts of the package as data URIs: TTF typesets fastest, WOFF2 is smallest."""
    suffix, kind = (".ttf", "truetype") if target == "pdf" else (".woff2", "woff2")
    faces = []
    for name, weight in WEIGHTS.items():
        data = base64.b64encode((FONTS / f"ReportSans-{name}{suffix}").read_bytes()).decode()
        faces.append(
            f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};'
            f'src:url("data:font/{suffix[1:]};base64,{data}") format("{kind}")}}'
        )
    return "".join(faces)


@cache
def _style(target: str) -> Markup:
    """Fonts, palette and style sheets of one target."""
    sheets = "\n".join((TEMPLATES / "styles" / n).read_text() for n in STYLE_SHEETS[target])
    colours = "".join(f"--{name.replace('_', '-')}:{value};" for name, value in PALETTE.items())
    if target == "html":
        sheets += _drawings_follow_the_palette()
    return Markup(f"{font_style(target)}:root{{{colours}}}{sheets}")  # noqa: S704 (files of the package)


def _drawings_follow_the_palette() -> str:
    """Charts have colours of their own; in the dark each becomes that of the style sheet.

    The steps of the heat map are turned round there, so that more stays further from the paper.
    """
    named = {colour: f"var(--{name.replace('_', '-')})" for name, colour in PALETTE.items()}
    named |= {"#fff": "var(--paper)", "white": "var(--paper)"}
    named |= dict(zip(BLUES, DARK_BLUES, strict=True))
    rules = "".join(
        f'svg.chart [fill="{old}"],svg.spark [fill="{old}"]{{fill:{new}}}'
        f'svg.chart [stroke="{old}"],svg.spark [stroke="{old}"]{{stroke:{new}}}'
        f'.swatch[style="background:{old}"]{{background:{new}!important}}'
        for old, new in named.items()
    )
    return f"@media screen and (prefers-color-scheme: dark){{{rules}}}"


def _environment(words: Words, target: str, draw: Callable[..., Markup]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install = environment.install_gettext_translations  # type: ignore[attr-defined]
    install(words.translations, newstyle=True)
    filters: dict[str, Callable[..., Any]] = {
        "rate": partial(sentences.rate_html, words),
        "stacked_rate": partial(sentences.stacked_rate_html, words),
        "count": words.count,
        "label": words.label,
        "draw": draw,
    }
    environment.filters.update(filters)
    environment.globals |= {"target": target, "words": words}
    return environment


def _page(
    target: str,
    figures: Figures,
    words: Words,
    sections: Sequence[tuple[Section, Values]],
    twin: Twin | None = None,
    *,
    draft: bool = False,
) -> bytes:
    environment = _environment(words, target, image if target == "pdf" else inline)
    environment.globals["figures"] = figures
    bodies = [
        (
            follows(section.key),
            Markup(environment.get_template(section.template).render(values)),  # noqa: S704 (escaped)
        )
        for section, values in sections
    ]
    page = environment.get_template("report.html.j2").render(
        style=_style(target),
        sections=bodies,
        draft=draft,
        twin=twin,
        scripts=Markup(script()),  # noqa: S704 (files of the package)
        policy=POLICY_PLACE,
        **frame_values(figures, words),
    )
    _require_glyphs(page)
    return (with_policy(page) if target == "html" else page).encode()


def _require_glyphs(page: str) -> None:
    """Every character of the page must have a glyph in every font of the package."""
    lacking = sorted(set(page) - {chr(code) for code in drawable()} - INVISIBLE)
    if lacking:
        names = ", ".join(f"{char!r} (U+{ord(char):04X})" for char in lacking)
        raise RenderError(
            f"the report's fonts have no glyph for {names}. Names from the data are boxed by "
            "Words.label; a character of a catalogue or template needs a font that has it."
        )


def typeset(
    html: bytes,
    attached: Sequence[Attached] = (),
    seconds: int = PDF_CPU_SECONDS,
    memory: int = PDF_MEMORY_BYTES,
) -> bytes:
    """HTML to PDF in a child process with limits of processor time and memory.

    Raises:
        RenderError: Any warning, a font that is not ours, an overfull page, or a limit reached.
    """
    asked = {"html": html.decode(), "attachments": [one.as_json() for one in attached]}
    command = [sys.executable, "-P", str(PDF_CHILD), FAMILY_IN_PDF, str(seconds), str(memory)]
    try:
        done = subprocess.run(
            command, input=json.dumps(asked).encode(), capture_output=True,
            timeout=PDF_WALL_SECONDS, check=False, env=_child_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"the PDF took longer than {PDF_WALL_SECONDS} s") from error
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode < 0:
        raise RenderError(
            f"typesetting was killed by signal {-done.returncode} (limits: {seconds} s of "
            f"processor, {memory // 1024**2} MiB; signal 11 means a font library is missing): "
            f"{said[-500:]}"
        )
    raise RenderError(f"the PDF was not made without complaint: {said[-2000:]}")


def _child_environment() -> dict[str, str]:
    """What finding fonts and libraries needs, and no secret.

    Without a real PATH, ctypes does not start gcc and ld to look for each library of WeasyPrint.
    """
    kept = {name: os.environ[name] for name in PDF_ENVIRONMENT if name in os.environ}
    return {**kept, "PATH": os.devnull, "PYTHONHASHSEED": "0"}


def typeset_probe() -> bytes:
    """A one-line PDF in the report's own style: shows that the renderer works on this machine.

    Raises:
        RenderError: It does not; the message says why.
    """
    return typeset(
        f'<!doctype html><html lang="uk"><head><title>Проба</title><style>{_style("pdf")}</style>'
        f"</head><body><p>Ґанок ₴</p></body></html>".encode()
    )
