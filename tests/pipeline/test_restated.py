"""A period that moved after its report: the next report says so, with then, now and why."""

from datetime import UTC, date, datetime

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.days import days_between
from sms_etl.pipeline import rebuild_cube
from sms_etl.publish import ReportOrder, figures_of, freeze_report
from sms_etl.reports.difference import differences
from sms_etl.reports.language import Words
from sms_etl.restatement import Cause
from sms_etl.store.tables import MAIL_LEDGER
from tests.pipeline.company import land_and_rebuild, rebuild

MONDAY, SUNDAY = date(2026, 10, 5), date(2026, 10, 11)
NEXT_SUNDAY = date(2026, 10, 18)
JUST_AFTER = datetime(2026, 10, 11, 22, 0, tzinfo=UTC)
A_WEEK_LATER = datetime(2026, 10, 19, 6, 0, tzinfo=UTC)
WEEK = days_between(MONDAY, SUNDAY)
SUNDAY_ONLY = ReportOrder(
    ReportKind.PERIOD, Period.DAY, SUNDAY, SUNDAY, "Europe/Kyiv", Language.ENGLISH
)


def week(first, last):
    return ReportOrder(ReportKind.PERIOD, Period.WEEK, first, last, "Europe/Kyiv", Language.ENGLISH)


def test_the_next_report_says_how_the_week_before_moved_and_why(fresh_company):
    company, project = fresh_company, fresh_company.project
    company.move_to(JUST_AFTER)
    land_and_rebuild(project, WEEK)
    told = freeze_report(project, week(MONDAY, SUNDAY), "weekly").figures().totals
    assert told.pending > 0

    company.move_to(A_WEEK_LATER)
    land_and_rebuild(project, days_between(MONDAY, NEXT_SUNDAY))
    figures = figures_of(project, week(date(2026, 10, 12), NEXT_SUNDAY))

    moved = {(one.figure, one.currency): one for one in figures.restated}
    delivered = moved["delivered", ""]
    assert figures.previous is not None
    assert (delivered.then, delivered.now) == (told.delivered, figures.previous.delivered)
    assert delivered.now > delivered.then
    assert delivered.causes == (Cause.RECEIPTS,)
    assert moved["pending", ""].then == told.pending
    assert ("submitted", "") not in moved
    for cost in told.costs:
        if ("spent", cost.currency) in moved:
            assert moved["spent", cost.currency].then == cost.spent_micro
            assert moved["spent", cost.currency].causes == (Cause.PRICES,)


def mailed(project, edition):
    """A reader has the edition."""
    row = {"edition_id": edition.id, "reader": "a@example.com", "state": "sent"}
    times = {"message_id": "m", "claimed_at": JUST_AFTER, "attempts": 1}
    with project.warehouse.write() as connection:
        connection.execute(MAIL_LEDGER.insert(), [row | times])


def with_step(project, step):
    path = project.settings.path
    text = path.read_text("utf-8").replace("[project]", f"[project]\ncorrection_step = {step}", 1)
    path.write_text(text)
    return type(project).open(path)


def test_a_mailed_report_is_corrected_once_and_only_beyond_the_step(fresh_company):
    company, project = fresh_company, fresh_company.project
    company.move_to(JUST_AFTER)
    land_and_rebuild(project, [SUNDAY])
    first = freeze_report(project, SUNDAY_ONLY, "weekly")
    mailed(project, first)
    company.move_to(A_WEEK_LATER)
    land_and_rebuild(project, [SUNDAY])

    # The settings of the company move by no more than everything: it stays as mailed.
    lenient = with_step(project, 1.0)
    assert freeze_report(lenient, SUNDAY_ONLY, "weekly") == first

    project.settings.path.write_text(
        project.settings.path.read_text("utf-8").replace("correction_step = 1.0\n", "")
    )
    second = freeze_report(project, SUNDAY_ONLY, "weekly")
    assert (first.revision, second.revision) == (1, 2)
    told = second.figures().correction
    assert told is not None
    assert told.corrects_at == first.created_at
    delivered = next(one for one in told.figures if one.figure == "delivered")
    assert (delivered.then, delivered.now) == (
        first.figures().totals.delivered, second.figures().totals.delivered
    )  # fmt: skip
    assert delivered.causes == (Cause.RECEIPTS,)
    assert freeze_report(project, SUNDAY_ONLY, "weekly") == second
    sentences = differences(Words(Language.ENGLISH), first.figures(), second.figures())
    assert any(sentence.startswith("Delivered: ") for sentence in sentences)


def test_building_the_same_again_restates_nothing(fresh_company):
    project = fresh_company.project
    land_and_rebuild(project, WEEK)
    rebuild(project, WEEK)
    assert project.warehouse.restatements(MONDAY, SUNDAY) == []


def test_a_changed_setting_is_named_as_the_cause(fresh_company):
    project = fresh_company.project
    land_and_rebuild(project, WEEK)
    path = project.settings.path
    path.write_text(path.read_text("utf-8").replace("price_per_part = 0.98", "price_per_part = 1"))
    changed = type(project).open(path)
    rebuild(changed, WEEK)
    found = changed.warehouse.restatements(MONDAY, SUNDAY)
    assert {(one.source, one.figure, one.causes) for one in found} == {
        ("turbosms", "spent", (Cause.SETTINGS,))
    }
    assert {one.day for one in found} == set(WEEK)
    again = rebuild_cube(changed, "turbosms", WEEK)
    assert again.restatements == []
