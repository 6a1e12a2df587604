"""Figures of the clean base, written by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from sms_etl.compliance.packs import Pack
from sms_etl.compliance.rules import rules_of
from sms_etl.config.settings import Compliance as ComplianceSettings
from sms_etl.metrics.rate import Interval, Rate, wilson
from sms_etl.reports.clean_figures import (
    CleanBase,
    CommonFactor,
    Compliance,
    FailureStudy,
    ListedBy,
    RuleJudged,
    Spared,
    StopLag,
    Suspicion,
    SuspicionSign,
    Wasted,
)

AS_OF = datetime(2026, 11, 2, 6, tzinfo=UTC)


def rate(k: int, n: int, name: str) -> Rate:
    return Rate(
        value=k / n if n else None, numerator=k, denominator=n, denominator_name=name, low=None,
        high=None, interval=wilson(k, n), coverage=None, as_of=AS_OF, mature=True,
    )  # fmt: skip


def _factor(
    scope: dict[str, str], inside: tuple[int, int], outside: tuple[int, int]
) -> CommonFactor:
    lift = inside[0] / inside[1] / (outside[0] / outside[1])
    return CommonFactor(
        scope=scope,
        inside=rate(*inside, "ended"),
        outside=rate(*outside, "ended"),
        lift=lift,
        interval=Interval(low=lift * 0.92, high=lift * 1.09),
        share_of_failures=rate(inside[0], inside[0] + outside[0], "undelivered"),
        p_value=1e-12,
    )


STUDY = FailureStudy(
    messages=4_780_000,
    failed=168_000,
    candidates=1_284,
    dispersion=1.8,
    factors=(
        _factor(
            {"operator": "lifecell", "sender": "PROMIN"}, (41_200, 96_400), (126_800, 4_683_600)
        ),
        _factor({"contact_source": "виставка 2024"}, (18_300, 61_000), (149_700, 4_719_000)),
        _factor({"hour": "22"}, (9_100, 88_000), (158_900, 4_692_000)),
        _factor({"template": "3b650b499458403b"}, (3_300, 41_000), (164_700, 4_739_000)),
        _factor({"number_prefix": "3806391"}, (800, 9_400), (167_200, 4_770_600)),
    ),
)

BASE = CleanBase(
    people=18_412,
    rules=(
        ListedBy(
            rule="no_such_number", people=11_204, added=1_310,
            ended={"delivered": 12, "expired": 301}, lifted_by="list_owner",
        ),
        ListedBy(rule="not_mobile", people=2_118, added=44, ended={}, lifted_by="list_owner"),
        ListedBy(
            rule="hard_failures", people=690, added=112, ended={"lifted": 2},
            lifted_by="list_owner",
        ),
        ListedBy(
            rule="opted_out", people=4_400, added=391, ended={"opted_in": 5}, lifted_by="person"
        ),
    ),
    spared=Spared(messages=61_204, people=13_020, unpriced=41, cost_micro={"UAH": 58_731_000_000}),
    wasted=Wasted(messages=812, people=402, undelivered=788, cost_micro={"UAH": 797_000_000}),
    list_failures=rate(21_400, 4_800_284, "submitted"),
    list_failures_before=rate(79_000, 4_710_112, "submitted"),
)  # fmt: skip

SETTINGS = ComplianceSettings.model_validate(
    {
        "packs": [Pack.UKRAINE, Pack.EUROPEAN_UNION],
        "quiet_from": "21:00:00",
        "quiet_to": "08:00:00",
        "most_per_7_days": 4,
    }
)


def _judged() -> tuple[RuleJudged, ...]:
    told = {
        "ua.after_opt_out": (
            212,
            1_900_000,
            {"autumn": 180, "promo": 32},
            {"purpose_unknown": 900},
        ),
        "ua.consent": (1_904, 1_900_000, {"promo": 1_904}, {"person_unknown": 412}),
        "ua.wording": (31_000, 1_870_000, {"survey": 31_000}, {"no_text": 30_000}),
        "house.hours": (96, 1_899_400, {"autumn": 96}, {"zone_ambiguous": 310, "zone_unknown": 22}),
    }
    rows = []
    for rule in rules_of(SETTINGS):
        broken, judged, campaigns, unjudged = told.get(rule.id, (0, 1_200, {}, {}))
        rows.append(
            RuleJudged(
                rule=rule.id, kind=rule.kind.value, breaches=rate(broken, judged, "judged"),
                people=broken // 2, campaigns=campaigns, not_judged=unjudged, most=rule.most,
                days=rule.days, source={"en": rule.source, "uk": rule.source_uk},
                reading={"en": rule.reading, "uk": rule.reading_uk}, seen=rule.seen,
                read_on=rule.read_on,
            )
        )  # fmt: skip
    return tuple(rows)


RULES = Compliance(
    packs=("ua", "eu", "house"),
    rules=_judged(),
    lag=StopLag(
        written_after=rate(88, 391, "people_who_refused"), half_hours=31.5, longest_hours=214.0
    ),
    consent_register=True,
)

SUSPICIONS = (
    Suspicion(
        kind="pumped_traffic",
        scope={"country": "AZ", "number_prefix": "9947012"},
        messages=4_200,
        first_at=datetime(2026, 10, 17, 0, 4, tzinfo=UTC),
        last_at=datetime(2026, 10, 17, 3, 51, tzinfo=UTC),
        signs=(
            SuspicionSign(sign="new_country", value=0.0009, usual=0.0, of=4_800_284),
            SuspicionSign(sign="number_runs", value=0.97, usual=0.002, of=4_200),
            SuspicionSign(sign="no_clicks", value=0.0, usual=0.061, of=3_900),
            SuspicionSign(sign="dearer", value=14.2, usual=3.5, of=4_200),
        ),
        sample=tuple(f"twilio:SM{n:032x}" for n in range(4)),
    ),
    Suspicion(
        kind="faked_receipts",
        scope={"source": "turbosms", "operator": "lifecell"},
        messages=31_400,
        first_at=datetime(2026, 10, 1, 6, tzinfo=UTC),
        last_at=datetime(2026, 10, 31, 19, tzinfo=UTC),
        signs=(
            SuspicionSign(sign="no_clicks", value=0.008, usual=0.055, of=30_100),
            SuspicionSign(sign="too_fast", value=0.91, usual=0.02, of=31_400),
        ),
        sample=("turbosms:42aef5af-ab60-a0e3-85e0-021a7486f019",),
    ),
)
