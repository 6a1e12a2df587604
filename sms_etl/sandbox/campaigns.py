"""What the simulated retailer sends, through whom and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import polars as pl


class Way(StrEnum):
    """How messages leave the retailer: two HTTP providers, a web cabinet, a gateway with SQL."""

    TWILIO = "twilio"
    TURBOSMS = "turbosms"
    CABINET = "cabinet"
    GATEWAY = "gateway"


@dataclass(frozen=True)
class Campaign:
    """One campaign: identity, route, share of its way's messages, rhythm and text.

    `hours` are (from, to, weight) in local time. `blasts` are positions in the period, 0 to 1;
    without any the campaign runs daily. `weekends` keeps Saturdays and Sundays only.
    """

    id: str
    name_uk: str
    name_en: str
    kind: str
    way: Way
    sender: str
    share: float
    hours: tuple[tuple[int, int, float], ...]
    text: str
    blasts: tuple[float, ...] = ()
    weekends: bool = False
    service: bool = False
    channel: str = "sms"


BRAND, SALE_BRAND = "PROMIN", "PROMINSALE"
OUTAGE_AT, BLOCK_AT = 0.51, 0.63
"""Positions in the period of the days on which the outage happens and the block begins."""

_AROUND_THE_CLOCK = ((0, 7, 0.06), (7, 9, 0.14), (9, 18, 0.5), (18, 23, 0.28), (23, 24, 0.02))
_SHOP_HOURS = ((9, 13, 0.4), (13, 18, 0.4), (18, 20, 0.2))

CAMPAIGNS = (
    Campaign(
        "login-code", "Код входу", "Login code", "otp", Way.TWILIO, BRAND, 16, _AROUND_THE_CLOCK,
        "{code} — ваш код входу до Промінь. Нікому його не повідомляйте.", service=True,
    ),
    Campaign(
        "order-ready", "Замовлення готове до видачі", "Order ready for pick-up", "service",
        Way.TWILIO, BRAND, 9, _SHOP_HOURS,
        "{name}, замовлення {order} чекає на вас у магазині Промінь. Зберігаємо його 5 днів.",
        service=True,
    ),
    Campaign(
        "autumn-sale", "Осінній розпродаж", "Autumn sale", "promo", Way.TWILIO, SALE_BRAND, 15,
        ((10, 14, 0.7), (18, 20, 0.3)),
        "{name}, осінній розпродаж у Промінь: знижки до 50% на техніку для дому. Лише три дні. "
        "Деталі: https://promin.example/s1",
        blasts=(0.40, OUTAGE_AT, BLOCK_AT, 0.86),
    ),
    Campaign(
        "weekend-prices", "Ціни вихідного дня", "Weekend prices", "promo", Way.TWILIO, SALE_BRAND,
        9, ((10, 12, 0.5), (18, 21, 0.5)),
        "Promin: u vykhidni kava й chai -30%. Detali https://promin.example/w2", weekends=True,
    ),
    Campaign(
        "loyalty-points", "Бали згорають", "Points expire soon", "promo", Way.TWILIO, SALE_BRAND,
        6, ((11, 17, 1.0),),
        "Promin: {points} baliv zghoriat 30 chysla – vstyhnit vykorystaty https://promin.example/b3",
    ),
    Campaign(
        "order-shipped", "Замовлення відправлено", "Order shipped", "service", Way.TURBOSMS, BRAND,
        15, _SHOP_HOURS,
        "{name}, замовлення {order} відправлено. Очікуйте доставку протягом двох днів. Дякуємо, "
        "що ви з Промінь!",
    ),
    Campaign(
        "payment-code", "Код підтвердження оплати", "Payment code", "otp", Way.TURBOSMS, BRAND, 10,
        _AROUND_THE_CLOCK, "Promin: kod oplaty {code}. Nikomu ne kazhit yoho.",
    ),
    Campaign(
        "back-to-school", "Знову до школи", "Back to school", "promo", Way.TURBOSMS, BRAND, 10,
        ((10, 13, 0.6), (17, 20, 0.4)),
        "{name}, готуємось до школи разом: рюкзаки, зошити, пенали та канцелярія зі знижкою 25% у "
        "всіх магазинах Промінь до кінця місяця. Адреси та умови: https://promin.example/k4",
        blasts=(0.12, 0.24, 0.30),
    ),
    Campaign(
        "birthday", "Вітання з днем народження", "Birthday greeting", "promo", Way.TURBOSMS, BRAND,
        6, ((9, 11, 1.0),),
        "{name}, з днем народження! Даруємо 200 грн на покупки: промокод DR{points}.",
    ),
    Campaign(
        "cart-reminder", "Нагадування про кошик", "Basket reminder", "promo", Way.TURBOSMS, BRAND,
        4, ((12, 20, 1.0),),
        "{name}, товари у вашому кошику ще чекають. Завершіть замовлення: "
        "https://promin.example/c5",
        channel="viber",
    ),
    Campaign(
        "survey", "Опитування покупців", "Customer survey", "service", Way.CABINET, "PROMINQ", 1,
        ((11, 19, 1.0),),
        "[Promin] Diakuiemo za pokupku! Otsinit, bud laska, robotu nashoho mahazynu vid 1 do 10. "
        "Tse zaimaie odnu khvylynu, a nam dopomozhe staty krashchymy: https://promin.example/q6",
    ),
    Campaign(
        "shop-alerts", "Сповіщення магазинів", "Shop alerts", "service", Way.GATEWAY, "PROMINOPS",
        1, _AROUND_THE_CLOCK, "Зміна {order}: перевірте залишки в касі.",
    ),
)  # fmt: skip

CATALOGUE = pl.DataFrame(
    [
        {
            "campaign": c.id, "name_uk": c.name_uk, "name_en": c.name_en, "kind": c.kind,
            "way": str(c.way), "sender": c.sender, "service": c.service, "channel": c.channel,
            "template": c.text, "share": c.share,
        }
        for c in CAMPAIGNS
    ]
)  # fmt: skip
"""The campaigns as a table."""

_CLOCK_CHANGE_MESSAGES = 12
"""Messages of a round-the-clock campaign in the hours around a change of clocks, so that even a
small world has some there."""
_CLOCK_CHANGE_HOURS = (3, 5)
"""Elapsed hours after midnight; in autumn both of them are called three o'clock."""


