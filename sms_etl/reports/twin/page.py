"""What makes a page interactive: the packed cube, its words, the scripts, and what they may do.

The scripts are modules in `report_templates/twin`, put one after another into the page: a module
of a page that stands alone can import nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from sms_etl.config.settings import ReportKind
from sms_etl.metrics.reasons import mender_of
from sms_etl.model.vocabulary import Reason
from sms_etl.reports import advice, sentences
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import TEMPLATES, Words
from sms_etl.reports.twin.cube import REST, TwinCube
from sms_etl.reports.twin.pack import Packed, pack_within

SCRIPTS = ("dom", "format", "cube", "sums", "chart", "tables", "live", "filters", "main")
"""Modules in an order in which each finds what it uses."""

REPLACED = frozenset(
    {"summary", "daily", "reasons", "campaigns", "operators", "sources", "places", "countries"}
)
"""Sections that the live view has an equivalent of."""

KEPT = frozenset({"definitions"})
"""Sections that are true whatever is filtered. All others are hidden by a filter, and named."""

NOT_ABOUT_MESSAGES = frozenset({ReportKind.OPERATIONS, ReportKind.COMPLIANCE})
"""Kinds of reports whose pages have no filters."""

POLICY_PLACE = "content-security-policy"
"""Stands in the page until its hashes are known."""


@dataclass(frozen=True)
class Twin:
    """What the page of a report carries besides the report."""

    head: Markup
    body: str


def twin_of(figures: Figures, words: Words, cube: TwinCube | None) -> Twin | None:
    """The interactive part of a page; null where there is nothing to filter, or too much.

    A report on pulls or on rules is not about messages that a filter could act on.
    """
    if cube is None or figures.kind in NOT_ABOUT_MESSAGES:
        return None
    found = pack_within(cube)
    if found is None:
        return None
    kept, packed = found
    told = json.dumps(_head(figures, words, kept, packed), separators=(",", ":"))
    # In a script nothing but "</script" and "<!--" means anything.
    return Twin(Markup(told.replace("<", "\\u003c")), packed.body)  # noqa: S704


def follows(section: str) -> str:
    """What a filter does to a section: replaced, kept, or no (hidden and named)."""
    if section in KEPT:
        return "kept"
    return "replaced" if section in REPLACED else "no"


@cache
def script() -> str:
    """The modules as one."""
    texts = [(TEMPLATES / "twin" / f"{name}.js").read_text("utf-8") for name in SCRIPTS]
    return "\n".join(_alone(text) for text in texts)


def _alone(module: str) -> str:
    """A module as a function that hands out what it exports: its other names stay its own."""
    exported = re.findall(r"^export (?:async )?function (\w+)", module, flags=re.MULTILINE)
    body = re.sub(r"^import [^;]*;\n", "", module, flags=re.MULTILINE)
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    names = ", ".join(exported)
    given, returned = (f"const {{ {names} }} = ", f"return {{ {names} }};") if names else ("", "")
    return f"{given}(() => {{\n{body}{returned}\n}})();"


def with_policy(page: str) -> str:
    """The page with the one policy under which it works: its own styles and scripts, no network."""
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    scripts = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    attributes = {html.unescape(value) for value in re.findall(r' style="([^"]*)"', page)}
    style_hashes = [_hash(text) for text in styles]
    if attributes:
        style_hashes += ["'unsafe-hashes'", *sorted(_hash(text) for text in attributes)]
    script_hashes = [_hash(text) for text in scripts] or ["'none'"]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {' '.join(style_hashes)}",
            f"script-src {' '.join(script_hashes)}",
            "font-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return page.replace(POLICY_PLACE, policy, 1)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _head(figures: Figures, words: Words, cube: TwinCube, packed: Packed) -> dict[str, Any]:
    currencies = {state["currency"] for state in packed.head["states"]} - {None}
    return packed.head | {
        "first_day": cube.first_day.isoformat(),
        "days": cube.days,
        "gamma": cube.gamma,
        "floor": cube.floor_seconds,
        "relative_error": cube.relative_error,
        "campaigns_merged": cube.campaigns_merged,
        "labels": {
            name: [_label(figures, words, name, key) for key in keys]
            for name, keys in packed.head["values"].items()
        },
        "shapes": words.shapes(sorted(currencies))
        | {"of": words.text("%(k)s of %(n)s", k="{}", n="{}")},
        "texts": _texts(words) | _reason_texts(words),
    }


def _label(figures: Figures, words: Words, dimension: str, key: str) -> str:
    if dimension == "campaign" and key == REST:
        return words.text("All other campaigns")
    return sentences.scope_value(words, figures, dimension, key)


def _reason_texts(words: Words) -> dict[str, Any]:
    named = advice.reasons_of(words)
    reasons = [reason.value for reason in Reason]
    return {
        "reasons": {reason: advice.reason_name(words, named, reason) for reason in reasons},
        "menders": {reason: sentences.mender(words, mender_of(reason)) for reason in reasons},
    }


def _texts(words: Words) -> dict[str, Any]:
    """The sentences of the live view; `{}` stands for a number."""
    return {
        "language": words.language.value,
        "all": words.text("all"),
        "asTable": words.text("As a table"),
        "byDay": words.text("Delivery by day"),
        "chartAlt": words.text("Share by day, from %(low)s to %(high)s", low="{}", high="{}"),
        "chartLegend": words.text(
            "Above: share delivered of sent, shaded up to what missing receipts may still add. "
            "Below: messages sent, undelivered ones in orange."
        ),
        "chartLegendReasons": words.text(
            "Above: share of messages with the chosen reasons. Below: messages sent, "
            "those with the reasons in orange."
        ),
        "clear": words.text("Clear filters"),
        "day": words.text("Day"),
        "delivered": words.text("Delivered"),
        "deliveredOfSent": words.text("Delivered of sent"),
        "each": words.text("Cost of delivered"),
        "failed": words.text("Failed"),
        "filters": words.text("Filters"),
        "from": words.text("From"),
        "halfOfAll": words.text("Half of all sent"),
        "headline": words.text("With these filters delivered: %(rate)s", rate="{}"),
        "headlineReasons": words.text("With these filters and reasons: %(rate)s", rate="{}"),
        "interval": words.text("95%% interval: %(low)s to %(high)s", low="{}", high="{}"),
        "known": words.text("Final state known"),
        "median": words.text("Median"),
        "medianTime": words.text("Median time to deliver"),
        "mends": words.text("Who can mend it"),
        "merged": words.text(
            "So that this page stays small, its filters hold the smallest campaigns together: "
            "%(n)s of them.",
            n="{}",
        ),
        "more": words.text("More reasons: %(n)s", n="{}"),
        "mostOfAll": words.text("90%% of all sent"),
        "nothing": words.text("No messages pass these filters"),
        "ofUndelivered": words.text("Of undelivered"),
        "onUndelivered": words.text("On undelivered"),
        "p90": words.text("90%% of delivered"),
        "p99": words.text("99%% of delivered"),
        "parts": words.text("Parts"),
        "priced": words.text("Messages with a price"),
        "provisional": words.text("provisional"),
        "reasonsTitle": words.text("Why messages did not arrive"),
        "rejected": words.text("Rejected"),
        "sent": words.text("Sent"),
        "showAll": words.text("Show all %(n)s rows", n="{}"),
        "spent": words.text("Spent"),
        "timesWithin": words.text("times to deliver within ±%(error)s", error="{}"),
        "to": words.text("To"),
        "unanswered": words.text("Unanswered"),
        "undelivered": words.text("Undelivered"),
        "unfollowed": words.text(
            "Hidden while a filter is on, because it was worked out for the whole report and does "
            "not follow filters:"
        ),
        "upTo": words.text("up to %(high)s with the missing receipts", high="{}"),
        "volume": words.text("Volume"),
        "waiting": words.text("Waiting"),
        "withReasons": words.text("With these reasons"),
        "dimensions": {
            "source": words.text("Source"),
            "campaign": words.text("Campaign"),
            "sender": words.text("Sender"),
            "country": words.text("Country"),
            "operator": words.text("Operator"),
            "reason": words.text("Reason"),
        },
        "titles": {
            "source": words.text("Sources"),
            "campaign": words.text("Campaigns"),
            "sender": words.text("Senders"),
            "country": words.text("Countries"),
            "operator": words.text("Operators"),
        },
    }
