"""Canonical tables of what people do with messages and after them.

Replies, stop lists, clicks, orders, and the consents people gave.
"""

from __future__ import annotations

import polars as pl

from sms_etl.model.schemas import UTC_TIME, Column, Table

EVENTS = Table(
    "events",
    "What one engagement record says, in our columns but still in the provider's words",
    (
        Column("pull", pl.String, "Identifier of the landed pull", nullable=False),
        Column("page", pl.UInt32, "Page number within the pull, from 1", nullable=False),
        Column("record", pl.UInt32, "Record number within the page, from 0", nullable=False),
        Column("pulled_at", UTC_TIME, "When the page was received", nullable=False),
        Column("event_id", pl.String, "Provider's identifier of the event; null if it has none"),
        Column(
            "event_key",
            pl.String,
            "What identifies an event without an identifier; kept as a keyed digest only",
        ),
        Column("recipient", pl.String, "The person's number as the provider writes it"),
        Column("contact_id", pl.String, "The user's own identifier of the person"),
        Column("sender", pl.String, "Number or name the person answered or refused"),
        Column("message_id", pl.String, "Message it belongs to, where told"),
        Column("campaign", pl.String, "Campaign, where the provider names one"),
        Column("link", pl.String, "Link that was opened, as written"),
        Column("at_text", pl.String, "Time of the event as written"),
        Column("at", UTC_TIME, "Time of the event; null if unreadable"),
        Column("expires_at", UTC_TIME, "When an entry of a stop list ends by itself"),
        Column("text", pl.String, "Text of a reply; never leaves this table"),
        Column("user_agent", pl.String, "User agent of a click"),
        Column("device", pl.String, "What else the provider says of the device"),
        Column("address", pl.String, "Internet address of a click; never leaves this table"),
        Column("country", pl.String, "Country of a click as the provider states it"),
        Column("robot", pl.Boolean, "The provider's own opinion: not a person"),
        Column("count_text", pl.String, "Number of clicks as written, where the record counts"),
        Column("clicks", pl.Int64, "Clicks the record stands for"),
        Column("period_seconds", pl.Int64, "Length of the period counted; 0 for a moment"),
        Column("outbound", pl.Boolean, "True for a message sent, not received"),
        Column("order_kind", pl.String, "OrderKind"),
        Column("refund_of", pl.String, "event_id of the order that is given back"),
        Column("amount_text", pl.String, "Amount of an order as written"),
        Column("amount_micro", pl.Int64, "Amount in millionths of the unit, not negative"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("utm_source", pl.String, "utm_source of the order's visit"),
        Column("utm_medium", pl.String, "utm_medium"),
        Column("utm_campaign", pl.String, "utm_campaign"),
        Column("utm_content", pl.String, "utm_content"),
        Column("promo_code", pl.String, "Promo code that was used"),
        Column("withdrawn_at_text", pl.String, "When a consent was withdrawn, as written"),
        Column("withdrawn_at", UTC_TIME, "When a consent was withdrawn; null if unreadable"),
        Column("how", pl.String, "Evidence of a consent in the user's words"),
        Column("purpose", pl.String, "What a consent is for, as written"),
        Column("malformed", pl.String, "Why the record could not be read at all; null if it could"),
    ),
)

_ENGAGEMENT_KEYS = (
    Column("source", pl.String, "Configured source", nullable=False),
    Column("provider", pl.String, "Provider kind behind the source", nullable=False),
    Column("event_id", pl.String, "Identifies the event within the source", nullable=False),
)
_PERSON = (
    Column("recipient", pl.String, "Pseudonym of the person, made as in messages"),
    Column("key_id", pl.String, "Which pseudonym key was used"),
    Column("contact", pl.String, "Keyed digest of the user's own identifier, as in messages"),
    Column("country", pl.String, "ISO 3166 alpha-2 of the number, or 'unknown'", nullable=False),
)
_BELONGS_TO = (
    Column("message_id", pl.String, "Message it belongs to; null where the provider does not tell"),
    Column("campaign", pl.String, "Campaign the provider names; null where it does not"),
)
_ORIGIN = (
    Column("pulled_at", UTC_TIME, "When the record that stands was pulled", nullable=False),
    Column("pull", pl.String, "Landed pull of that record", nullable=False),
    Column("page", pl.UInt32, "Its page", nullable=False),
    Column("record", pl.UInt32, "Its number within the page", nullable=False),
    Column("records", pl.UInt32, "Records folded into this row, itself included", nullable=False),
)

REPLIES = Table(
    "replies",
    "One row per message received from a person",
    (
        Column("day", pl.Date, "Business day it was received", nullable=False),
        *_ENGAGEMENT_KEYS,
        Column("received_at", UTC_TIME, "When it was received", nullable=False),
        Column("received_at_origin", pl.String, "TimeOrigin", nullable=False),
        *_PERSON,
        Column("sender", pl.String, "Number or name that was answered, or 'unknown'"),
        *_BELONGS_TO,
        Column("intent", pl.String, "Intent; null without a text"),
        Column("encoding", pl.String, "Encoding; null without a text"),
        Column("text_length", pl.Int32, "Length of the text in code units; null without a text"),
        *_ORIGIN,
    ),
)

OPT_OUTS = Table(
    "opt_outs",
    "A stop list as it stood when pulled for a day: one row per entry, whole every day",
    (
        Column("day", pl.Date, "Business day the list was pulled for", nullable=False),
        *_ENGAGEMENT_KEYS,
        Column("opted_out_at", UTC_TIME, "When the entry was made; null where not told"),
        Column("opted_out_at_origin", pl.String, "TimeOrigin", nullable=False),
        Column("expires_at", UTC_TIME, "When it ends by itself; null: never"),
        *_PERSON,
        Column("sender", pl.String, "Sender it is about; null: all"),
        *_BELONGS_TO,
        *_ORIGIN,
    ),
)

CLICKS = Table(
    "clicks",
    "Clicks on links: one row per click, or per count of a period where clicks are only counted",
    (
        Column("day", pl.Date, "Business day of the click", nullable=False),
        *_ENGAGEMENT_KEYS,
        Column("clicked_at", UTC_TIME, "When, or the beginning of the period", nullable=False),
        Column("clicked_at_origin", pl.String, "TimeOrigin", nullable=False),
        Column("period_seconds", pl.Int64, "Length of the period; 0 for one click", nullable=False),
        Column("clicks", pl.Int64, "Clicks, robots included", nullable=False),
        *_PERSON,
        *_BELONGS_TO,
        Column("link", pl.String, "Link without its query, which may hold personal data"),
        Column("user_agent", pl.String, "User agent"),
        Column("device", pl.String, "Device in the provider's words"),
        Column("network", pl.String, "Visitor's network: the address cut to /24 or /48"),
        Column("click_country", pl.String, "Country of the visitor as the provider states it"),
        Column("robot", pl.Boolean, "The provider's opinion; null where it has none"),
        *_ORIGIN,
    ),
)

ORDERS = Table(
    "orders",
    "One row per order, and one per refund; an order read again is folded, the last one stands",
    (
        Column("day", pl.Date, "Business day of the order or refund", nullable=False),
        *_ENGAGEMENT_KEYS,
        Column("ordered_at", UTC_TIME, "When it was ordered, or given back", nullable=False),
        Column("ordered_at_origin", pl.String, "TimeOrigin", nullable=False),
        *_PERSON,
        Column("kind", pl.String, "OrderKind", nullable=False),
        Column("refund_of", pl.String, "event_id of the order of a refund"),
        Column(
            "amount_micro",
            pl.Int64,
            "Amount in millionths of the currency unit; of a refund what was given back",
            nullable=False,
        ),
        Column("currency", pl.String, "ISO 4217 code", nullable=False),
        Column("utm_source", pl.String, "utm_source of the visit"),
        Column("utm_medium", pl.String, "utm_medium"),
        Column("utm_campaign", pl.String, "utm_campaign"),
        Column("utm_content", pl.String, "utm_content"),
        Column("promo_code", pl.String, "Promo code, upper case"),
        *_ORIGIN,
    ),
)

CONSENTS = Table(
    "consents",
    "A register of consents as it stood when pulled for a day: one row per consent, whole "
    "every day",
    (
        Column("day", pl.Date, "Business day the register was pulled for", nullable=False),
        *_ENGAGEMENT_KEYS,
        *_PERSON,
        Column("given_at", UTC_TIME, "When it was given; null where not told"),
        Column("withdrawn_at", UTC_TIME, "When it was withdrawn; null: it stands"),
        Column("how", pl.String, "Evidence in the user's words"),
        Column("purpose", pl.String, "Purpose it is for, or the user's word; null: all"),
        *_ORIGIN,
    ),
)

EVENT_QUARANTINE = Table(
    "event_quarantine",
    "Engagement records that could not become rows, with the place of the raw record in landing",
    (
        Column("day", pl.Date, "Day whose rebuild set it aside", nullable=False),
        Column("source", pl.String, "Source and stream: twilio.replies", nullable=False),
        Column("pull", pl.String, "Landed pull", nullable=False),
        Column("page", pl.UInt32, "Page number", nullable=False),
        Column("record", pl.UInt32, "Record number", nullable=False),
        Column("reason", pl.String, "EventQuarantine", nullable=False),
        Column("detail", pl.String, "The offending value, without personal data"),
    ),
)

EVENT_CONSERVATION = Table(
    "event_conservation",
    "Where every landed engagement record of a day went; the parts add up to records in",
    (
        Column("day", pl.Date, "Day", nullable=False),
        Column("source", pl.String, "Source and stream: twilio.replies", nullable=False),
        Column("fate", pl.String, "row, folded or quarantined", nullable=False),
        Column("reason", pl.String, "EventFold or EventQuarantine; null for rows"),
        Column("records", pl.Int64, "Records", nullable=False),
    ),
)

ENGAGEMENT_TABLES = (
    REPLIES, OPT_OUTS, CLICKS, ORDERS, CONSENTS, EVENT_QUARANTINE, EVENT_CONSERVATION,
)  # fmt: skip
"""Tables kept in the lake; each is partitioned by day and source."""
