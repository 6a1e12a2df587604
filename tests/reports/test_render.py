"""The report as a file: whole, honest, accessible, and the same bytes every time."""

import hashlib
import io
import json
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pikepdf
import pytest

from sms_etl.config.settings import Language
from sms_etl.errors import RenderError
from sms_etl.reports import cards
from sms_etl.reports import render as render_module
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.render import RenderedReport, render, render_html, typeset
from tests.reports import samples

ROOT = Path(__file__).parents[2]
NB = "\u00a0"
TOO_MUCH_MEMORY = 64 * 1024**2


@cache
def rendered(name: str, language: Language = Language.UKRAINIAN) -> RenderedReport:
    figures = samples.nothing(missing=True) if name == "missing" else getattr(samples, name)()
    return render(figures, language)


@cache
def web(name: str, language: Language = Language.UKRAINIAN) -> bytes:
    figures = samples.nothing(missing=True) if name == "missing" else getattr(samples, name)()
    return render_html(figures, language)


class Text(HTMLParser):
    """The visible text and the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def page(html: bytes) -> Text:
    parser = Text()
    parser.feed(html.decode())
    return parser


def text_of(html: bytes) -> str:
    return " ".join(" ".join(page(html).words).split()).replace(NB, " ")


def structure(node, kind):
    """Elements of one kind in the structure tree of a PDF."""
    found = []
    if isinstance(node, pikepdf.Array):
        for child in node:
            found += structure(child, kind)
    elif isinstance(node, pikepdf.Dictionary):
        if node.get("/S") == kind:
            found.append(node)
        if "/K" in node and node.get("/Type") != "/Page":
            found += structure(node.K, kind)
    return found


@pytest.mark.parametrize("language", list(Language))
def test_the_pdf_is_tagged_titled_and_uses_our_fonts_only(language):
    pdf = pikepdf.open(io.BytesIO(rendered("month", language).pdf))
    root = pdf.Root
    assert str(root.Lang) == language.value
    assert bool(root.MarkInfo.Marked)
    assert "/OutputIntents" in root
    with pdf.open_outline() as outline:
        headings = [item.title for item in outline.root[0].children]
    assert len(headings) >= 8
    assert str(pdf.docinfo["/Title"]).endswith("Аптеки «Подорожник»")
    figures = structure(root.StructTreeRoot.K, "/Figure")
    assert len(figures) >= 9
    assert all(str(figure.get("/Alt", "")).strip() for figure in figures)
    heads = structure(root.StructTreeRoot.K, "/TH")
    assert heads
    fonts = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o]
    assert fonts
    assert all("+Report-Sans" in str(font.BaseFont) for font in fonts)
    files = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/FontFile2" in o]
    assert files


def test_a_month_fits_four_pages():
    assert len(pikepdf.open(io.BytesIO(rendered("month").pdf)).pages) == 4


def test_the_same_figures_give_the_same_bytes_in_another_process():
    program = (
        "import hashlib; from tests.reports import samples;"
        "from sms_etl.config.settings import Language;"
        "from sms_etl.reports.render import render;"
        "r = render(samples.month(), Language.UKRAINIAN);"
        "print(*(hashlib.sha256(b).hexdigest() for b in (r.html, r.pdf, r.chart_png)))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = rendered("month")
    hashes = [hashlib.sha256(b).hexdigest() for b in (here.html, here.pdf, here.chart_png)]
    assert other.stdout.split() == hashes


def test_the_quick_look_is_the_page_of_the_edition():
    assert web("month") == rendered("month").html


def test_the_web_page_loads_nothing_and_runs_nothing():
    parsed = page(web("month"))
    assert not [tag for tag, _ in parsed.tags if tag in {"script", "link", "iframe", "object"}]
    for _, attributes in parsed.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
        assert not [name for name in attributes if name.startswith("on")]


def test_every_drawing_of_the_web_page_has_a_text():
    drawings = [a for tag, a in page(web("month")).tags if tag == "svg"]
    assert len(drawings) >= 9
    assert all(a.get("aria-label") for a in drawings if "role" in a)


def test_the_first_lines_say_what_matters():
    text = text_of(web("month"))
    assert "Доставлено 96,5 % з 4,80 млн надісланих повідомлень" in text
    assert "мета 97 % ще досяжна, якщо надійдуть відсутні звіти" in text
    assert "з 4 800 284 надісланих" in text
    assert "до 97,1 %, якщо надійдуть усі звіти" in text
    assert "−0,4 в. п. · гірше" in text


def test_few_messages_are_counted_and_not_turned_into_percentages():
    text = text_of(web("month"))
    assert "7 з 12" in text
    assert "58,3 %" not in text


def test_every_percentage_of_a_group_stands_beside_its_counts():
    html = web("month").decode()
    shares = html.count('class="share"')
    assert shares > 20
    assert html.count('class="counts"') == shares


def test_a_campaign_stands_first_among_the_others_without_a_total():
    text = text_of(web("campaign")).partition("Ця кампанія поруч з іншими")[2]
    assert 0 < text.index("Осінній розпродаж") < text.index("Код входу (OTP)")
    assert "Разом" not in text
    assert "Попереднього періоду для порівняння немає." in text_of(web("campaign"))


def test_a_title_names_who_delivers_worse_or_says_that_nobody_does():
    text = text_of(render_html(samples.month(), Language.ENGLISH))
    assert "Campaigns: Опитування NPS, Запрошення на вебінар deliver worse than the whole" in text
    assert "Sources: none delivers worse than the whole" in text


def test_a_line_through_a_few_days_of_many_is_not_drawn():
    month = samples.month()
    silent = tuple(
        one if n < 4 else one.model_copy(update={"totals": samples.totals(0, 1.0)})
        for n, one in enumerate(month.days)
    )
    few = cards.delivered(Words(Language.ENGLISH), month.model_copy(update={"days": silent}))
    assert few.series == ()
    assert cards.delivered(Words(Language.ENGLISH), month).series


def test_nothing_sent_is_told_from_data_missing():
    nothing, missing = text_of(web("nothing")), text_of(web("missing"))
    assert "За цей період не надіслано жодного повідомлення" in nothing
    assert "Висновок неможливий" not in nothing
    assert "Висновок неможливий: бракує даних turbosms" in missing
    assert "Дні без повних даних: 1–31 жовтня" in missing
    assert len(pikepdf.open(io.BytesIO(rendered("missing").pdf)).pages) == 1


def test_the_data_page_adds_up():
    text = text_of(web("month"))
    for state in samples.month().sources:
        assert state.records == state.messages + sum(state.folded.values()) + sum(
            state.quarantined.values()
        )
        assert f"{state.records:,}".replace(",", " ") in text
    assert "BLOCKED_BY_SHAPER: 21" in text


def hostile() -> Figures:
    name = "</text></svg><script>alert(1)</script>\"'&<b>🔥"
    row = samples.month().by_operator[0].model_copy(update={"key": name, "label": name})
    return samples.month(
        project=name,
        by_operator=(row, *samples.month().by_operator[1:]),
        by_campaign=(row.model_copy(update={"key": "x"}), *samples.month().by_campaign),
    )


def test_names_from_outside_stay_text_and_a_missing_glyph_is_told():
    html = render_html(hostile(), Language.ENGLISH)
    parsed = page(html)
    assert "script" not in {tag for tag, _ in parsed.tags}
    text = text_of(html)
    assert "<script>alert(1)</script>" in text
    assert "□ stands for a character" in text


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ('<p style="colr: red">x</p>', "colr"),
        ('<img src="https://example.com/x.png" alt="x">', "example.com"),
        ('<img src="file:///etc/hostname" alt="x">', "hostname"),
        ('<img src="data:image/png;base64,AAAA" alt="x">', "image"),
        ("<p>a font of the machine</p>", "font outside the package"),
    ],
)
def test_whatever_the_typesetter_warns_of_is_an_error(html, complaint):
    whole = f'<!doctype html><html lang="en"><title>x</title><body>{html}'
    with pytest.raises(RenderError, match=complaint):
        typeset(whole.encode())


def test_a_runaway_document_is_stopped_and_named():
    with pytest.raises(RenderError):
        typeset(b"<p>x</p>", memory=TOO_MUCH_MEMORY)


def test_a_denominator_without_words_is_refused():
    odd = samples.month().totals.delivery.model_copy(update={"denominator_name": "guessed"})
    totals = samples.month().totals.model_copy(update={"delivery": odd})
    with pytest.raises(RenderError, match="guessed"):
        render_html(samples.month(totals=totals), Language.ENGLISH)


def test_a_day_is_drawn_by_the_hour():
    day = samples.FIRST
    figures = samples.month(first_day=day, last_day=day, period="day", findings=())
    figures = figures.model_copy(update={"days": figures.days[:1]})
    assert "Delivery by hour" in text_of(render_html(figures, Language.ENGLISH))


def test_the_charts_of_the_mail_are_pictures_of_the_right_width():
    def width(png: bytes) -> int:
        return int.from_bytes(png[16:20], "big")

    report = rendered("month")
    assert width(report.chart_png) == pytest.approx(2 * 672, rel=0.05)
    assert width(report.chart_png_mobile) == pytest.approx(2 * 360, rel=0.1)


def test_the_typesetting_process_gets_no_secret_and_starts_no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "f00df00d")
    child = tmp_path / "child.py"
    child.write_text("import json, os; print(json.dumps(dict(os.environ)))")
    monkeypatch.setattr(render_module, "PDF_CHILD", child)
    told = json.loads(typeset(b""))
    assert set(told) <= {*render_module.PDF_ENVIRONMENT, "PATH", "PYTHONHASHSEED", "LC_CTYPE"}
    assert not Path(told["PATH"]).is_dir()
    assert told["PYTHONHASHSEED"] == "0"
