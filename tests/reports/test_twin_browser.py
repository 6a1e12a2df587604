"""The page in a real browser: its sums are the pipeline's, and it needs nobody's help to work."""

from __future__ import annotations

import contextlib
import functools
import http.server
import random
import threading
from datetime import timedelta

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from sms_etl.config.settings import Language
from sms_etl.reports.build import build_figures, build_twin
from sms_etl.reports.render import render_html
from sms_etl.reports.twin.cube import DIMENSIONS
from tests.reports.test_build import REQUEST
from tests.reports.twin_world import (
    EVIL,
    company,
    pipeline_rows,
    pipeline_totals,
    some_filter,
)

pytestmark = pytest.mark.browser

DAYS = 7
FILTERS = 120
SECONDS = 20
EXACT = 1e-12
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--no-first-run", "--window-size=1100,1400",
)  # fmt: skip
TOTALS = """
const wanted = arguments[0], cube = window.report.cube, chosen = {};
for (const [name, keys] of Object.entries(wanted.chosen)) {
  chosen[name] = new Set(keys.map((key) => cube.values[name].indexOf(key)));
}
const reasons = wanted.reasons && new Set(wanted.reasons);
const { first, last } = wanted;
const found = window.report.totals({ first, last, chosen, reasons });
for (const rows of Object.values(found.by)) for (const row of rows) row.key = row.place;
for (const [name, rows] of Object.entries(found.by)) {
  for (const row of rows) row.key = cube.values[name][row.place];
}
return found;
"""


@pytest.fixture(scope="module")
def given():
    return company()


@pytest.fixture(scope="module")
def folder(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    figures, cube = build_figures(given, REQUEST), build_twin(given, REQUEST)
    for language in Language:
        (folder / f"{language}.html").write_bytes(render_html(figures, language, cube))
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, folder):
    """The Ukrainian page from a file, as from a mail; whatever it complains of fails the test."""
    browser.set_window_size(1100, 1400)
    opened(browser, (folder / "uk.html").as_uri())
    browser.get_log("browser")
    yield browser
    assert browser.get_log("browser") == []


def opened(browser, address):
    browser.get(address)
    WebDriverWait(browser, SECONDS).until(
        lambda b: b.execute_script("return document.documentElement.hasAttribute('data-ready')")
    )
    return browser


def tick(browser, label, option):
    """Open the choices under a label and tick one by its text."""
    for box in browser.find_elements(By.CSS_SELECTOR, "details.choice"):
        if box.find_element(By.TAG_NAME, "summary").text.startswith(label):
            box.find_element(By.TAG_NAME, "summary").click()
            for one in box.find_elements(By.TAG_NAME, "label"):
                if one.text == option:
                    one.click()
                    box.find_element(By.TAG_NAME, "summary").click()
                    return
    raise AssertionError(f"no {label}: {option}")


def near(value):
    return None if value is None else pytest.approx(value, rel=EXACT)


def compare(found, expected):
    """Totals of the page against those of the pipeline."""
    for name in (
        "submitted", "delivered", "failed", "rejected", "unknown", "pending", "parts",
        "messages_with_parts", "partly_delivered", "operator_receipts",
    ):  # fmt: skip
        assert found[name] == getattr(expected, name), name
    for name in ("delivery", "coverage"):
        ours, theirs = found[name], getattr(expected, name)
        assert (ours["numerator"], ours["denominator"]) == (theirs.numerator, theirs.denominator)
        assert ours["small"] == theirs.small
        assert ours["value"] == near(theirs.value)
        if theirs.interval is None:
            assert ours["interval"] is None
        else:
            assert ours["interval"] == pytest.approx(theirs.interval.model_dump(), rel=EXACT)
    assert found["delivery"]["low"] == near(expected.delivery.low)
    assert found["delivery"]["high"] == near(expected.delivery.high)
    assert found["delivery"]["mature"] == expected.delivery.mature
    times = expected.latency
    assert found["latency"]["messages"] == times.messages
    assert found["latency"]["atMost"] == (times.quality == "upper_estimate")
    for ours, theirs in (
        ("p50", times.median), ("p90", times.p90), ("p95", times.p95), ("p99", times.p99),
        ("all_p50", times.all_median), ("all_p90", times.all_p90), ("all_p99", times.all_p99),
    ):  # fmt: skip
        assert found["latency"][ours] == near(theirs), ours
    assert found["costs"] == [cost.model_dump(exclude={"messages"}) for cost in expected.costs]


def test_the_sums_of_the_page_are_those_of_the_pipeline_for_any_filter(page, given):
    random_ = random.Random(11)
    rows = pipeline_rows(given)
    empty, mature = 0, set()
    for _ in range(FILTERS):
        wanted = some_filter(random_, DAYS)
        found = page.execute_script(TOTALS, wanted)
        compare(found["whole"], pipeline_totals(rows, wanted))
        empty += not found["whole"]["submitted"]
        mature.add(found["whole"]["delivery"]["mature"])
        name = random_.choice(DIMENSIONS)
        for row in found["by"][name]:
            compare(row["totals"], pipeline_totals(rows, wanted, **{name: row["key"]}))
        assert sum(day["submitted"] for day in found["days"]) == found["whole"]["submitted"]
    assert empty < FILTERS / 2
    assert mature == {True, False}


