"""Realistic `Figures` for the tests of drawing, written straight from the data classes."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sms_etl.config.settings import Period, ReportKind
from sms_etl.metrics.rate import Interval, Rate, wilson
from sms_etl.reports.figures import (
    FIGURES_VERSION,
    Comparison,
    Cost,
    DayCount,
    DayPoint,
    Figures,
    Finding,
    FindingKind,
    GroupDays,
    GroupRow,
    HourCell,
    Latency,
    ReasonRow,
    Route,
    Scorecard,
    SourceState,
    TimeQuality,
    Totals,
    Verdict,
)
from sms_etl.reports.operations_figures import (
    DayFates,
    LateCount,
    LateReceipts,
    Operations,
    Pulls,
    RestatedSource,
    SourceDays,
)
from tests.reports import clean_samples

AS_OF = datetime(2026, 11, 1, 4, 40, tzinfo=UTC)
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
BEFORE_FIRST, BEFORE_LAST = date(2026, 9, 1), date(2026, 9, 30)
OUTAGE = (date(2026, 10, 17), date(2026, 10, 18))
LATE = date(2026, 10, 29)
PRICE_MICRO = 420_000
CAMPAIGNS = (
    ("autumn_sale", "Осінній розпродаж", 0.21),
    ("otp", "Код входу (OTP)", 0.19),
    ("order_status", "Статус замовлення", 0.16),
    ("visit_reminder", "Нагадування про візит", 0.12),
    ("birthday", "Бонуси до дня народження", 0.09),
    ("black_friday", "Чорна п’ятниця — підігрів", 0.08),
    ("win_back", "Повернення клієнтів, які не купували пів року", 0.06),
    ("nps", "Опитування NPS", 0.05),
    ("webinar", "Запрошення на вебінар", 0.03999),
    ("unknown", "unknown", 0.00001),
)
OPERATORS = (("Kyivstar", 0.44, 0.973), ("Vodafone Ukraine", 0.31, 0.968))
OPERATORS += (("lifecell", 0.2, 0.962), ("unknown", 0.05, 0.71))


def rate(k: int, n: int, name: str = "submitted", missing: int = 0, covered: int = 0) -> Rate:
    return Rate(
        value=k / n if n else None,
        numerator=k,
        denominator=n,
        denominator_name=name,
        low=k / n if n else None,
        high=(k + missing) / n if n else None,
        interval=wilson(k, n),
        coverage=covered / n if n else None,
        as_of=AS_OF,
        mature=missing == 0,
    )


def totals(
    submitted: int,
    share: float,
    *,
    unknown_share: float = 0.004,
    pending_share: float = 0.0,
    median: float = 3.2,
    quality: TimeQuality = TimeQuality.MEASURED,
    currencies: Sequence[tuple[str, float, int]] = (("UAH", 1.0, PRICE_MICRO),),
) -> Totals:
    delivered = round(submitted * share)
    rest = submitted - delivered
    unknown = min(rest, round(submitted * unknown_share))
    pending = min(rest - unknown, round(submitted * pending_share))
    rejected = (rest - unknown - pending) // 4
    failed = rest - unknown - pending - rejected
    final = delivered + failed + rejected
    known = quality is not TimeQuality.NOT_AVAILABLE and delivered > 0
    costs = []
    for currency, part, price in currencies:
        messages = round(submitted * part)
        if messages:
            costs.append(
                Cost(
                    currency=currency,
                    spent_micro=messages * price,
                    spent_on_undelivered_micro=round(messages * (1 - share)) * price,
                    per_delivered_micro=round(price / share) if delivered else None,
                    messages_with_cost=messages,
                    messages=messages,
                )
            )
    return Totals(
        submitted=submitted,
        delivered=delivered,
        failed=failed,
        rejected=rejected,
        unknown=unknown,
        pending=pending,
        parts=round(submitted * 1.62),
        messages_with_parts=submitted,
        delivery=rate(delivered, submitted, "submitted", unknown + pending, final),
        delivery_of_final=rate(delivered, final, "final", 0, final),
        coverage=rate(final, submitted),
        operator_receipts=0,
        latency=Latency(
            quality=quality,
            messages=delivered if known else 0,
            waiting=pending,
            median=median if known else None,
            p90=median * 3.1 if known else None,
            p95=median * 6.2 if known else None,
            p99=median * 31 if known else None,
            all_median=median * 1.1 if known and share > 0.6 else None,
            all_p90=median * 4.4 if known and share > 0.93 else None,
        ),
        costs=tuple(costs),
    )


def day_points(first: date, last: date, random_: random.Random, *, calm: bool) -> list[DayPoint]:
    points = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        volume = round((95_000 if day.isoweekday() > 5 else 178_000) * random_.uniform(0.93, 1.08))
        share, unknown, pending = random_.uniform(0.966, 0.974), 0.004, 0.0
        if not calm and day in OUTAGE:
            share = 0.884 if day == OUTAGE[0] else 0.931
        if not calm and day >= LATE:
            late = 0.006 + 0.012 * (day - LATE).days
            share, pending = share - late, late
        points.append(
            DayPoint(
                day=day,
                totals=totals(
                    volume,
                    share,
                    unknown_share=unknown,
                    pending_share=pending,
                    median=random_.uniform(2.9, 3.5),
                    currencies=(("UAH", 0.994, PRICE_MICRO), ("USD", 0.006, 79_000)),
                ),
            )
        )
    return points


def sum_of(points: Sequence[DayPoint]) -> Totals:
    submitted = sum(p.totals.submitted for p in points)
    delivered = sum(p.totals.delivered for p in points)
    waiting = sum(p.totals.pending for p in points)
    return totals(
        submitted,
        delivered / submitted,
        pending_share=waiting / submitted,
        currencies=(("UAH", 0.994, PRICE_MICRO), ("USD", 0.006, 79_000)),
    )


def hour_cells(random_: random.Random, submitted: int) -> list[HourCell]:
    weights = {}
    for weekday in range(1, 8):
        for hour in range(24):
            busy = math.exp(-((hour - 11) ** 2) / 9) + 0.8 * math.exp(-((hour - 18) ** 2) / 6)
            night = 0.015 if 7 <= hour <= 22 else 0.004
            weights[weekday, hour] = (busy + night) * (0.55 if weekday > 5 else 1.0)
    scale = submitted / sum(weights.values())
    cells = []
    for (weekday, hour), weight in weights.items():
        share = 0.905 if (weekday, hour) in {(6, 11), (6, 12), (7, 11)} else 0.97
        share += random_.uniform(-0.002, 0.002)
        messages = round(weight * scale)
        cells.append(HourCell(weekday=weekday, hour=hour, totals=totals(messages, share)))
    return cells


def group(key: str, label: str, n: int, share: float, was: float | None, **more) -> GroupRow:
    previous = totals(round(n * 0.95), was, **more) if was is not None else None
    return GroupRow(key=key, label=label, totals=totals(n, share, **more), previous=previous)


def reasons(undelivered: int) -> tuple[ReasonRow, ...]:
    table = (
        ("absent_subscriber", "temporary", "nobody", 0.404, 0.41),
        ("invalid_number", "permanent", "list", 0.19, 0.2),
        ("carrier_blocked", "temporary", "provider", 0.137, 0.01),
        ("no_receipt", "unknown", "provider", 0.105, 0.1),
        ("expired_ttl", "temporary", "nobody", 0.075, 0.08),
        ("unregistered_sender", "permanent", "sender", 0.047, 0.05),
        ("spam_filtered_content", "temporary", "sender", 0.028, 0.02),
        ("unknown_code", "unknown", "provider", 0.014, 0.0),
    )
    return tuple(
        ReasonRow(
            reason=reason,
            permanence=permanence,
            mender=mender,
            share=rate(round(undelivered * share), undelivered, "undelivered"),
            previous_messages=round(undelivered * was * 0.8),
        )
        for reason, permanence, mender, share, was in table
    )


def findings() -> tuple[Finding, ...]:
    def at(day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), tzinfo=UTC)

    cost = Cost(
        currency="UAH",
        spent_micro=15_421 * PRICE_MICRO,
        spent_on_undelivered_micro=15_421 * PRICE_MICRO,
        per_delivered_micro=None,
        messages_with_cost=15_421,
        messages=15_421,
    )
    return (
        Finding(
            id="f1",
            kind=FindingKind.DELIVERY_DROP,
            scope={"source": "turbosms", "operator": "lifecell"},
            start=at(OUTAGE[0], 6),
            end=at(OUTAGE[1], 15),
            messages=41_230,
            affected=15_421,
            excess=13_870,
            rate=rate(25_809, 41_230),
            baseline=rate(388_000, 402_000),
            main_reason="carrier_blocked",
            cost=(cost,),
            severity=0.9,
        ),
        Finding(
            id="f2",
            kind=FindingKind.RECEIPTS_MISSING,
            scope={"source": "alphasms"},
            start=at(LATE, 0),
            end=at(LAST, 21),
            messages=52_400,
            affected=7_930,
            excess=7_720,
            rate=rate(44_470, 52_400),
            baseline=rate(398_000, 400_000),
            main_reason="no_receipt",
            cost=(),
            severity=0.6,
        ),
        Finding(
            id="f3",
            kind=FindingKind.DEAD_NUMBERS,
            scope={"campaign": "win_back"},
            start=at(date(2026, 10, 8), 7),
            end=at(date(2026, 10, 8), 16),
            messages=88_000,
            affected=9_112,
            excess=8_020,
            rate=rate(9_112, 88_000),
            baseline=rate(12_000, 1_000_000),
            main_reason="invalid_number",
            cost=(cost,),
            severity=0.4,
        ),
        Finding(
            id="f4",
            kind=FindingKind.UNMAPPED_WORDS,
            scope={"source": "alphasms"},
            start=at(FIRST, 0),
            end=at(LAST, 21),
            messages=402_000,
            affected=21,
            excess=21,
            rate=rate(21, 402_000),
            baseline=None,
            main_reason=None,
            cost=(),
            severity=0.1,
        ),
    )


def sources(submitted: int) -> tuple[SourceState, ...]:
    table = (("turbosms", 0.62), ("alphasms", 0.28), ("vonage", 0.09), ("twilio", 0.01))
    states = []
    for name, share in table:
        messages = round(submitted * share)
        folded = {"part_of_message": round(messages * 0.3)} if name == "vonage" else {}
        quarantined = {"no_submit_time": 12, "unreadable_price": 3} if name == "alphasms" else {}
        states.append(
            SourceState(
                source=name,
                provider={"alphasms": "AlphaSMS", "turbosms": "TurboSMS"}.get(name, name.title()),
                days_expected=31,
                days_present=30 if name == "twilio" else 31,
                missing_days=(date(2026, 10, 12),) if name == "twilio" else (),
                records=messages + sum(folded.values()) + sum(quarantined.values()),
                messages=messages,
                folded=folded,
                quarantined=quarantined,
                unmapped={"BLOCKED_BY_SHAPER": 21} if name == "alphasms" else {},
                last_pulled_at=AS_OF - timedelta(minutes=25),
            )
        )
    return tuple(states)


def month(**changes: object) -> Figures:
    """October 2026: an outage of two days, late receipts at the end, two currencies."""
    random_ = random.Random(7)
    before = day_points(BEFORE_FIRST, BEFORE_LAST, random_, calm=True)
    days = day_points(FIRST, LAST, random_, calm=False)
    whole, was = sum_of(days), sum_of(before)
    n = whole.submitted
    undelivered = whole.failed + whole.rejected + whole.unknown
    usd = {"currencies": (("USD", 1.0, 79_000),)}
    upper = {"quality": TimeQuality.UPPER_ESTIMATE}
    figures = Figures(
        version=FIGURES_VERSION,
        kind=ReportKind.PERIOD,
        period=Period.MONTH,
        campaign=None,
        campaign_label=None,
        project="Аптеки «Подорожник»",
        first_day=FIRST,
        last_day=LAST,
        previous_first_day=BEFORE_FIRST,
        previous_last_day=BEFORE_LAST,
        zone="Europe/Kyiv",
        data_as_of=AS_OF,
        goal=0.97,
        totals=whole,
        previous=was,
        days=tuple(days),
        previous_days=tuple(before),
        hours=tuple(hour_cells(random_, n)),
        by_campaign=tuple(
            group(
                key,
                label,
                max(12, round(n * part)) if key != "unknown" else 12,
                0.58 if key == "unknown" else 0.975 - 0.004 * i,
                None if key in {"webinar", "unknown"} else 0.972 - 0.003 * i,
            )
            for i, (key, label, part) in enumerate(CAMPAIGNS)
        ),
        by_source=(
            group("turbosms", "TurboSMS", round(n * 0.62), 0.961, 0.972, median=2.4),
            group("alphasms", "AlphaSMS", round(n * 0.28), 0.968, 0.968, median=2.9, **upper),
            group("vonage", "Vonage", round(n * 0.09), 0.975, 0.969, median=4.1),
            group("twilio", "Twilio", round(n * 0.01), 0.981, 0.98, median=3.3, **usd, **upper),
        ),
        by_sender=(
            group("PODOROZHNYK", "PODOROZHNYK", round(n * 0.8), 0.967, 0.971),
            group("APTEKA", "APTEKA", round(n * 0.19), 0.958, 0.964),
            group("+15005550006", "+15005550006", round(n * 0.01), 0.981, None),
        ),
        by_country=(
            group("UA", "UA", round(n * 0.985), 0.966, 0.97),
            group("PL", "PL", round(n * 0.011), 0.981, 0.979),
            group("DE", "DE", round(n * 0.0039), 0.975, 0.975),
            group("MD", "MD", 12, 0.58, 0.9),
        ),
        by_operator=tuple(
            group(name, name, round(n * part), share, share + 0.004, median=2.1 + i * 1.3)
            for i, (name, part, share) in enumerate(OPERATORS)
        ),
        reasons=reasons(undelivered),
        findings=findings(),
        sources=sources(n),
    )
    return figures.model_copy(update=changes)


def nothing(*, missing: bool = False) -> Figures:
    """A month in which nothing was sent, or whose only source is missing."""
    days = tuple(FIRST + timedelta(days=n) for n in range(31)) if missing else ()
    empty = totals(0, 1.0)
    source = sources(1000)[0].model_copy(
        update={
            "days_present": 31 - len(days),
            "missing_days": days,
            "records": 0,
            "messages": 0,
            "folded": {},
            "last_pulled_at": None if missing else AS_OF,
        }
    )
    return month(
        totals=empty,
        previous=None,
        previous_first_day=None,
        previous_last_day=None,
        days=tuple(DayPoint(day=FIRST + timedelta(days=n), totals=empty) for n in range(31)),
        previous_days=(),
        hours=(),
        by_campaign=(),
        by_source=(),
        by_sender=(),
        by_country=(),
        by_operator=(),
        reasons=(),
        findings=(),
        sources=(source,),
    )


def campaign(submitted: int = 8_412) -> Figures:
    """One campaign sent over three days, with no previous period."""
    days = tuple(
        DayPoint(
            day=date(2026, 10, 20) + timedelta(days=n),
            totals=totals(round(submitted * part), 0.962 - 0.004 * n),
        )
        for n, part in enumerate((0.7, 0.2, 0.1))
    )
    share = sum(p.totals.delivered for p in days) / sum(p.totals.submitted for p in days)
    return month(
        kind=ReportKind.CAMPAIGN,
        period=None,
        campaign="autumn_sale",
        campaign_label="Осінній розпродаж",
        first_day=date(2026, 10, 20),
        last_day=date(2026, 10, 22),
        previous_first_day=None,
        previous_last_day=None,
        totals=totals(submitted, share),
        previous=None,
        days=days,
        previous_days=(),
        hours=tuple(hour_cells(random.Random(3), submitted)),
        by_campaign=(
            group("otp", "Код входу (OTP)", submitted * 3, 0.981, None),
            group("autumn_sale", "Осінній розпродаж", submitted, share, None),
        ),
        by_source=(group("turbosms", "TurboSMS", submitted, share, None),),
        by_sender=(group("APTEKA", "APTEKA", submitted, share, None),),
        by_country=(group("UA", "UA", submitted, share, None),),
        by_operator=tuple(
            group(name, name, round(submitted * part), share_, None, median=2.1 + i)
            for i, (name, part, share_) in enumerate(OPERATORS)
        ),
        reasons=reasons(submitted - round(submitted * share)),
        findings=(),
        sources=(
            sources(submitted)[0].model_copy(
                update={
                    "days_expected": 3,
                    "days_present": 3,
                    "records": submitted,
                    "messages": submitted,
                }
            ),
        ),
    )


ROUTES = (
    ("turbosms", "Kyivstar", 0.975), ("turbosms", "Vodafone Ukraine", 0.968),
    ("turbosms", "lifecell", 0.921), ("turbosms", "unknown", 0.71),
    ("alphasms", "Kyivstar", 0.972), ("alphasms", "Vodafone Ukraine", 0.97),
    ("alphasms", "lifecell", 0.964), ("alphasms", "unknown", 0.69),
    ("vonage", "Kyivstar", 0.974), ("vonage", "lifecell", 0.966), ("twilio", "Kyivstar", 0.98),
)  # fmt: skip
SOURCE_PARTS = {"turbosms": 0.62, "alphasms": 0.28, "vonage": 0.09, "twilio": 0.01}
OPERATOR_PARTS = {name: part for name, part, _ in OPERATORS}


def _comparison(row: GroupRow, base: GroupRow, standardised: float, verdict: Verdict) -> Comparison:
    return Comparison(
        key=row.key,
        rate=row.totals.delivery,
        base=base.totals.delivery,
        plain=standardised - 0.001,
        rate_effect=standardised,
        mix_effect=-0.001,
        standardised=standardised,
        interval=Interval(low=standardised - 0.002, high=standardised + 0.002),
        common=0.97,
        dispersion=1.4,
        p_value=0.001,
        verdict=verdict,
    )


def _scorecard(figures: Figures, dimension: str) -> Scorecard:
    n = figures.totals.submitted
    rows = figures.by_source if dimension == "source" else figures.by_operator
    worst, rest = (
        ("turbosms" if dimension == "source" else "lifecell"),
        iter([(0.006, Verdict.BETTER), (0.001, Verdict.NOT_SHOWN), (0.0, Verdict.TOO_EARLY)]),
    )
    verdicts = [(-0.014, Verdict.WORSE) if row.key == worst else next(rest) for row in rows]
    random_ = random.Random(11)
    series = []
    for row in rows:
        days = []
        for point in figures.days:
            submitted = round(point.totals.submitted * row.totals.submitted / n)
            share = (row.totals.delivery.value or 0.0) + random_.uniform(-0.004, 0.004)
            if point.day in OUTAGE and row.key in {"turbosms", "lifecell"}:
                share = 0.86
            days.append(
                DayCount(day=point.day, submitted=submitted, delivered=round(submitted * share))
            )
        series.append(GroupDays(key=row.key, days=tuple(days)))
    routes = tuple(
        Route(
            source=source,
            operator=operator,
            totals=totals(round(n * SOURCE_PARTS[source] * OPERATOR_PARTS[operator]), share),
        )
        for source, operator, share in ROUTES
    )
    return Scorecard(
        dimension=dimension,
        comparisons=tuple(
            _comparison(row, rows[0], amount, verdict)
            for row, (amount, verdict) in zip(rows, verdicts, strict=True)
        ),
        series=tuple(series),
        routes=routes,
    )


def providers() -> Figures:
    """October by source and route: one source loses the messages to one operator."""
    figures = month(kind=ReportKind.PROVIDERS)
    return figures.model_copy(update={"scorecard": _scorecard(figures, "source")})


def operators() -> Figures:
    """October by operator and country."""
    figures = month(kind=ReportKind.OPERATORS)
    return figures.model_copy(update={"scorecard": _scorecard(figures, "operator")})


def failures() -> Figures:
    """October by what did not arrive."""
    return month(
        kind=ReportKind.FAILURES,
        failure_study=clean_samples.STUDY,
        clean_base=clean_samples.BASE,
        suspicions=clean_samples.SUSPICIONS,
    )


def compliance() -> Figures:
    """October held against rules."""
    return month(
        kind=ReportKind.COMPLIANCE,
        compliance=clean_samples.RULES,
        clean_base=clean_samples.BASE,
        suspicions=clean_samples.SUSPICIONS,
    )


def operations() -> Figures:
    """October by what was pulled: a missing day, late receipts, restated figures."""
    figures = month(kind=ReportKind.OPERATIONS)
    days = [point.day for point in figures.days]
    pulls, fates, late = [], [], []
    for n, state in enumerate(figures.sources):
        pulls.append(
            Pulls(
                source=state.source,
                count=31 * (3 if n else 1) + 4,
                pages=state.records // 1000 + 31,
                records=state.records,
                seconds=1_912.4 / (n + 1),
                slowest_seconds=131.2 / (n + 1),
                retries=(0, 640, 3, 12)[n],
                waited_seconds=(0.0, 311.5, 4.0, 18.0)[n],
                last_at=AS_OF - timedelta(minutes=25 + n),
            )
        )
        fates.append(
            SourceDays(
                source=state.source,
                days=tuple(
                    DayFates(
                        day=day,
                        built=day not in state.missing_days,
                        messages=0 if n == 3 and day.isoweekday() > 5 else state.messages // 31,
                        set_aside=15 if state.quarantined and day == OUTAGE[0] else 0,
                    )
                    for day in days
                ),
            )
        )
        late.append(
            LateReceipts(
                source=state.source,
                ended=state.messages - 1000 * n,
                late=tuple(
                    LateCount(hours=hours, messages=count // (n + 1))
                    for hours, count in ((0, 4_120), (24, 610), (72, 12))
                ),
            )
        )
    restated = (
        RestatedSource(
            source="turbosms", figure="delivered", currency="", change=5_133, days=4,
            last_day=LAST, causes=("receipts",),
        ),
        RestatedSource(
            source="turbosms", figure="pending", currency="", change=-5_360, days=4,
            last_day=LAST, causes=("receipts",),
        ),
        RestatedSource(
            source="vonage", figure="spent", currency="UAH", change=1_204_000_000, days=31,
            last_day=LAST, causes=("prices", "settings"),
        ),
    )  # fmt: skip
    return figures.model_copy(
        update={
            "operations": Operations(
                pulls=tuple(pulls), days=tuple(fates), late=tuple(late), restated=restated
            )
        }
    )


def last_year_month() -> Figures:
    """The month with the same month last year, which delivered worse."""
    figures = month()
    then = totals(round(figures.totals.submitted * 0.87), 0.951, median=4.4)
    whole = GroupRow(key="", label="", totals=figures.totals, previous=None)
    change = _comparison(whole, whole.model_copy(update={"totals": then}), 0.014, Verdict.BETTER)
    return figures.model_copy(
        update={
            "last_year_first_day": FIRST.replace(year=FIRST.year - 1),
            "last_year_last_day": LAST.replace(year=LAST.year - 1),
            "last_year": then,
            "last_year_change": change,
        }
    )