def local_time(day: date, hours: float, zone: ZoneInfo) -> datetime:
    """UTC time of so many elapsed hours after local midnight."""
    midnight = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    return midnight + timedelta(hours=hours)


def day_at(first: date, days: int, position: float) -> date:
    """The day at a position, 0 to 1, of the period."""
    return first + timedelta(days=int(position * days))


_SLOTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "slot_start": pl.Datetime("us", "UTC"),
    "slot_seconds": pl.Int64,
    "weight": pl.Float64,
}


def slots(
    campaign: Campaign, messages: int, first: date, days: int, zone: ZoneInfo
) -> pl.DataFrame:
    """When a campaign of so many messages sends: slot_start (UTC), slot_seconds and weight."""
    rows = list(_regular_slots(campaign, first, days, zone))
    if campaign.hours == _AROUND_THE_CLOCK:
        total = sum(weight for _, _, weight in rows)
        rows += [
            (start, seconds, total * _CLOCK_CHANGE_MESSAGES / messages)
            for start, seconds in _clock_change_nights(first, days, zone)
        ]
    return pl.DataFrame(rows, schema=_SLOTS, orient="row")


def _regular_slots(
    campaign: Campaign, first: date, days: int, zone: ZoneInfo
) -> Iterator[tuple[datetime, int, float]]:
    if campaign.blasts:
        sending_days = {day_at(first, days, position) for position in campaign.blasts}
    else:
        sending_days = {first + timedelta(days=n) for n in range(days)}
    for day in sorted(sending_days):
        if campaign.weekends and day.isoweekday() < 6 and days >= 7:
            continue
        for start, end, weight in campaign.hours:
            yield local_time(day, start, zone), (end - start) * 3600, weight


def _clock_change_nights(first: date, days: int, zone: ZoneInfo) -> Iterator[tuple[datetime, int]]:
    for n in range(days):
        day = first + timedelta(days=n)
        start, end = (local_time(d, 0, zone) for d in (day, day + timedelta(days=1)))
        if end - start != timedelta(hours=24):
            first_hour, last_hour = _CLOCK_CHANGE_HOURS
            yield start + timedelta(hours=first_hour), (last_hour - first_hour) * 3600