def test_without_a_filter_the_sums_are_the_figures_of_the_report(page, given):
    figures = build_figures(given, REQUEST)
    found = page.execute_script(
        TOTALS, {"first": 0, "last": DAYS - 1, "chosen": {}, "reasons": None}
    )
    compare(found["whole"], figures.totals)
    for day, point in zip(found["days"], figures.days, strict=True):
        assert day["submitted"] == point.totals.submitted
        assert day["delivered"] == point.totals.delivered
        assert day["delivery"]["mature"] == point.totals.delivery.mature
    for name in DIMENSIONS:
        told = {row.key: row.totals for row in getattr(figures, f"by_{name}")}
        shown = {row["key"]: row["totals"] for row in found["by"][name]}
        assert set(shown) == set(told)
        for key, totals in told.items():
            compare(shown[key], totals)
    counted = {}
    for row in figures.reasons:
        counted[row.reason] = counted.get(row.reason, 0) + row.share.numerator
    reasons = found["whole"]["reasons"]
    assert {row["reason"]: row["share"]["numerator"] for row in reasons} == counted


def test_with_reasons_chosen_the_rate_counts_messages_that_ended_so(page, given):
    wanted = {"first": 0, "last": DAYS - 1, "chosen": {}, "reasons": ["invalid_number"]}
    found = page.execute_script(TOTALS, wanted)["whole"]
    told = next(r for r in found["reasons"] if r["reason"] == "invalid_number")
    assert found["withReasons"]["numerator"] == told["share"]["numerator"] > 0
    assert found["withReasons"]["denominator"] == found["submitted"]


def test_a_filter_acts_on_cards_chart_and_tables_together(page, given):
    tick(page, "Оператор", "Kyivstar")
    wanted = {"first": 0, "last": 6, "chosen": {"operator": ["Kyivstar"]}, "reasons": None}
    totals = pipeline_totals(pipeline_rows(given), wanted)
    head = page.find_element(By.CSS_SELECTOR, ".live-head").text
    shown = f"{totals.delivery.value * 100:.1f}".replace(".", ",")
    assert shown in head
    assert f"({grouped(totals.delivered)} з {grouped(totals.submitted)})" in head
    assert "Оператор: Kyivstar" in page.find_element(By.CSS_SELECTOR, ".live .note").text
    cards = page.find_element(By.CSS_SELECTOR, ".live .cards").text
    assert grouped(totals.submitted) in cards
    table = page.find_element(By.CSS_SELECTOR, '[data-table="operator"]')
    assert [r.find_element(By.TAG_NAME, "th").text for r in rows_of(table)] == ["Kyivstar"]
    shares = page.find_element(By.CSS_SELECTOR, ".live-chart").get_attribute("aria-label")
    assert "," in shares
    # What was worked out for the whole report is hidden, and named.
    assert not page.find_element(By.CSS_SELECTOR, ".headline").is_displayed()
    hidden = page.find_elements(By.CSS_SELECTOR, '[data-follows="no"]')
    assert hidden
    assert not any(one.is_displayed() for one in hidden)
    note = page.find_element(By.CSS_SELECTOR, ".unfollowed").text
    assert "Що зробити" in note
    page.find_element(By.CSS_SELECTOR, ".filters .clear").click()
    assert page.find_element(By.CSS_SELECTOR, ".headline").is_displayed()
    assert all(one.is_displayed() for one in hidden)


def test_days_are_chosen_by_their_local_date(page, given):
    page.execute_script(
        "const [from] = document.querySelectorAll('.filters input[type=date]');"
        "from.value = '2026-10-25'; from.dispatchEvent(new Event('change'))"
    )
    wanted = {"first": 6, "last": 6, "chosen": {}, "reasons": None}
    totals = pipeline_totals(pipeline_rows(given), wanted)
    assert REQUEST.first_day + timedelta(days=6) == REQUEST.last_day
    assert (
        f"з {grouped(totals.submitted)})" in page.find_element(By.CSS_SELECTOR, ".live-head").text
    )


def test_an_empty_set_says_so(page):
    tick(page, "Кампанія", "otp")
    page.execute_script(
        "for (const box of document.querySelectorAll('input[name=reason]')) {"
        " if (box.value === 'no_receipt') box.click(); }"
    )
    # Nothing passes a day outside of the data: the pipeline's totals are zero, too.
    found = page.execute_script(
        TOTALS, {"first": 0, "last": 0, "chosen": {"campaign": ["nobody"]}, "reasons": None}
    )
    assert found["whole"]["submitted"] == 0
    assert found["whole"]["delivery"]["value"] is None
    assert found["by"]["operator"] == []


def test_a_name_from_outside_stays_text(page):
    tick(page, "Відправник", "+380 <b>")
    assert page.title != "owned"
    assert page.find_elements(By.CSS_SELECTOR, "img[src='x']") == []
    names = page.find_element(By.CSS_SELECTOR, '[data-table="campaign"]').text
    assert "<img src=x onerror=" in names
    assert "</script><b>" in names
    assert EVIL in page.execute_script("return window.report.cube.values.campaign")


