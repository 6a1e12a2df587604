"""What people did with messages: what stands for opens, answers, refusals, robots aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_etl.engagement.robots import RobotRule
from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import Channel
from sms_etl.reports import sentences
from sms_etl.reports.engagement_figures import Engaged, Engagement
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values
from sms_etl.reports.slices import MOST_ROWS

SHOWN_WINDOW = 24
"""Hours of the window that the table of campaigns prints; the others are in a sentence."""


@dataclass(frozen=True)
class EngagedLine:
    """One row of the table."""

    name: str
    clicked: Rate | None
    read: Rate | None
    replied: Rate | None
    opted_out: Rate | None


def values(figures: Figures, words: Words) -> Values:
    """The table and what must be known of it."""
    found = figures.engagement
    if found is None:
        return {}
    rows = found.by_campaign[:MOST_ROWS]
    lines = [_line(words.label(one.label), one) for one in rows]
    total = _line(whole_name(words, figures), found.whole)
    return {
        "title": title(words, found),
        "lines": lines,
        "total": total,
        "reads": found.whole.read is not None,
        "replies": found.whole.replied is not None,
        "refusals": bool(found.whole.opt_outs),
        "left_out": left_out(words, len(found.by_campaign) - len(rows)),
        "notes": notes(words, found),
    }


def whole_name(words: Words, figures: Figures) -> str:
    """What the whole of a report is: all messages, or the campaign's."""
    if figures.campaign is None:
        return words.text("All messages")
    return words.label(figures.campaign_label or figures.campaign)


def left_out(words: Words, rows: int) -> str:
    """How many rows of a table are not printed; empty for none."""
    if rows <= 0:
        return ""
    return words.plural(
        "And %(n)s more in the data of the report.",
        "And %(n)s more in the data of the report.",
        rows,
    )


def _line(name: str, one: Engaged) -> EngagedLine:
    refused = next((o.rate for o in one.opt_outs if o.window_hours == SHOWN_WINDOW), None)
    return EngagedLine(name, one.clicked, one.read, one.replied, refused)


def title(words: Words, found: Engagement) -> str:
    """How many texts were opened through their link, or read."""
    whole = found.whole
    if whole.clicked is not None and whole.clicked.value is not None:
        return words.text(
            "People opened the link of %(rate)s",
            rate=sentences.rate_text(words, whole.clicked),
        )
    if whole.read is not None and whole.read.value is not None:
        return words.text("Read: %(rate)s", rate=sentences.rate_text(words, whole.read))
    return words.text("What people did with the messages")


def notes(words: Words, found: Engagement) -> list[str]:
    """Opens honestly, robots beside people, refusals by window, and what is not known."""
    told = [
        _reads(words, found),
        _robots(words, found.whole),
        _refusals(words, found.whole),
        _unknown(words, found),
    ]
    return [note for note in told if note]


def _reads(words: Words, found: Engagement) -> str:
    if not found.read_channels:
        return words.text("No channel of these messages reported reading.")
    names = ", ".join(channel_name(name) for name in found.read_channels)
    return words.text(
        "Reading is reported by %(channels)s only; a reader who blocks such receipts is not seen.",
        channels=names,
    )


def channel_name(name: str) -> str:
    """A channel as it is written."""
    return {Channel.VIBER: "Viber", Channel.RCS: "RCS", Channel.WHATSAPP: "WhatsApp"}.get(
        Channel(name), name.upper()
    )


def _robots(words: Words, whole: Engaged) -> str:
    robots = sum(whole.robots.values())
    if not robots:
        return ""
    said = words.text(
        "Of %(all)s clicks %(robots)s were robots' and are in no rate: %(rules)s.",
        all=words.count(whole.clicks + robots),
        robots=words.count(robots),
        rules=_by_rule(words, whole.robots),
    )
    people = words.plural(
        "%(clicks)s clicks were made by %(n)s person.",
        "%(clicks)s clicks were made by %(n)s people.",
        whole.people_clicked,
        clicks=words.count(whole.clicks),
    )
    return f"{said} {people}" if whole.people_clicked else said


def _by_rule(words: Words, robots: Mapping[str, int]) -> str:
    return "; ".join(f"{rule_name(words, rule)}: {words.count(n)}" for rule, n in robots.items())


def rule_name(words: Words, rule: str) -> str:
    """Why a click was a robot's."""
    match RobotRule(rule):
        case RobotRule.PROVIDER:
            return words.text("by the word of the link service")
        case RobotRule.USER_AGENT:
            return words.text("a program by its name")
        case RobotRule.DATA_CENTRE:
            return words.text("from a data centre")
        case RobotRule.TOO_SOON:
            return words.text("sooner than anybody reads")
        case RobotRule.MANY_LINKS:
            return words.text("many links at once")


def _refusals(words: Words, whole: Engaged) -> str:
    if not whole.opt_outs:
        return ""
    told = "; ".join(
        words.text("%(hours)s h: %(k)s", hours=one.window_hours, k=words.count(one.rate.numerator))
        for one in whole.opt_outs
    )
    return words.text(
        "Refusals after the last message a person got, by the time since: %(counts)s.", counts=told
    )


def _unknown(words: Words, found: Engagement) -> str:
    told = []
    if found.whole.clicked is not None and found.whole.texts_unknown:
        told.append(
            words.plural(
                "the text of %(n)s delivered message is not known",
                "the texts of %(n)s delivered messages are not known",
                found.whole.texts_unknown,
            )
        )
    if found.untied_clicks:
        told.append(
            words.plural(
                "%(n)s click belongs to no known campaign",
                "%(n)s clicks belong to no known campaign",
                found.untied_clicks,
            )
        )
    if found.unjudged_clicks:
        told.append(
            words.plural(
                "%(n)s click is not judged yet",
                "%(n)s clicks are not judged yet",
                found.unjudged_clicks,
            )
        )
    if not told:
        return ""
    return words.text("In no rate: %(what)s.", what="; ".join(told))


ENGAGED = Section("engaged", values, lambda figures: figures.engagement is not None)
