"""What a message is about: campaign, recipient, operator, sender, parts and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sms_etl.config.settings import SenderRule, TariffRow
from sms_etl.messages.letters import letter_facts
from sms_etl.messages.number_runs import in_number_run, number_prefix
from sms_etl.messages.phones import (
    contact_digests,
    key_id,
    normalise_operator,
    operator_of_network,
    parse_numbers,
    pseudonyms,
)
from sms_etl.messages.purpose import purpose_of
from sms_etl.messages.text import text_facts
from sms_etl.messages.wording import without_telling_digits, wording_facts
from sms_etl.model.vocabulary import (
    UNKNOWN_LABEL,
    Channel,
    CostOrigin,
    NumberType,
    StatusClass,
    TimeOrigin,
)


def with_campaign(messages: pl.DataFrame, rules: Sequence[SenderRule], source: str) -> pl.DataFrame:
    """Add `campaign` and `campaign_origin`: the outbox decides, then the provider, then rules."""
    by_rule = pl.lit(None, pl.String)
    for rule in reversed(rules):
        if rule.source in (None, source):
            by_rule = pl.when(_matches(rule)).then(pl.lit(rule.campaign)).otherwise(by_rule)
    return (
        messages.with_columns(rule_campaign=by_rule)
        .with_columns(
            campaign_origin=pl.when(pl.col("outbox_campaign").is_not_null())
            .then(pl.lit("outbox"))
            .when(pl.col("campaign").is_not_null())
            .then(pl.lit("provider"))
            .when(pl.col("rule_campaign").is_not_null())
            .then(pl.lit("sender_rule"))
            .otherwise(pl.lit(TimeOrigin.NONE.value)),
            campaign=pl.coalesce(
                "outbox_campaign", "campaign", "rule_campaign", pl.lit(UNKNOWN_LABEL)
            ),
        )
        .drop("rule_campaign")
    )


def with_recipient(messages: pl.DataFrame, home_country: str, key: bytes) -> pl.DataFrame:
    """Replace the recipient by its pseudonym; add country, operator, number type and `e164`.

    The operator the provider states wins over the holder of the number's prefix.
    """
    raw = messages.with_columns(raw=pl.coalesce("recipient", "outbox_recipient"))
    numbers = parse_numbers(raw["raw"], home_country).rename({"operator": "prefix_operator"})
    numbers = numbers.with_columns(pseudonym=pseudonyms(numbers["e164"], key))
    known = raw.join(numbers, on="raw", how="left", nulls_equal=True)
    stated = _stated_operators(known)
    known = known.join(stated, on=["mcc_mnc", "operator"], how="left", nulls_equal=True)
    return known.with_columns(
        recipient="pseudonym",
        key_id=pl.when(pl.col("pseudonym").is_not_null()).then(pl.lit(key_id(key))),
        country=pl.col("country").fill_null(UNKNOWN_LABEL),
        number_type=pl.col("number_type").fill_null(NumberType.INVALID.value),
        operator_origin=pl.when(pl.col("stated_operator").is_not_null())
        .then(pl.lit("provider"))
        .otherwise(pl.col("operator_origin").fill_null(TimeOrigin.NONE.value)),
        operator=pl.coalesce("stated_operator", "prefix_operator", pl.lit(UNKNOWN_LABEL)),
        number_prefix=number_prefix(pl.col("e164")),
    ).drop("raw", "pseudonym", "prefix_operator", "stated_operator")


def with_number_run(messages: pl.DataFrame) -> pl.DataFrame:
    """Add `in_number_run`; needs all messages of an hour, and takes `e164` away."""
    inside = in_number_run(messages["submitted_at"], messages["e164"])
    return messages.with_columns(inside).drop("e164")


def with_contact(messages: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Add `contact` and `contact_source`, which the outbox alone knows."""
    return messages.with_columns(
        contact=contact_digests(messages["outbox_contact_id"], key),
        contact_source=pl.col("outbox_contact_source").fill_null(UNKNOWN_LABEL),
    )


def with_purpose(messages: pl.DataFrame, purposes: Mapping[str, str]) -> pl.DataFrame:
    """Add `purpose`: the outbox decides, then the campaign (campaign -> Purpose)."""
    of_campaign = pl.DataFrame(
        {"campaign": list(purposes), "_purpose": list(purposes.values())},
        schema={"campaign": pl.String, "_purpose": pl.String},
    )
    return messages.join(
        of_campaign, on="campaign", how="left", maintain_order="left"
    ).with_columns(
        purpose=pl.coalesce(purpose_of(pl.col("outbox_purpose")), "_purpose", pl.lit(UNKNOWN_LABEL))
    )


def with_sender(messages: pl.DataFrame) -> pl.DataFrame:
    """Fill sender and channel, so that no dimension of the cube is null."""
    return messages.with_columns(
        sender=pl.coalesce("sender", "outbox_sender", pl.lit(UNKNOWN_LABEL)),
        channel=pl.col("channel").fill_null(Channel.SMS.value),
    )


