"""A count that two roads do not agree on stops the report and is named."""

from dataclasses import replace

import pytest

from sms_etl.errors import ConservationError
from sms_etl.metrics.engaged import EngagementTables, engagement
from sms_etl.metrics.engagement_check import check_engagement
from tests.engagement.clicked import messages
from tests.metrics.test_engaged import COHORT, judged
from tests.reports import samples
from tests.reports.samples import totals


def report(delivered):
    cohort = totals(delivered, 1.0, unknown_share=0.0)
    return samples.nothing().model_copy(update={"totals": cohort})


TABLES = EngagementTables(
    messages({"message_id": "m1"}, {"message_id": "m2"}).lazy(),
    judged=judged({"message_id": "m1"}, {"message_id": "m2", "robot_rule": "user_agent"}),
)
COUNTED = engagement(TABLES, replace(COHORT, campaign="sale"))


def test_figures_that_add_up_pass():
    check_engagement(COUNTED, TABLES, replace(COHORT, campaign="sale"), report(2))


def test_deliveries_are_those_of_the_cube():
    with pytest.raises(ConservationError, match="delivered: 2 in the report, 3 counted"):
        check_engagement(COUNTED, TABLES, replace(COHORT, campaign="sale"), report(3))


@pytest.mark.parametrize(("field", "name"), [("clicks", "clicks"), ("clicked", "opened texts")])
def test_a_count_that_drifted_is_named(field, name):
    whole = COUNTED.whole
    wrong = {
        "clicks": whole.clicks + 1,
        "clicked": whole.clicked.model_copy(update={"numerator": 2}),
    }[field]
    drifted = COUNTED.model_copy(update={"whole": whole.model_copy(update={field: wrong})})
    with pytest.raises(ConservationError, match=f"^{name}: "):
        check_engagement(drifted, TABLES, replace(COHORT, campaign="sale"), report(2))
