"""What a table of one's own tells of the simulated world, and what it cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="sql",
    settings=lambda _accounts: {
        "url": "sqlite:///gateway.sqlite",
        "table": "sms_log",
        "time_zone": "Europe/Kyiv",
        "provider": "smpp_map",
        "batch_rows": 5,
        "columns": {
            "message_id": "id",
            "recipient": "phone",
            "sender": "sender",
            "text": "body",
            "status": "status",
            "code": "error_code",
            "parts_billed": "parts",
            "price": "cost",
            "currency": "currency",
            "created_at": "created_at",
            "sent_at": "sent_at",
            "done_at": "done_at",
            "updated_at": "updated_at",
        },
    },
    secrets=lambda _accounts: {},
    tells=(
        "recipient",
        "sender",
        "created_at",
        "sent_at",
        "done_at",
        "parts_billed",
        "cost_micro",
        "currency",
    ),
)
