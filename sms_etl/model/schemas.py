"""Canonical tables as data: names, types and one line of meaning for every column.

From these come the Polars schemas, the Delta tables, Dagster's column descriptions and the docs.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Column:
    """One column: name, Polars type, and what it means (with its unit).

    `default` is what rows have that were written before the column existed; null: nothing.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    nullable: bool = True
    default: str | bool | int | None = None


@dataclass(frozen=True)
class Table:
    """A canonical table."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """Polars schema, in column order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return [column.name for column in self.columns]

    def empty(self) -> pl.DataFrame:
        """A frame with this schema and no rows."""
        return pl.DataFrame(schema=self.schema)


OBSERVATIONS = Table(
    "observations",
    "What one provider record says, in our columns but still in the provider's words",
    (
        Column("pull", pl.String, "Identifier of the landed pull", nullable=False),
        Column("page", pl.UInt32, "Page number within the pull, from 1", nullable=False),
        Column("record", pl.UInt32, "Record number within the page, from 0", nullable=False),
        Column("pulled_at", UTC_TIME, "When the page was received", nullable=False),
        Column("message_id", pl.String, "Provider's identifier of the message"),
        Column(
            "part_of", pl.String, "Shared by the rows of one long message, where a row is a part"
        ),
        Column(
            "order_id",
            pl.String,
            "Shared by the attempts of one order (Viber, then SMS), where a row is an attempt",
        ),
        Column("recipient", pl.String, "Recipient as the provider writes it"),
        Column("sender", pl.String, "Sender ID or number"),
        Column("service", pl.String, "Messaging service, account or route of the provider"),
        Column("campaign", pl.String, "Campaign, where the provider names one"),
        Column("channel", pl.String, "Channel word of our vocabulary"),
        Column("inbound", pl.Boolean, "True for a message received, not sent"),
        Column("status", pl.String, "Status word of the provider"),
        Column("code", pl.String, "Error code of the provider"),
        Column("created_at_text", pl.String, "Accepted-at time as written"),
        Column("sent_at_text", pl.String, "Sent-at time as written"),
        Column("done_at_text", pl.String, "Final-status time as written"),
        Column("created_at", UTC_TIME, "When the provider took the message; null if unreadable"),
        Column("sent_at", UTC_TIME, "When the provider sent it on; null if unreadable"),
        Column("done_at", UTC_TIME, "When the status became final; null if unreadable"),
        Column("done_at_later", UTC_TIME, "Its other reading, if its wall clock came twice"),
        Column("done_at_origin", pl.String, "TimeOrigin of done_at"),
        Column("updated_at", UTC_TIME, "When the provider last changed the record"),
        Column("parts_billed", pl.Int32, "Parts the provider billed"),
        Column("parts_arrived", pl.Int32, "Parts that arrived, by the provider's own count"),
        Column("price_text", pl.String, "Price as written"),
        Column("cost_micro", pl.Int64, "Cost in millionths of the currency unit, not negative"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("text", pl.String, "Body of the message; never leaves this table"),
        Column("mcc_mnc", pl.String, "Mobile network code stated by the provider"),
        Column("operator", pl.String, "Operator stated by the provider"),
        Column("malformed", pl.String, "Why the record could not be read at all; null if it could"),
    ),
)

OUTBOX = Table(
    "outbox",
    "What the user asked to be sent, from the user's own system",
    (
        Column("message_id", pl.String, "Provider's identifier, as stored when sending"),
        Column("source", pl.String, "Configured source it went through; null: any"),
        Column("recipient", pl.String, "Recipient as the user wrote it"),
        Column("campaign", pl.String, "Campaign identifier"),
        Column("submitted_at", UTC_TIME, "When the user submitted it"),
        Column("sender", pl.String, "Sender ID"),
        Column("text", pl.String, "Body of the message; never leaves this table"),
        Column("contact_id", pl.String, "The user's own identifier of the person"),
        Column("skipped", pl.String, "Why it was asked for but not submitted; null if submitted"),
        Column("contact_source", pl.String, "Where the contact came from, in the user's words"),
        Column("purpose", pl.String, "Purpose; null where the outbox does not say"),
        Column("template", pl.String, "The user's own name of the template"),
    ),
)

MESSAGES = Table(
    "messages",
    "One row per message to one recipient",
    (
        Column(
            "day", pl.Date, "Calendar day of submission in the business time zone", nullable=False
        ),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("provider", pl.String, "Provider kind behind the source", nullable=False),
        Column("message_id", pl.String, "Provider's identifier", nullable=False),
        Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
        Column(
            "campaign_origin", pl.String, "outbox, provider, sender_rule or none", nullable=False
        ),
        Column("purpose", pl.String, "Purpose, or 'unknown'", nullable=False, default="unknown"),
        Column("contact", pl.String, "Keyed digest of the user's own identifier of the person"),
        Column(
            "contact_source",
            pl.String,
            "Where the contact came from, in the user's words, or 'unknown'",
            nullable=False,
            default="unknown",
        ),
        Column("recipient", pl.String, "Keyed HMAC-SHA-256 pseudonym of the E.164 number"),
        Column("key_id", pl.String, "Which pseudonym key was used"),
        Column("country", pl.String, "ISO 3166 alpha-2, or 'unknown'", nullable=False),
        Column("operator", pl.String, "Operator name, or 'unknown'", nullable=False),
        Column("operator_origin", pl.String, "provider, prefix or none", nullable=False),
        Column("number_type", pl.String, "NumberType", nullable=False),
        Column(
            "number_prefix",
            pl.String,
            "First seven digits of the E.164 number, never its last four",
        ),
        Column(
            "in_number_run",
            pl.Boolean,
            "Went to one of three or more consecutive numbers written to by the source in an hour",
            nullable=False,
            default=False,
        ),
        Column("sender", pl.String, "Sender ID, or 'unknown'", nullable=False),
        Column("channel", pl.String, "Channel", nullable=False),
        Column("status", pl.String, "Provider's status word"),
        Column("code", pl.String, "Provider's error code"),
        Column("status_class", pl.String, "StatusClass", nullable=False),
        Column("final", pl.Boolean, "Whether the status can still change", nullable=False),
        Column("reason", pl.String, "Reason; null for delivered and pending"),
        Column("permanence", pl.String, "Permanence; null where reason is null"),
        Column("mender", pl.String, "Who can mend it; null where reason is null"),
        Column("receipt", pl.String, "Receipt level of a delivered message", nullable=False),
        Column("submitted_at", UTC_TIME, "When it was submitted", nullable=False),
        Column("submitted_at_origin", pl.String, "TimeOrigin", nullable=False),
        Column("done_at", UTC_TIME, "When the status became final"),
        Column("done_at_origin", pl.String, "TimeOrigin", nullable=False),
        Column(
            "seconds_to_deliver",
            pl.Float64,
            "done_at - submitted_at of delivered messages, seconds",
        ),
        Column("parts", pl.Int32, "Parts sent"),
        Column("parts_origin", pl.String, "billed, computed or none", nullable=False),
        Column("parts_arrived", pl.Int32, "Parts that arrived, where the parts are told apart"),
        Column(
            "partly_delivered",
            pl.Boolean,
            "Not delivered, though some parts of it arrived",
            nullable=False,
        ),
        Column("parts_computed", pl.Int32, "Parts by the text; null without a text"),
        Column("parts_plain", pl.Int32, "Parts if odd letters were replaced (messages.letters)"),
        Column("parts_latin", pl.Int32, "Parts if Ukrainian were written in Latin letters too"),
        Column("odd_letters", pl.String, "Characters that cost parts; null where none did"),
        Column("encoding", pl.String, "Encoding; null without a text"),
        Column("text_length", pl.Int32, "Length of the text in code units; null without a text"),
        Column(
            "template",
            pl.String,
            "The outbox's name of the template, else a keyed digest of the text without what "
            "changes from person to person; null without either",
        ),
        Column("links", pl.Int32, "Links in the text; null without a text"),
        Column(
            "opt_out_wording",
            pl.Boolean,
            "Whether the text says how to refuse further messages; null without a text",
        ),
        Column("cost_micro", pl.Int64, "Cost in millionths of the currency unit"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("cost_origin", pl.String, "CostOrigin", nullable=False),
        Column("observed_at", UTC_TIME, "When the winning record was pulled", nullable=False),
        Column(
            "observations",
            pl.UInt32,
            "Records folded into this row, itself included",
            nullable=False,
        ),
        Column(
            "attempts", pl.Int32, "Attempts of the order, over all its channels", nullable=False
        ),
    ),
)

QUARANTINE = Table(
    "quarantine",
    "Records that could not become messages, with the place of the raw record in landing",
    (
        Column("day", pl.Date, "Day whose rebuild set it aside", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("pull", pl.String, "Landed pull", nullable=False),
        Column("page", pl.UInt32, "Page number", nullable=False),
        Column("record", pl.UInt32, "Record number", nullable=False),
        Column("message_id", pl.String, "Provider's identifier, if any"),
        Column("reason", pl.String, "QuarantineReason", nullable=False),
        Column("detail", pl.String, "The offending value, without personal data"),
    ),
)

CUBE_KEYS = (
    "day", "hour", "source", "provider", "campaign", "sender", "channel", "country", "operator",
)  # fmt: skip
"""Dimensions that both cube tables share."""

_CUBE_KEY_COLUMNS = (
    Column("day", pl.Date, "Calendar day of submission in the business time zone", nullable=False),
    Column("hour", UTC_TIME, "UTC hour of submission", nullable=False),
    Column("source", pl.String, "Configured source", nullable=False),
    Column("provider", pl.String, "Provider kind", nullable=False),
    Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
    Column("sender", pl.String, "Sender ID, or 'unknown'", nullable=False),
    Column("channel", pl.String, "Channel", nullable=False),
    Column("country", pl.String, "ISO 3166 alpha-2, or 'unknown'", nullable=False),
    Column("operator", pl.String, "Operator, or 'unknown'", nullable=False),
)

CUBE = Table(
    "cube",
    "Counts that add: every figure of every report is a sum over these rows",
    (
        *_CUBE_KEY_COLUMNS,
        Column("status_class", pl.String, "StatusClass", nullable=False),
        Column("reason", pl.String, "Reason; null for delivered and pending"),
        Column("permanence", pl.String, "Permanence; null where reason is null"),
        Column("receipt", pl.String, "Receipt level", nullable=False),
        Column("currency", pl.String, "ISO 4217 code; null where no cost is known"),
        Column("messages", pl.Int64, "Messages", nullable=False),
        Column("parts", pl.Int64, "Parts, where known", nullable=False),
        Column("messages_with_parts", pl.Int64, "Messages whose parts are known", nullable=False),
        Column("cost_micro", pl.Int64, "Cost in millionths of the currency unit", nullable=False),
        Column("messages_with_cost", pl.Int64, "Messages whose cost is known", nullable=False),
        Column("partly_delivered", pl.Int64, "Not delivered, but some parts were", nullable=False),
        Column("messages_with_time", pl.Int64, "Delivered with a delivered time", nullable=False),
    ),
)

LATENCY = Table(
    "latency",
    "How long messages took to end, or have waited, as a mergeable log-scale histogram; every "
    "message is counted once",
    (
        *_CUBE_KEY_COLUMNS,
        Column("status_class", pl.String, "StatusClass", nullable=False),
        Column(
            "origin",
            pl.String,
            "TimeOrigin of the time it ended; none: it waits, or no time is told",
            nullable=False,
        ),
        Column(
            "bucket",
            pl.Int32,
            "Histogram bucket (metrics.histogram) of the time to its end; of its age when last "
            "seen, for a message that waits; null for an end without a time",
        ),
        Column("messages", pl.Int64, "Messages in the bucket", nullable=False),
    ),
)

ENCODING = Table(
    "encoding",
    "What the letters of SMS texts cost, and parts billed against parts computed; a row sums "
    "messages whose text is known",
    (
        Column(
            "day", pl.Date, "Calendar day of submission in the business time zone", nullable=False
        ),
        Column("hour", UTC_TIME, "UTC hour of submission", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
        Column("odd_letters", pl.String, "Characters that cost parts; null where none did"),
        Column("currency", pl.String, "ISO 4217 code; null where no cost is known"),
        Column("messages", pl.Int64, "Messages with a text", nullable=False),
        Column("messages_compared", pl.Int64, "Those with billed parts too", nullable=False),
        Column("messages_over", pl.Int64, "Compared, more billed than computed", nullable=False),
        Column("parts_over", pl.Int64, "Parts billed beyond those computed", nullable=False),
        Column("messages_under", pl.Int64, "Compared, fewer billed than computed", nullable=False),
        Column("parts_under", pl.Int64, "Parts computed beyond those billed", nullable=False),
        Column("parts_saved", pl.Int64, "Parts that plain letters would save", nullable=False),
        Column("cost_saved_micro", pl.Int64, "Their share of the cost", nullable=False),
        Column("parts_saved_latin", pl.Int64, "The same with Latin letters only", nullable=False),
        Column("cost_saved_latin_micro", pl.Int64, "Their share of the cost", nullable=False),
    ),
)

EVENTS = Table(
    "events",
    "Messages by the UTC hour they ended in, whichever day they were sent; every message whose "
    "end has a time is counted once",
    (
        Column(
            "day", pl.Date, "Calendar day of submission in the business time zone", nullable=False
        ),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("provider", pl.String, "Provider kind", nullable=False),
        Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
        Column("event_hour", UTC_TIME, "UTC hour of the final status", nullable=False),
        Column("status_class", pl.String, "StatusClass", nullable=False),
        Column("messages", pl.Int64, "Messages", nullable=False),
    ),
)

ASKED = Table(
    "asked",
    "Rows of the own outbox: what was submitted, and what was skipped, why and for whom",
    (
        Column(
            "day", pl.Date, "Calendar day of the outbox row, in the business zone", nullable=False
        ),
        Column(
            "source",
            pl.String,
            "Configured source of the row; the first one where the outbox does not say",
            nullable=False,
        ),
        Column("hour", UTC_TIME, "UTC hour of the outbox row", nullable=False),
        Column("campaign", pl.String, "Campaign of the outbox, or 'unknown'", nullable=False),
        Column("skipped", pl.String, "Why it was not submitted; null if it was"),
        Column("recipient", pl.String, "Pseudonym of a skipped recipient; null if submitted"),
        Column("contact", pl.String, "Contact, as in messages, if skipped; null if submitted"),
        Column("messages", pl.Int64, "Rows", nullable=False),
    ),
)

CONSERVATION = Table(
    "conservation",
    "Where every landed record of a day went; the parts add up to records_in",
    (
        Column("day", pl.Date, "Day", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("fate", pl.String, "message, folded or quarantined", nullable=False),
        Column("reason", pl.String, "FoldReason or QuarantineReason; null for messages"),
        Column("records", pl.Int64, "Records", nullable=False),
    ),
)

UNMAPPED = Table(
    "unmapped",
    "Status words and codes that no dictionary knows, loud until somebody maps them",
    (
        Column("day", pl.Date, "Day", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("kind", pl.String, "status or code", nullable=False),
        Column("word", pl.String, "The word or code", nullable=False),
        Column("messages", pl.Int64, "Messages that carry it", nullable=False),
    ),
)

INVOICE_LINES = Table(
    "invoice_lines",
    "What an invoice says, in our columns: a line per message, or a total",
    (
        Column("pull", pl.String, "Identifier of the landed file", nullable=False),
        Column("page", pl.UInt32, "Table number within the file, from 1", nullable=False),
        Column("record", pl.UInt32, "Line number within the table, from 0", nullable=False),
        Column("day", pl.Date, "Calendar day it is about; null if unreadable"),
        Column("last_day", pl.Date, "Last day of a total over several days, else `day`"),
        Column("message_id", pl.String, "Provider's identifier"),
        Column("campaign", pl.String, "Campaign, where the invoice names one"),
        Column("country", pl.String, "ISO 3166 alpha-2, where the invoice names one"),
        Column("messages", pl.Int64, "Messages of a total"),
        Column("parts", pl.Int64, "Parts billed"),
        Column("cost_micro", pl.Int64, "Cost in millionths of the currency unit"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("problem", pl.String, "ReconciliationDetail of a line that cannot be used"),
    ),
)

RECONCILIATION = Table(
    "reconciliation",
    "One row per message as the outbox, the provider's log and the invoice know it, in one state; "
    "outbox_rows, messages and invoice_lines add up to all that were compared",
    (
        Column(
            "day",
            pl.Date,
            "Calendar day: of the message in the log, else of the outbox row, else of the line",
            nullable=False,
        ),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("campaign", pl.String, "Campaign identifier, or 'unknown'", nullable=False),
        Column("message_id", pl.String, "Provider's identifier; null where none was stored"),
        Column("submitted_at", UTC_TIME, "When it was submitted, by the side that decides the day"),
        Column("state", pl.String, "ReconciliationState", nullable=False),
        Column("detail", pl.String, "ReconciliationDetail; null where the state says it all"),
        Column("outbox_rows", pl.Int64, "Rows of the own outbox", nullable=False),
        Column("messages", pl.Int64, "Messages of the provider's log", nullable=False),
        Column("invoice_lines", pl.Int64, "Lines of the invoice", nullable=False),
        Column("parts_ours", pl.Int64, "Parts by the outbox's text, else by the log"),
        Column("parts_theirs", pl.Int64, "Parts on the invoice; without an invoice by the log"),
        Column("ours_micro", pl.Int64, "Cost by the log or the tariff, millionths of the unit"),
        Column("theirs_micro", pl.Int64, "Cost on the invoice, millionths of the unit"),
        Column("currency", pl.String, "ISO 4217 code of the cost, ours before theirs"),
    ),
)

RECONCILIATION_DAYS = Table(
    "reconciliation_days",
    "What each side had on a day, and which kind of silence it is if one was silent",
    (
        Column("day", pl.Date, "Calendar day", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("silence", pl.String, "Silence", nullable=False),
        Column("outbox_rows", pl.Int64, "Outbox rows that were submitted", nullable=False),
        Column("messages", pl.Int64, "Messages of the provider's log", nullable=False),
        Column("invoice_lines", pl.Int64, "Lines of the invoice", nullable=False),
        Column("records", pl.Int64, "Records landed for the day, read or not", nullable=False),
        Column("final", pl.Int64, "Messages delivered, failed or rejected", nullable=False),
        Column("usual_final", pl.Float64, "Share of these in the days before; null if too few"),
    ),
)

INVOICE_TOTALS = Table(
    "invoice_totals",
    "Totals of an invoice without identifiers beside the sums of our messages",
    (
        Column("day", pl.Date, "Last day of the total", nullable=False),
        Column("source", pl.String, "Configured source", nullable=False),
        Column("first_day", pl.Date, "First day of the total", nullable=False),
        Column("country", pl.String, "ISO 3166 alpha-2; null: all"),
        Column("campaign", pl.String, "Campaign; null: all"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("state", pl.String, "TotalState", nullable=False),
        Column("lines", pl.Int64, "Lines of the invoice; 0: it has none for these messages"),
        Column("messages_ours", pl.Int64, "Messages of the log", nullable=False),
        Column("messages_theirs", pl.Int64, "Messages on the invoice; null if it does not say"),
        Column("parts_ours", pl.Int64, "Parts of these messages, where known", nullable=False),
        Column("parts_theirs", pl.Int64, "Parts on the invoice; null if it does not say"),
        Column("ours_micro", pl.Int64, "Cost by the log or the tariff in this currency"),
        Column("theirs_micro", pl.Int64, "Cost on the invoice; null if it does not say"),
        Column("difference_micro", pl.Int64, "theirs - ours; null where theirs is"),
    ),
)

LAKE_TABLES = (MESSAGES, QUARANTINE, CUBE, LATENCY, ENCODING, EVENTS, ASKED, CONSERVATION, UNMAPPED)
"""Tables kept in the lake; each is partitioned by day and source."""
