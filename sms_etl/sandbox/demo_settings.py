"""The settings file and environment of the simulated retailer: also an example to start from."""

from __future__ import annotations

from datetime import date

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.company import REFUSAL_TIME
from sms_etl.sandbox.plants import MOST_IN_DAYS, Plants
from sms_etl.sandbox.shop import PROMO_CODES
from sms_etl.sandbox.world import WorldParameters

DEMO_WORLD = WorldParameters(messages=40_000, first_day=date(2026, 9, 1), plants=Plants())
"""Its outage and its spam-filter block fall into the month that the demo reports on."""

DEMO_FIRST_DAY = date(2026, 9, 1)
READERS_DOMAIN = "promin.example"

CABINET_WORDS = {
    "Доставлено": "DELIVRD",
    "Не доставлено": "UNDELIV",
    "Прострочено": "EXPIRED",
    "Відхилено": "REJECTD",
    "Невідомо": "UNKNOWN",
    "Надіслано": "ENROUTE",
    "У черзі": "ACCEPTD",
}
"""Words of the cabinet's export in the words of SMPP."""

_SETTINGS = """\
# Settings of the demo: a simulated retailer with four ways to send. See docs/configuration.md.

[project]
name = "Промінь"
data_dir = "data"
business_time_zone = "Europe/Kyiv"
first_day = {first_day}
home_country = "UA"
goal_delivery_rate = 0.95
pseudonym_key = "SMS_ETL_PSEUDONYM_KEY"

[campaigns]
catalogue = "in/campaigns.csv"

[[campaigns.rules]]
sender = "PROMINQ"
campaign = "survey"

[money]
currency = "UAH"
rates = "in/nbu.json"

[outbox]
kind = "csv"
path = "in/outbox.csv"
time_zone = "UTC"
columns = {{ message_id = "message_id", source = "source", recipient = "recipient", \
campaign = "campaign", submitted_at = "submitted_at", sender = "sender", text = "text", \
contact_id = "contact_id"{outbox_more} }}

[sources.twilio]
kind = "twilio"
base_url = "{base_url}"
account_sid = "{account_sid}"
auth_token = "TWILIO_AUTH_TOKEN"
unsent_lookback_days = 60{twilio_more}

[sources.turbosms]
kind = "turbosms"
base_url = "{base_url}"
token = "TURBOSMS_TOKEN"
requests_per_second = 50.0
tariff = [
  {{ country = "UA", price_per_part = 0.98, currency = "UAH" }},
  {{ price_per_part = 3.40, currency = "UAH" }},
]

[invoices.turbosms]
folder = "in/invoices"
delimiter = ";"
decimal = ","
time_zone = "Europe/Kyiv"
time_formats = ["%d.%m.%Y %H:%M:%S"]
columns = {{ message_id = "ID", day = "Дата", parts = "Частин", price = "Сума", \
currency = "Валюта" }}

[reconciliation]
outbox_sources = ["twilio", "turbosms"]

[sources.cabinet]
kind = "drop_folder"
folder = "in/cabinet"
provider = "smpp"
delimiter = ";"
decimal = ","
time_zone = "Europe/Kyiv"
time_formats = ["%d.%m.%Y %H:%M:%S", "iso"]
columns = {{ message_id = "ID", recipient = "Телефон", sender = "Відправник", status = "Статус", \
created_at = "Відправлено", done_at = "Доставлено", parts_billed = "Частин", price = "Ціна" }}
constants = {{ currency = "UAH" }}
status_words = {status_words}

[sources.gateway]
kind = "sql"
url = "sqlite:///{folder}/in/gateway.sqlite"
table = "sms_log"
provider = "smpp_map"
time_zone = "UTC"
columns = {{ message_id = "id", recipient = "phone", sender = "sender", campaign = "campaign", \
text = "body", status = "status", code = "error_code", parts_billed = "parts", price = "cost", \
currency = "currency", created_at = "created_at", sent_at = "sent_at", done_at = "done_at", \
updated_at = "updated_at" }}

[mail]
host = "127.0.0.1"
port = {mail_port}
security = "none"
sender = "Звіти Промінь <reports@{domain}>"
owner = "data-team@{domain}"
allowed_domains = ["{domain}"]

[[subscriptions]]
name = "weekly"
readers = ["marketing@{domain}", "director@{domain}"]
report = "period"
period = "week"
language = "uk"
cron = "0 8 * * 1"

[[subscriptions]]
name = "monthly"
readers = ["director@{domain}"]
report = "period"
period = "month"
language = "uk"
cron = "0 8 2 * *"

[[subscriptions]]
name = "monthly_en"
readers = ["investor@{domain}"]
report = "period"
period = "month"
language = "en"
cron = "0 8 2 * *"

[[subscriptions]]
name = "autumn_sale"
readers = ["marketing@{domain}"]
report = "campaign"
campaign = "autumn-sale"
language = "uk"
cron = "0 8 * * 1"
"""