def with_wording(messages: pl.DataFrame, wordings: tuple[str, ...], key: bytes) -> pl.DataFrame:
    """Add `template`, `links` and `opt_out_wording`; needs the text.

    `wordings`: the user's own ways to say how one refuses, beside those of the data file.
    """
    facts = wording_facts(messages["text"], wordings, key)
    return messages.join(facts, on="text", how="left", maintain_order="left").with_columns(
        template=pl.coalesce("outbox_template", "template")
    )


def with_text(messages: pl.DataFrame, wordings: tuple[str, ...]) -> pl.DataFrame:
    """Take the text from the outbox where the provider does not tell it.

    Digits that tell nothing are evened out: what follows is done once for each text that is left.
    """
    text = without_telling_digits(pl.coalesce("text", "outbox_text"), wordings)
    return messages.with_columns(text=text).drop("outbox_text")


def with_parts(texts: pl.DataFrame) -> pl.DataFrame:
    """Add parts, encoding, length and what odd letters cost; the text itself goes no further."""
    facts = text_facts(texts["text"].drop_nulls())
    letters = letter_facts(facts)
    facts = facts.rename({"parts": "parts_computed"})
    billed = pl.when(pl.col("parts_billed") > 0).then(pl.col("parts_billed"))
    return (
        texts.join(facts, on="text", how="left")
        .join(letters, on="text", how="left")
        .with_columns(
            parts=pl.coalesce(billed, "parts_computed").cast(pl.Int32),
            parts_plain=pl.coalesce("parts_plain", "parts_computed"),
            parts_latin=pl.coalesce("parts_latin", "parts_computed"),
            parts_origin=pl.when(pl.col("parts_billed") > 0)
            .then(pl.lit("billed"))
            .when(pl.col("parts_computed").is_not_null())
            .then(pl.lit("computed"))
            .otherwise(pl.lit(CostOrigin.NONE.value)),
        )
        .drop("text", "parts_billed")
    )


def with_cost(messages: pl.DataFrame, tariff: Sequence[TariffRow]) -> pl.DataFrame:
    """Add `cost_origin`; a tariff prices what the log does not, except what was rejected."""
    price, currency = _tariff_of_country(tariff)
    charged = (pl.col("status_class") != StatusClass.REJECTED.value) & pl.col(
        "cost_micro"
    ).is_null()
    by_tariff = pl.when(charged).then(pl.col("parts") * price)
    return messages.with_columns(
        cost_origin=pl.when(pl.col("cost_micro").is_not_null())
        .then(pl.lit(CostOrigin.BILLED.value))
        .when(by_tariff.is_not_null())
        .then(pl.lit(CostOrigin.TARIFF.value))
        .otherwise(pl.lit(CostOrigin.NONE.value)),
        currency=pl.when(pl.col("cost_micro").is_not_null())
        .then(pl.col("currency"))
        .when(by_tariff.is_not_null())
        .then(currency),
        cost_micro=pl.coalesce("cost_micro", by_tariff),
    )


def _tariff_of_country(tariff: Sequence[TariffRow]) -> tuple[pl.Expr, pl.Expr]:
    price, currency = pl.lit(None, pl.Int64), pl.lit(None, pl.String)
    for row in sorted(tariff, key=lambda row: row.country is not None):
        applies = pl.lit(value=True) if row.country is None else pl.col("country") == row.country
        price = pl.when(applies).then(row.micro_per_part).otherwise(price)
        currency = pl.when(applies).then(pl.lit(row.currency)).otherwise(currency)
    return price, currency


def with_time_to_deliver(messages: pl.DataFrame) -> pl.DataFrame:
    """Add `seconds_to_deliver` of delivered messages; clocks that disagree a little give zero."""
    seconds = (pl.col("done_at") - pl.col("submitted_at")).dt.total_microseconds() / 1e6
    delivered = pl.col("status_class") == StatusClass.DELIVERED.value
    return messages.with_columns(
        seconds_to_deliver=pl.when(delivered).then(seconds.clip(lower_bound=0.0)),
        done_at_origin=pl.when(pl.col("done_at").is_not_null())
        .then(pl.col("done_at_origin"))
        .otherwise(pl.lit(TimeOrigin.NONE.value)),
    )


def _matches(rule: SenderRule) -> pl.Expr:
    sender = pl.coalesce("sender", "outbox_sender")
    tests = [
        test
        for test in (
            sender == rule.sender if rule.sender is not None else None,
            pl.col("service") == rule.service if rule.service is not None else None,
        )
        if test is not None
    ]
    return pl.all_horizontal(tests).fill_null(value=False) if tests else pl.lit(value=True)


def _stated_operators(messages: pl.DataFrame) -> pl.DataFrame:
    """Operator for each distinct (network code, operator) the provider states; null if none."""
    distinct = messages.select("mcc_mnc", "operator").unique()
    names = [
        _known(operator_of_network(code)) or _known(normalise_operator(operator))
        for code, operator in distinct.iter_rows()
    ]
    return distinct.with_columns(stated_operator=pl.Series(names, dtype=pl.String))


def _known(operator: str) -> str | None:
    return None if operator == UNKNOWN_LABEL else operator
