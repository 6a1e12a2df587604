"""Two companies of one seed: the list that the first makes in October is used by the second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from sms_etl.clean_base.export import export_list
from sms_etl.clean_base.steps import rebuild_suppressions
from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.days import days_between
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.reports.clean_figures import CleanBase
from sms_etl.sandbox.conduct import ListInUse
from sms_etl.sandbox.truth import truth_at
from sms_etl.sandbox.world import OUTBOX_WAYS, World, build_world
from tests.pipeline.company import (
    DAYS,
    FIRST,
    PLANTED_WORLD,
    land_and_rebuild,
    land_and_rebuild_streams,
    running_company,
)

KYIV = "Europe/Kyiv"
NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)
TWO_MONTHS = days_between(FIRST, LAST)
BEGIN, END = datetime(2026, 10, 31, 22, tzinfo=UTC), datetime(2026, 12, 6, 6, tzinfo=UTC)
WITHOUT_LIST = replace(PLANTED_WORLD, messages=6_000, days=len(TWO_MONTHS))


@dataclass(frozen=True)
class Story:
    """Both worlds, whom the list named, and what the second company's report says."""

    without: World
    with_list: World
    listed: frozenset[str]
    told: CleanBase

    @property
    def true_savings(self) -> pl.DataFrame:
        """Truth of what the first company sent and the second did not."""
        sent = truth_at(self.with_list, END)
        return truth_at(self.without, END).join(sent, on="message_id", how="anti")


def do_days(project, days):
    land_and_rebuild(project, days)
    land_and_rebuild_streams(project, days)
    rebuild_suppressions(project, days)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    folder = tmp_path_factory.mktemp("list")
    with running_company(folder / "without", BEGIN, parameters=WITHOUT_LIST) as first:
        do_days(first.project, DAYS)
        exported = export_list(first.project, BEGIN)
    listed = frozenset(exported["contact_id"].drop_nulls())
    used = replace(WITHOUT_LIST, list_in_use=ListInUse(listed, NOVEMBER))
    with running_company(folder / "with", END, parameters=used) as second:
        do_days(second.project, TWO_MONTHS)
        order = ReportOrder(
            ReportKind.FAILURES, Period.MONTH, NOVEMBER, LAST, KYIV, Language.ENGLISH
        )
        told = figures_of(second.project, order).clean_base
    return Story(build_world(WITHOUT_LIST), build_world(used), listed, told)


@pytest.mark.slow
def test_the_proof_line_is_what_the_other_company_sent_more(story):
    saved, proof = story.true_savings, story.told.spared
    cost = dict(saved.group_by("currency").agg(pl.col("price_micro").sum()).iter_rows())

    assert set(saved["way"]) == set(OUTBOX_WAYS)
    assert proof.messages == saved.height > 50
    assert (proof.people, proof.unpriced) == (saved["contact_id"].n_unique(), 0)
    assert set(proof.cost_micro) == set(cost)
    # Two things nobody knows of a message that was not sent: how many parts it would have had,
    # and that a provider would refuse it free of charge which never refused this person before.
    for currency, paid in cost.items():
        assert proof.cost_micro[currency] == pytest.approx(paid, rel=0.15)
