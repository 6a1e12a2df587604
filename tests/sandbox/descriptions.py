"""What providers' OpenAPI descriptions say of the one path we ask, stated by this project.

Facts only: names, types, enumerations and bounds; `openapi/README.md` says after which documents,
and where a statement departs from its document because that contradicts its own examples.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
YES_OR_NO: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
LINK: Schema = {"type": "string", "format": "uri"}


def one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def like(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


def or_null(schema: Schema) -> Schema:
    return {**schema, "nullable": True}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def fields(required: tuple[str, ...] = (), **schemas: Schema) -> Schema:
    told: Schema = {"type": "object", "properties": schemas}
    return told | ({"required": list(required)} if required else {})


def query(schemas: dict[str, Schema], required: tuple[str, ...] = ()) -> list[Schema]:
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in schemas.items()
    ]


def described(
    host: str, path: str, scheme: str, parameters: list[Schema], answers: dict[int, Schema]
) -> Schema:
    """An OpenAPI description of GET on one path, whose answers are JSON."""
    return {
        "openapi": "3.0.3",
        "info": {"title": f"GET {path}", "version": "1"},
        "servers": [{"url": host}],
        "security": [{"account": []}],
        "components": {"securitySchemes": {"account": {"type": "http", "scheme": scheme}}},
        "paths": {
            path: {
                "get": {
                    "parameters": parameters,
                    "responses": {
                        str(status): {
                            "description": "answer",
                            "content": {"application/json": {"schema": schema}},
                        }
                        for status, schema in answers.items()
                    },
                }
            }
        },
    }


def sid(kinds: str) -> Schema:
    return like(rf"({kinds})[0-9a-fA-F]{{32}}")


TWILIO_STATUSES = (
    "queued", "sending", "sent", "failed", "delivered", "undelivered", "receiving", "received",
    "accepted", "scheduled", "read", "partially_delivered", "canceled",
)  # fmt: skip
TWILIO_TIME = or_null({"type": "string", "format": "date-time-rfc-2822"})
TWILIO_MESSAGE = fields(
    sid=or_null(sid("SM|MM")),
    account_sid=or_null(sid("AC")),
    messaging_service_sid=or_null(sid("MG")),
    status=one_of(*TWILIO_STATUSES),
    direction=one_of("inbound", "outbound-api", "outbound-call", "outbound-reply"),
    error_code=or_null(WHOLE),
    **dict.fromkeys(("date_created", "date_sent", "date_updated"), TWILIO_TIME),
    **dict.fromkeys(
        ("from", "to", "body", "num_segments", "num_media", "price", "price_unit",
         "error_message", "uri", "api_version"),
        or_null(TEXT),
    ),
    subresource_uris=or_null({"type": "object"}),
)  # fmt: skip
TWILIO = described(
    "https://api.twilio.com",
    "/2010-04-01/Accounts/{AccountSid}/Messages.json",
    "basic",
    [
        {"name": "AccountSid", "in": "path", "required": True, "schema": sid("AC")},
        *query(
            {
                **dict.fromkeys(
                    ("To", "From", "DateSent", "DateSent<", "DateSent>", "PageToken"), TEXT
                ),
                "PageSize": {"type": "integer", "minimum": 1, "maximum": 1000},
                "Page": {"type": "integer", "minimum": 0},
            }
        ),
    ],
    {
        200: fields(
            messages=many(TWILIO_MESSAGE),
            **dict.fromkeys(("start", "end", "page", "page_size"), WHOLE),
            **dict.fromkeys(("uri", "first_page_uri"), LINK),
            **dict.fromkeys(("next_page_uri", "previous_page_uri"), or_null(LINK)),
        )
    },
)

TELNYX_STATUSES = (
    "gw_timeout", "delivered", "dlr_unconfirmed", "dlr_timeout", "received", "gw_reject", "failed",
)  # fmt: skip
TELNYX_MESSAGE = fields(
    ("record_type",),
    status=one_of(*TELNYX_STATUSES),
    direction=one_of("inbound", "outbound"),
    message_type=one_of("SMS", "MMS", "RCS"),
    parts=WHOLE,
    errors=many(TEXT),
    **dict.fromkeys(("fteu", "on_net"), YES_OR_NO),
    **dict.fromkeys(("created_at", "sent_at", "completed_at", "updated_at"), MOMENT),
    **dict.fromkeys(
        ("record_type", "uuid", "user_id", "carrier", "carrier_fee", "cld", "cli", "country_code",
         "source_country_code", "delivery_status", "delivery_status_failover_url",
         "delivery_status_webhook_url", "mcc", "mnc", "profile_id", "profile_name", "tags",
         "rate", "currency", "cost"),
        TEXT,
    ),
)  # fmt: skip
TELNYX_ERROR = fields(
    errors=many(
        fields(
            code=TEXT,
            title=TEXT,
            detail=TEXT,
            meta=fields(url=LINK),
            source=fields(pointer=TEXT),
        )
    )
)
TELNYX = described(
    "https://api.telnyx.com/v2",
    "/detail_records",
    "bearer",
    query(
        {
            "filter[record_type]": one_of("messaging"),
            "filter": {"type": "object", "additionalProperties": True},
            "page[number]": {"type": "integer", "minimum": 1},
            "page[size]": {"type": "integer", "minimum": 1, "maximum": 50},
            "sort": many(TEXT),
        },
        required=("filter[record_type]",),
    ),
    {
        200: fields(
            data=many(TELNYX_MESSAGE),
            meta=fields(
                **dict.fromkeys(("page_number", "page_size", "total_pages", "total_results"), WHOLE)
            ),
        ),
        400: TELNYX_ERROR,
        401: TELNYX_ERROR,
    },
)

VONAGE_STATUSES = (
    "delivered", "expired", "failed", "rejected", "accepted", "buffered", "unknown", "deleted",
    "submitted",
)  # fmt: skip
VONAGE_TIME = like(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d)?")
VONAGE_PRICE = like(r"(\d+\.\d+)?")
VONAGE_RECORD = fields(
    status=one_of(*VONAGE_STATUSES),
    direction=one_of("inbound", "outbound"),
    client_ref={"type": "string", "maxLength": 40},
    concatenated=like("(true|false)?"),
    latency=like(r"(\d+)?"),
    total_price=VONAGE_PRICE,
    **dict.fromkeys(("date_received", "date_finalized"), VONAGE_TIME),
    **dict.fromkeys(
        ("account_id", "message_id", "from", "to", "network", "network_name", "country",
         "country_name", "error_code", "error_code_description", "currency", "message_body"),
        TEXT,
    ),
)  # fmt: skip
VONAGE_REFUSAL = fields(type=TEXT, title=TEXT, detail=TEXT, instance=TEXT)
VONAGE = described(
    "https://api.nexmo.com",
    "/v2/reports/records",
    "basic",
    query(
        {
            "account_id": {"type": "string", "minLength": 8, "maxLength": 8},
            "product": one_of("SMS"),
            "direction": one_of("inbound", "outbound"),
            "status": one_of(*VONAGE_STATUSES),
            **dict.fromkeys(("date_start", "date_end"), MOMENT),
            **dict.fromkeys(("include_message", "show_concatenated"), YES_OR_NO),
            **dict.fromkeys(("id", "cursor", "iv"), TEXT),
        },
        required=("account_id", "product"),
    ),
    {
        200: fields(
            request_status=one_of(
                "PENDING", "PROCESSING", "SUCCESS", "ABORTED", "FAILED", "TRUNCATED"
            ),
            product=one_of("SMS"),
            direction=one_of("inbound", "outbound"),
            price=VONAGE_PRICE,
            received_at=VONAGE_TIME,
            items_count=WHOLE,
            records=many(VONAGE_RECORD),
            _links=fields(self=fields(href=TEXT)),
            **dict.fromkeys(("include_message", "show_concatenated"), YES_OR_NO),
            **dict.fromkeys(("request_id", "currency", "account_id", "ids_not_found"), TEXT),
        ),
        401: VONAGE_REFUSAL,
        403: VONAGE_REFUSAL,
        422: fields(
            type=TEXT,
            title=TEXT,
            detail=TEXT,
            instance=TEXT,
            invalid_parameters=many(fields(name=TEXT, reason=TEXT)),
        ),
    },
)

DESCRIPTIONS = {"twilio": TWILIO, "telnyx": TELNYX, "vonage": VONAGE}
STATUSES = {"twilio": TWILIO_STATUSES, "telnyx": TELNYX_STATUSES, "vonage": VONAGE_STATUSES}
"""Every status word that a description lists."""
