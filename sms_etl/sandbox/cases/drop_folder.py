"""What dropped exports tell of the simulated world, and what they cannot."""

from sms_etl.sandbox.case import Case

CASE = Case(
    kind="drop_folder",
    settings=lambda _accounts: {
        "folder": ".",
        "time_zone": "Europe/Kyiv",
        "time_formats": ["%d.%m.%Y %H:%M:%S"],
        "delimiter": ";",
        "decimal": ",",
        "provider": "smpp_map",
        "columns": {
            "message_id": "ID",
            "recipient": "Телефон",
            "sender": "Відправник",
            "status": "Статус",
            "code": "Помилка",
            "created_at": "Відправлено",
            "done_at": "Завершено",
            "parts_billed": "Частин",
            "price": "Ціна",
        },
        "status_words": {
            "У черзі": "ACCEPTD",
            "Надіслано": "ENROUTE",
            "Доставлено": "DELIVRD",
            "Прострочено": "EXPIRED",
            "Не доставлено": "UNDELIV",
            "Невідомо": "UNKNOWN",
            "Відхилено": "REJECTD",
        },
    },
    secrets=lambda _accounts: {},
    tells=("recipient", "sender", "created_at", "done_at", "parts_billed", "cost_micro"),
    cannot={
        "a_day_without_messages_is_empty_and_no_error": "files are taken whatever day they hold",
    },
)
