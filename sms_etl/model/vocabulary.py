"""The closed word lists of the project. A word that is not here does not reach a table."""

from __future__ import annotations

from enum import StrEnum


class StatusClass(StrEnum):
    """Where a message stands. PENDING is apart from UNKNOWN: it may still change."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    PENDING = "pending"


class Reason(StrEnum):
    """Why a message did not arrive, in the words of the sender's work, not of one provider."""

    ABSENT_SUBSCRIBER = "absent_subscriber"
    UNREACHABLE_HANDSET = "unreachable_handset"
    INVALID_NUMBER = "invalid_number"
    NOT_MOBILE = "not_mobile_landline"
    BLOCKED_BY_RECIPIENT = "blocked_by_recipient"
    OPTED_OUT = "opted_out"
    SPAM_FILTERED = "spam_filtered_content"
    CARRIER_BLOCKED = "carrier_blocked"
    UNREGISTERED_SENDER = "unregistered_sender"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    EXPIRED = "expired_ttl"
    NO_RECEIPT = "no_receipt"
    NETWORK_ERROR = "network_error"
    NO_ROUTE = "no_route"
    PROVIDER_ERROR = "provider_error"
    RATE_LIMITED = "rate_limited"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ACCOUNT_PROBLEM = "account_problem"
    GEO_PERMISSION = "geo_permission"
    ENCODING_OR_LENGTH = "message_too_long_or_encoding"
    FRAUD_OR_PUMPING = "fraud_or_pumping"
    DUPLICATE = "duplicate"
    PARTLY_DELIVERED = "partly_delivered"
    CANCELED = "canceled"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_CODE = "unknown_code"
    NOT_STATED = "not_stated"
    OTHER = "other"


class Permanence(StrEnum):
    """Whether the same message to the same number would fail again."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


class Mender(StrEnum):
    """Who can mend the cause."""

    SENDER = "sender"
    LIST = "list"
    PROVIDER = "provider"
    OPERATOR = "operator"
    NOBODY = "nobody"


class Receipt(StrEnum):
    """How far the proof of delivery reaches."""

    HANDSET = "handset"
    OPERATOR = "operator"
    UNSTATED = "unstated"
    NONE = "none"


class NumberType(StrEnum):
    """What kind of line a recipient number is."""

    MOBILE = "mobile"
    FIXED_LINE = "fixed_line"
    OTHER = "other"
    INVALID = "invalid"


class Encoding(StrEnum):
    """Alphabet a text is sent in; it decides how many characters fit a part."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Channel(StrEnum):
    """What carried the message."""

    SMS = "sms"
    VIBER = "viber"
    RCS = "rcs"
    WHATSAPP = "whatsapp"


class TimeOrigin(StrEnum):
    """Where a time comes from, so that a report can say how far to trust it."""

    PROVIDER = "provider"
    PROVIDER_UPDATE = "provider_update"
    OUTBOX = "outbox"
    POLL = "poll"
    NONE = "none"


class CostOrigin(StrEnum):
    """Where a cost comes from."""

    BILLED = "billed"
    TARIFF = "tariff"
    NONE = "none"


class FoldReason(StrEnum):
    """Why a record was folded into another message and not counted as one of its own."""

    REPEATED = "repeated_observation"
    PART = "part_of_message"
    ATTEMPT = "attempt_of_order"
    OTHER_DAY = "belongs_to_another_day"
    INBOUND = "inbound_message"


class QuarantineReason(StrEnum):
    """Why a record could not become a message. The raw record stays in landing."""

    NO_MESSAGE_ID = "no_message_id"
    NO_SUBMIT_TIME = "no_submit_time"
    BAD_TIME = "unreadable_time"
    TIMES_OUT_OF_ORDER = "times_out_of_order"
    BAD_PRICE = "unreadable_price"
    BAD_RECORD = "unreadable_record"


class Purpose(StrEnum):
    """What a message is for: rules of consent and refusal depend on it."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


HOLDOUT = "holdout"
"""Word of the outbox's `skipped` for somebody left out of a campaign by lot, to compare with."""

