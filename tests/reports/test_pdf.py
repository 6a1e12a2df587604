"""The PDF of every kind: its structure, its pages, the data inside it, and what stops it."""

from __future__ import annotations

import io
import json
from functools import cache

import pikepdf
import polars as pl
import pytest
from weasyprint import HTML
from weasyprint.formatting_structure import boxes

from sms_etl.config.settings import Language
from sms_etl.errors import RenderError
from sms_etl.reports import pdf_child
from sms_etl.reports import render as module
from sms_etl.reports.as_json import figures_json
from sms_etl.reports.attachments import attachments
from sms_etl.reports.language import Words
from sms_etl.reports.render import font_style, render, typeset
from tests.reports import samples
from tests.reports.test_render import structure

KINDS = ("providers", "failures", "operations")
LEAST_FILL = 0.8
"""A page that is not the last one is filled at least so far."""


@cache
def pdf(kind: str) -> pikepdf.Pdf:
    rendered = render(getattr(samples, kind)(), Language.UKRAINIAN)
    return pikepdf.open(io.BytesIO(rendered.pdf))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_an_archival_tagged_pdf_with_bookmarks_and_texts(kind):
    document = pdf(kind)
    root = document.Root
    assert str(root.Lang) == "uk"
    assert bool(root.MarkInfo.Marked)
    with document.open_metadata() as metadata:
        assert metadata.pdfa_status == "3A"
        assert metadata["dc:title"]
    with document.open_outline() as outline:
        [title] = outline.root
        assert len(title.children) >= 4
    tree = root.StructTreeRoot.K
    figures = structure(tree, "/Figure")
    assert figures
    assert all(str(figure.get("/Alt", "")).strip() for figure in figures)
    assert len(structure(tree, "/H1")) == 1
    assert len(structure(tree, "/H2")) == len(title.children)
    assert structure(tree, "/Table")
    assert structure(tree, "/TH")


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_data_is_attached_as_data(kind):
    document, figures = pdf(kind), getattr(samples, kind)()
    files = document.attachments
    assert set(files) == {"figures.json", "report.xlsx"}
    assert files["figures.json"].get_file().read_bytes() == figures_json(figures)
    assert files["report.xlsx"].get_file().read_bytes().startswith(b"PK")
    assert {str(one.AFRelationship) for one in document.Root.AF} == {"/Data"}
    told = json.loads(files["figures.json"].get_file().read_bytes())
    assert told["totals"]["submitted"] == figures.totals.submitted


def test_a_table_that_is_cut_short_is_whole_in_the_attached_spreadsheet():
    rows = tuple(
        samples.group(f"campaign {n}", f"campaign {n}", 1000 - n, 0.95, None) for n in range(60)
    )
    told = attachments(samples.month(by_campaign=rows), Words(Language.ENGLISH))
    [sheet] = [one.content for one in told if one.name == "report.xlsx"]
    campaigns = pl.read_excel(io.BytesIO(sheet), sheet_name="Campaigns")
    assert len(campaigns) == 60


@cache
def pages_of(kind: str):
    """The pages of a sample as they are laid out."""
    figures, words = getattr(samples, kind)(), Words(Language.UKRAINIAN)
    page = module._page("pdf", figures, words, module._section_values(figures, words))
    return pdf_child.laid_out(HTML(string=page.decode()), {}).pages


def tables_of(box):
    """Every piece of a table on a page."""
    if isinstance(box, boxes.TableBox):
        yield box
    for child in getattr(box, "children", ()):
        yield from tables_of(child)


def rows_of(table) -> int:
    groups = [group for group in table.children if not group.is_header]
    return sum(len(group.children) for group in groups)


@pytest.mark.parametrize("kind", ["month", "failures", "providers"])
def test_pages_are_full_and_the_last_one_is_no_scrap(kind):
    *pages, last = [pdf_child.fill_of(one) for one in pages_of(kind)]
    assert all(one >= LEAST_FILL for one in pages)
    assert last >= pdf_child.LEAST_FILL


def test_no_table_leaves_one_row_alone_on_a_page():
    pieces = [(t.element, rows_of(t)) for p in pages_of("month") for t in tables_of(p._page_box)]
    split = {element for element, _ in pieces if sum(e is element for e, _ in pieces) > 1}
    assert split
    assert all(rows > 1 for element, rows in pieces if element in split)


def test_what_a_last_page_holds_is_spread_over_the_pages_before():
    page = HTML(string=styled("<table>" + "<tr><td>row</td></tr>" * 58 + "</table>").decode())
    plain, spread = page.render(), pdf_child.laid_out(page, {})
    assert len(spread.pages) == len(plain.pages) > 1
    assert pdf_child.fill_of(spread.pages[-1]) > pdf_child.fill_of(plain.pages[-1])


def styled(body: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><title>x</title><style>{font_style("pdf")}'
        f'html {{ font-family: "Report Sans" }}</style></head><body>{body}</body></html>'
    ).encode()


def test_a_page_in_our_fonts_is_typeset():
    assert typeset(styled("<p>whole</p>")).startswith(b"%PDF")


@pytest.mark.parametrize(
    "body",
    [
        '<p style="white-space: nowrap">' + "a line that never ends " * 20 + "</p>",
        '<p style="margin-left: 900px">beside the page</p>',
        '<div style="height: 100px"><p style="position: absolute; top: 2000px">below</p></div>',
        "<table><tr>" + "<td style='white-space: nowrap'>wide cell</td>" * 30 + "</tr></table>",
    ],
)
def test_what_sticks_out_of_its_page_is_an_error(body):
    with pytest.raises(RenderError, match="page 1 is overfull"):
        typeset(styled(body))


def test_a_document_that_takes_too_long_is_stopped():
    rows = "<tr><td>row</td><td>row</td></tr>" * 20_000
    with pytest.raises(RenderError, match="killed by signal"):
        typeset(styled(f"<table>{rows}</table>"), seconds=2)