_OUTBOX_MORE = ', skipped = "skipped", contact_source = "contact_source"'
_TWILIO_MORE = '\nengagement = ["replies"]'
_PLANTED_SETTINGS = """
[sources.shop]
kind = "sql_events"
stream = "orders"
url = "sqlite:///{folder}/in/shop.sqlite"
table = "orders"
time_zone = "UTC"
columns = {{ event_id = "number", at = "created_at", recipient = "phone", \
contact_id = "customer_id", amount = "total", currency = "currency", order_kind = "type", \
refund_of = "refund_of", utm_source = "utm_source", utm_campaign = "utm_campaign", \
promo_code = "promo" }}

[sources.links]
kind = "sql_events"
stream = "clicks"
url = "sqlite:///{folder}/in/shop.sqlite"
table = "visits"
time_zone = "UTC"
columns = {{ event_id = "id", at = "opened_at", link = "url", message_id = "message_id", \
user_agent = "user_agent", address = "ip" }}

[sources.consents]
kind = "sql_events"
stream = "consents"
url = "sqlite:///{folder}/in/shop.sqlite"
table = "consents"
time_zone = "UTC"
columns = {{ contact_id = "customer_id", recipient = "phone", at = "given_at", \
withdrawn_at = "withdrawn_at", how = "how", purpose = "purpose" }}

[sources.refusals]
kind = "file_events"
stream = "opt_outs"
folder = "in/refusals"
time_zone = "Europe/Kyiv"
time_formats = ["{refusal_time}"]
columns = {{ contact_id = "contact_id", recipient = "phone", at = "refused_at" }}

[engagement]
promo_codes = {{ {promo_codes} }}

[compliance]
packs = ["ua", "eu", "us"]
quiet_from = 22:00:00
quiet_to = 08:00:00
most_per_7_days = {most}
"""


def settings_text(base_url: str, mail_port: int, folder: str, *, planted: bool = False) -> str:
    """The settings file of the demo, TOML; `planted` for a world with plants."""
    words = ", ".join(f'"{word}" = "{smpp}"' for word, smpp in CABINET_WORDS.items())
    plain = _SETTINGS.format(
        first_day=DEMO_FIRST_DAY,
        base_url=base_url,
        account_sid=Accounts().twilio_sid,
        folder=folder,
        mail_port=mail_port,
        domain=READERS_DOMAIN,
        status_words=f"{{ {words} }}",
        outbox_more=_OUTBOX_MORE if planted else "",
        twilio_more=_TWILIO_MORE if planted else "",
    )
    return plain + _planted_settings(folder) if planted else plain


def _planted_settings(folder: str) -> str:
    codes = ", ".join(f'{code} = "{campaign}"' for campaign, code in PROMO_CODES.items())
    return _PLANTED_SETTINGS.format(
        folder=folder, refusal_time=REFUSAL_TIME, promo_codes=codes, most=MOST_IN_DAYS
    )


def environment() -> dict[str, str]:
    """Secrets of the demo: made up, and good for the sandbox only."""
    accounts = Accounts()
    return {
        "TWILIO_AUTH_TOKEN": accounts.twilio_auth,
        "TURBOSMS_TOKEN": accounts.turbosms_auth,
        "SMS_ETL_PSEUDONYM_KEY": "demo key, keep yours secret",
    }