SUPPRESSED = "suppressed"
"""Word of the outbox's `skipped` for somebody left out because of the suppression list."""


class Engagement(StrEnum):
    """What people do with messages and after them, and what they agreed to."""

    REPLIES = "replies"
    OPT_OUTS = "opt_outs"
    CLICKS = "clicks"
    ORDERS = "orders"
    CONSENTS = "consents"


class OrderKind(StrEnum):
    """What an order record is."""

    ORDER = "order"
    REFUND = "refund"


class Intent(StrEnum):
    """What a reply asks for, by its whole text being a known keyword."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    OTHER = "other"


class EventFold(StrEnum):
    """Why an engagement record is no row of its own."""

    REPEATED = "repeated_record"
    OTHER_DAY = "belongs_to_another_day"
    OUTBOUND = "outbound_message"
    NO_CLICKS = "no_clicks"


class EventQuarantine(StrEnum):
    """Why an engagement record could not become a row. The raw record stays in landing."""

    BAD_RECORD = "unreadable_record"
    BAD_TIME = "unreadable_time"
    NO_TIME = "no_time"
    NO_PERSON = "no_person"
    BAD_COUNT = "unreadable_count"
    NO_AMOUNT = "no_amount"
    BAD_AMOUNT = "unreadable_amount"
    NO_CURRENCY = "no_currency"


UNKNOWN_LABEL = "unknown"
"""Printed for a dimension (operator, country, campaign ...) that nothing told us."""

MICRO = 1_000_000
"""Money is kept as whole millionths of a currency unit: one SMS costs less than one cent."""


class ReconciliationState(StrEnum):
    """How the own outbox, the provider's log and the invoice agree on a message.

    NOT_BILLED: in the log, not on an invoice that covers its day. NOT_COMPARED: nothing stands
    beside it. UNREADABLE: a line of the invoice that cannot be used.
    """

    MATCHED = "matched"
    MISSING_AT_PROVIDER = "missing_at_provider"
    UNKNOWN_TO_US = "unknown_to_us"
    DOUBLED = "doubled"
    PRICED_DIFFERENTLY = "priced_differently"
    PARTS_DIFFER = "parts_differ"
    NOT_BILLED = "not_billed"
    UNREADABLE = "unreadable"
    NOT_COMPARED = "not_compared"


class ReconciliationDetail(StrEnum):
    """What exactly a state means for a message."""

    NO_MESSAGE_ID = "no_message_id"
    BILLED_NOT_LOGGED = "billed_not_logged"
    NOT_IN_OUTBOX = "not_in_outbox"
    ONLY_BILLED = "only_billed"
    SKIPPED = "skipped"
    SENT_THOUGH_SKIPPED = "sent_though_skipped"
    SENT_TWICE = "sent_twice"
    LISTED_TWICE = "listed_twice"
    BILLED_TWICE = "billed_twice"
    ON_TWO_INVOICES = "on_two_invoices"
    CURRENCY = "currency"
    BAD_LINE = "bad_line"
    BAD_TIME = "bad_time"
    BAD_COUNT = "bad_count"
    BAD_PRICE = "bad_price"
    NO_CURRENCY = "no_currency"


class TotalState(StrEnum):
    """How a total of an invoice agrees with our sums."""

    MATCHED = "matched"
    MESSAGES_DIFFER = "messages_differ"
    PARTS_DIFFER = "parts_differ"
    PRICED_DIFFERENTLY = "priced_differently"
    NOT_BILLED = "not_billed"
    UNREADABLE = "unreadable"


class Silence(StrEnum):
    """Which side was silent on a day. NOTHING_KNOWN: an empty answer, and no outbox to ask."""

    NONE = "none"
    NOT_PULLED = "not_pulled"
    NOTHING_SENT = "nothing_sent"
    NOTHING_KNOWN = "nothing_known"
    PROVIDER_EMPTY = "provider_empty"
    RECORDS_UNREADABLE = "records_unreadable"
    OUTBOX_EMPTY = "outbox_empty"
    RECEIPTS_STOPPED = "receipts_stopped"