def test_tables_are_ordered_by_any_column_with_the_keyboard(page):
    tick(page, "Країна", "Україна")
    table = page.find_element(By.CSS_SELECTOR, '[data-table="campaign"]')
    head = table.find_elements(By.CSS_SELECTOR, "thead th")[1]
    head.find_element(By.CSS_SELECTOR, "button").send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "descending"
    rates = [
        float(r.find_element(By.CSS_SELECTOR, ".rated").get_attribute("data-sort"))
        for r in rows_of(table)
    ]
    assert rates == sorted(rates, reverse=True)
    head.find_element(By.CSS_SELECTOR, "button").send_keys(Keys.SPACE)
    assert head.get_attribute("aria-sort") == "ascending"


def test_tables_of_the_report_itself_are_ordered_too(page):
    table = page.find_element(By.CSS_SELECTOR, "table[data-sortable].full")
    heads = table.find_elements(By.CSS_SELECTOR, "thead th")
    by_median = next(head for head in heads if head.text == "Медіана")
    by_median.find_element(By.CSS_SELECTOR, "button").click()
    shown = table.find_elements(By.CSS_SELECTOR, "tr.group .half-time")
    seconds = [float(cell.get_attribute("data-sort")) for cell in shown]
    assert seconds == sorted(seconds, reverse=True)
    assert "total" in rows_of(table)[-1].get_attribute("class")


def test_filters_work_with_the_keyboard_and_have_names(page):
    summary = page.find_elements(By.CSS_SELECTOR, "details.choice summary")[0]
    summary.send_keys(Keys.ENTER)
    box = page.find_elements(By.CSS_SELECTOR, "details.choice[open] input")[0]
    box.send_keys(Keys.SPACE)
    assert page.find_element(By.CSS_SELECTOR, ".live").is_displayed()
    box.send_keys(Keys.ESCAPE)
    assert page.find_elements(By.CSS_SELECTOR, "details.choice[open]") == []
    assert page.switch_to.active_element == summary
    summary.click()
    controls = page.find_elements(By.CSS_SELECTOR, "#twin input, #twin summary, #twin button")
    seen = [control for control in controls if control.is_displayed()]
    assert len(seen) > 10
    assert all(control.accessible_name.strip() for control in seen)
    assert page.find_element(By.CSS_SELECTOR, "[role=status]").get_attribute("textContent")


@contextlib.contextmanager
def screen(browser, width):
    """A screen of a width; Chromium's own windows are no narrower than 500 pixels."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_phone_the_headline_comes_first_and_filters_wait_behind_one_button(page):
    button = page.find_element(By.CSS_SELECTOR, ".filter-panel > summary")
    headline = page.find_element(By.CSS_SELECTOR, ".headline")
    filters = page.find_element(By.CSS_SELECTOR, ".filters")
    assert filters.is_displayed()
    assert not button.is_displayed()
    with screen(page, 390):
        WebDriverWait(page, SECONDS).until(lambda _: not filters.is_displayed())
        assert headline.rect["y"] < button.rect["y"]
        button.click()
        tick(page, "Країна", "Україна")
        assert page.find_element(By.CSS_SELECTOR, ".live").is_displayed()
    WebDriverWait(page, SECONDS).until(lambda _: not button.is_displayed())
    assert filters.is_displayed()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    with screen(page, width):
        button = page.find_element(By.CSS_SELECTOR, ".filter-panel > summary")
        if button.is_displayed():
            button.click()
        tick(page, "Країна", "Україна")
        page.execute_script(
            "for (const box of document.querySelectorAll('input[name=campaign]')) {"
            " if (box.parentElement.textContent.includes('onerror')) box.click(); }"
        )
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        edges = page.execute_script(
            "return [...document.querySelectorAll('#twin summary, #twin button, #twin svg')]"
            ".map((one) => one.getBoundingClientRect().right)"
        )
        assert max(edges) <= width


def test_from_a_web_server_it_asks_for_nothing_else(browser, folder):
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened(browser, f"http://127.0.0.1:{server.server_port}/en.html")
        loaded = browser.execute_script(
            "return performance.getEntriesByType('resource').map((one) => one.name)"
        )
        assert [name for name in loaded if not name.startswith("data:")] == []
        refused = browser.execute_async_script(
            "fetch('/uk.html').then(() => arguments[0](false), () => arguments[0](true))"
        )
        assert refused
        server.shutdown()
    browser.get_log("browser")


def test_without_scripts_it_is_the_report_alone(browser, folder):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((folder / "uk.html").as_uri())
        assert not browser.find_element(By.ID, "twin").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, ".headline").is_displayed()
        assert browser.find_element(By.CSS_SELECTOR, "table.groups").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


def grouped(value):
    return f"{value:,}".replace(",", "\u00a0")


def rows_of(section):
    return section.find_elements(By.CSS_SELECTOR, "tbody tr")
