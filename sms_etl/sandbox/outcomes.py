"""What can become of a message, and the word every provider has for it."""

from __future__ import annotations

import polars as pl

from sms_etl.sandbox.people import ABROAD

OUTCOMES = pl.DataFrame(
    [
        # outcome, true class, Twilio word and code, TurboSMS word and code, cabinet, SMPP and err
        ("delivered", "delivered", "delivered", None, "Delivered", 0, "Доставлено", "DELIVRD", 0),
        ("no_receipt", "unknown", "sent", None, "Sent", 0, "Надіслано", "ENROUTE", 0),
        ("expired", "failed", "undelivered", 30003, "Expired", 0, "Прострочено", "EXPIRED", 27),
        ("dead_number", "failed", "undelivered", 30005, "Undelivered", 0, "Не доставлено",
         "UNDELIV", 1),
        ("landline", "failed", "undelivered", 30006, "Undelivered", 0, "Не доставлено",
         "UNDELIV", 11),
        ("network_error", "failed", "undelivered", 30008, "Undelivered", 0, "Не доставлено",
         "UNDELIV", 34),
        ("spam_filter", "failed", "undelivered", 30007, "Undelivered", 0, "Не доставлено",
         "UNDELIV", 13),
        ("outage", "failed", "undelivered", 30003, "Undelivered", 0, "Не доставлено",
         "UNDELIV", 27),
        ("final_unknown", "unknown", "partially_delivered", None, "Unknown", 0, "Невідомо",
         "UNKNOWN", 0),
        ("invalid_number", "rejected", "failed", 21211, "Rejected", 305, "Відхилено",
         "REJECTD", 1),
        ("opted_out", "rejected", "failed", 21610, "Rejected", 404, "Відхилено", "REJECTD", 0),
        ("cancelled", "rejected", "canceled", None, "Cancelled", 0, "Скасовано", "REJECTD", 0),
    ],
    schema={
        "outcome": pl.String, "class": pl.String, "twilio_word": pl.String,
        "twilio_code": pl.Int64, "turbosms_word": pl.String, "turbosms_code": pl.Int64,
        "cabinet_word": pl.String, "gateway_word": pl.String, "gateway_code": pl.Int64,
    },
    orient="row",
)  # fmt: skip
"""The true outcomes. Codes: Twilio's error dictionary, TurboSMS's code table (github
daaner/turbosms), GSM MAP errors for the gateway. A refusal by TurboSMS is shown as the status
Rejected with the reason in the message's own response_code (404 stop list, 305 invalid number)."""

TURBOSMS_CODE_NAMES = {
    0: "OK",
    305: "INVALID_PHONE",
    404: "NOT_ALLOWED_NUMBER_STOPLIST",
}

QUALITY = pl.DataFrame(
    [
        # network, expired, no receipt, final unknown, network error, typical seconds to deliver
        ("Kyivstar", 0.018, 0.006, 0.0008, 0.003, 4.0),
        ("Vodafone", 0.022, 0.008, 0.0010, 0.004, 5.0),
        ("lifecell", 0.028, 0.012, 0.0015, 0.006, 7.0),
        ("TriMob", 0.060, 0.080, 0.0040, 0.015, 25.0),
        (ABROAD, 0.030, 0.060, 0.0020, 0.010, 12.0),
    ],
    schema={
        "network": pl.String, "p_expired": pl.Float64, "p_no_receipt": pl.Float64,
        "p_unknown": pl.Float64, "p_error": pl.Float64, "typical_seconds": pl.Float64,
    },
    orient="row",
)  # fmt: skip
"""How good each network is, invented for the sandbox."""
