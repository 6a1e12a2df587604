"""Pictures of every kind of report in every language, for the documents.

`python -m tests.reports.pictures` (make pictures) draws the sample figures into docs/images: all
pages of a report side by side, small and with few colours, and the interactive page with a filter
on. It needs pdftocairo (poppler-utils) and, for the last one, Chromium with its driver.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageColor
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from sms_etl.config.settings import Language, ReportKind
from sms_etl.reports import style
from sms_etl.reports.build import build_figures, build_twin
from sms_etl.reports.figures import Figures
from sms_etl.reports.render import render, render_html
from tests.reports import samples, twin_world
from tests.reports.test_build import REQUEST
from tests.reports.test_twin_browser import opened, tick

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PAGE_WIDTH, GAP = 264, 8
GREYS = ("#f4f6f8", "#c3c9cf", "#8a939c", "#5c6670")
GROUND = "#c9d1d9"
FRONT = "report-page.png"
FRONT_WIDTH = 640
FILTERED = "page-filtered.png"
SCREEN = (1200, 1180)
"""Window of the interactive page, in CSS pixels."""


def figures_of(kind: ReportKind) -> Figures:
    """The sample of a kind."""
    return samples.month() if kind is ReportKind.PERIOD else getattr(samples, kind.value)()


def pages_of(pdf: bytes, width: int) -> list[Image.Image]:
    """Every page of a PDF as a picture of a width."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.pdf"
        path.write_bytes(pdf)
        command = ["pdftocairo", "-png", "-scale-to-x", str(2 * width), "-scale-to-y", "-1"]
        subprocess.run([*command, path, Path(folder) / "page"], check=True)
        found = [Image.open(one).convert("RGB") for one in sorted(Path(folder).glob("page*.png"))]
        return [one.resize((width, one.height // 2), Image.Resampling.LANCZOS) for one in found]


def sheet_of(pages: list[Image.Image]) -> Image.Image:
    """Pages side by side."""
    height = max(page.height for page in pages)
    sheet = Image.new("RGB", (sum(p.width + GAP for p in pages) + GAP, height + 2 * GAP), GROUND)
    left = GAP
    for page in pages:
        sheet.paste(page, (left, GAP))
        left += page.width + GAP
    return sheet


def palette() -> Image.Image:
    """The colours of the reports, and what lies between ink and paper."""
    colours = ["#ffffff", GROUND, *GREYS, *dict.fromkeys([*style.PALETTE.values(), *style.BLUES])]
    found = Image.new("P", (1, 1))
    found.putpalette([part for one in colours for part in ImageColor.getrgb(one)])
    return found


def keep(picture: Image.Image, path: Path) -> None:
    """Write a picture with few colours."""
    few = picture.quantize(palette=palette(), dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def filtered() -> Image.Image:
    """The interactive page of a week of a shop, of one source's messages only."""
    given = twin_world.company()
    page = render_html(build_figures(given, REQUEST), Language.ENGLISH, build_twin(given, REQUEST))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_bytes(page)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for option in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
            options.add_argument(option)
        with webdriver.Chrome(options, Service("/usr/bin/chromedriver")) as browser:
            width, height = SCREEN
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            tick(opened(browser, path.as_uri()), "Source", "turbosms")
            shot = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    half = FRONT_WIDTH * shot.height // shot.width
    return shot.resize((FRONT_WIDTH, half), Image.Resampling.LANCZOS)


def main() -> None:
    """Draw all."""
    IMAGES.mkdir(exist_ok=True)
    keep(filtered(), IMAGES / FILTERED)
    for kind in ReportKind:
        for language in Language:
            pdf = render(figures_of(kind), language).pdf
            sheet = sheet_of(pages_of(pdf, PAGE_WIDTH))
            keep(sheet, IMAGES / f"{kind.value}-{language.value}.png")
            if (kind, language) == (ReportKind.PERIOD, Language.ENGLISH):
                keep(pages_of(pdf, FRONT_WIDTH)[0], IMAGES / FRONT)


if __name__ == "__main__":
    main()
