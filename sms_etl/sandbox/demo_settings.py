"""The settings file and environment of the simulated retailer: also an example to start from."""

from __future__ import annotations

from datetime import date

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.world import WorldParameters

DEMO_WORLD = WorldParameters(messages=40_000, first_day=date(2026, 9, 1))
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
contact_id = "contact_id" }}

[sources.twilio]
kind = "twilio"
base_url = "{base_url}"
account_sid = "{account_sid}"
auth_token = "TWILIO_AUTH_TOKEN"
unsent_lookback_days = 60

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


def settings_text(base_url: str, mail_port: int, folder: str) -> str:
    """The settings file of the demo, TOML."""
    words = ", ".join(f'"{word}" = "{smpp}"' for word, smpp in CABINET_WORDS.items())
    return _SETTINGS.format(
        first_day=DEMO_FIRST_DAY,
        base_url=base_url,
        account_sid=Accounts().twilio_sid,
        folder=folder,
        mail_port=mail_port,
        domain=READERS_DOMAIN,
        status_words=f"{{ {words} }}",
    )


def environment() -> dict[str, str]:
    """Secrets of the demo: made up, and good for the sandbox only."""
    accounts = Accounts()
    return {
        "TWILIO_AUTH_TOKEN": accounts.twilio_auth,
        "TURBOSMS_TOKEN": accounts.turbosms_auth,
        "SMS_ETL_PSEUDONYM_KEY": "demo key, keep yours secret",
    }
