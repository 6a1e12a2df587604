from __future__ import annotations

from decimal import Decimal

import pytest

from sms_etl.config.settings import OnlyIf
from sms_etl.reports.figures import FindingKind
from sms_etl.subscriptions.conditions import why_not
from tests.reports import samples

MONTH = samples.month()
RATE = MONTH.totals.delivery.high or 0.0
SPENT = max(cost.spent_micro for cost in MONTH.totals.costs) / 1_000_000
FOUND = MONTH.findings[0].kind.value
ABSENT = next(k.value for k in FindingKind if k not in {f.kind for f in MONTH.findings})


@pytest.mark.parametrize(
    ("only_if", "goes_out"),
    [
        (None, True),
        (OnlyIf(delivery_below=RATE + 0.001), True),
        (OnlyIf(delivery_below=RATE), False),
        (OnlyIf(cost_above=Decimal(int(SPENT) - 1)), True),
        (OnlyIf(cost_above=Decimal(int(SPENT) + 1)), False),
        (OnlyIf(findings=("any",)), True),
        (OnlyIf(findings=(FOUND,)), True),
        (OnlyIf(findings=(ABSENT,)), False),
        (OnlyIf(delivery_below=RATE / 2, findings=(FOUND,)), True),
        (OnlyIf(delivery_below=RATE / 2, changed=True), False),
    ],
)
def test_one_condition_that_holds_is_enough(only_if, goes_out):
    reason = why_not(only_if, MONTH, MONTH)
    assert (reason is None) == goes_out
    if reason:
        assert reason.startswith("none of these holds: ")


def test_a_rate_of_few_messages_is_no_threshold():
    totals = MONTH.totals.model_copy(
        update={
            "delivery": MONTH.totals.delivery.model_copy(
                update={"numerator": 3, "denominator": 20, "value": 0.15, "high": 0.15}
            )
        }
    )
    few = MONTH.model_copy(update={"totals": totals})
    assert why_not(OnlyIf(delivery_below=0.9), few, None) is not None


def test_changed_compares_figures_of_the_same_days_and_what_is_new_of_others():
    changed = OnlyIf(changed=True)
    assert why_not(changed, MONTH, None) is None
    one_less = MONTH.totals.model_copy(update={"delivered": MONTH.totals.delivered - 1})
    assert why_not(changed, MONTH.model_copy(update={"totals": one_less}), MONTH) is None
    before = MONTH.model_copy(update={"first_day": MONTH.previous_first_day})
    quiet = MONTH.model_copy(update={"change": None, "restated": ()})
    assert why_not(changed, quiet, before) is not None
    assert why_not(changed, quiet.model_copy(update={"findings": ()}), before) is None
