"""Two editions compared, in words: what the later one says that the earlier one did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sms_etl.reports.cards import rate_change
from sms_etl.reports.correction import moved_figures
from sms_etl.reports.figures import Figures, GroupRow
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from sms_etl.reports.quality import restated_lines, spans
from sms_etl.reports.sentences import (
    dimension,
    finding_title,
    finding_when,
    rate_value,
    scope_value,
)

MOST_GROUPS = 5
"""Groups named of one dimension; the editions hold all."""

SEEN_BY = 0.0005
"""A rate that moved by less prints alike."""

Groups = Sequence[GroupRow]


def differences(words: Words, then: Figures, now: Figures) -> list[str]:
    """Sentences about everything that differs, the most important first.

    Two editions of the same days, or of different ones; at least one sentence is returned.
    """
    told = [
        *_about(words, then, now),
        *_totals(words, then, now),
        *_rates(words, then, now),
        *_groups(words, then, now),
        *_findings(words, then, now),
        *_sources(words, then, now),
    ]
    return told or [words.text("The two editions say the same.")]


def _about(words: Words, then: Figures, now: Figures) -> list[str]:
    """What the two are about, where it is not the same."""
    names = [
        f"{kind_of(one).title(words, one)[1]}, {words.span(one.first_day, one.last_day)}"
        for one in (then, now)
    ]
    if names[0] == names[1]:
        return []
    return [words.text("Two reports are compared: %(then)s; %(now)s.", then=names[0], now=names[1])]


def _totals(words: Words, then: Figures, now: Figures) -> list[str]:
    lines = restated_lines(words, moved_figures(then.totals, now.totals, ()))
    return [
        words.text("%(name)s: %(then)s → %(now)s.", name=x.name, then=x.then, now=x.now)
        for x in lines
    ]


def _rates(words: Words, then: Figures, now: Figures) -> list[str]:
    """The delivery rate and the median time."""
    found = []
    before, after = then.totals.delivery, now.totals.delivery
    change = rate_change(words, after, before)
    if change is not None and change.amount:
        found.append(
            words.text(
                "The delivery rate: %(then)s → %(now)s (%(amount)s, %(word)s).",
                then=rate_value(words, before),
                now=rate_value(words, after),
                amount=change.amount,
                word=change.word,
            )
        )
    times = [one.totals.latency.median for one in (then, now)]
    shown = ["—" if time is None else words.duration(time) for time in times]
    if shown[0] != shown[1]:
        found.append(
            words.text(
                "The median time to deliver: %(then)s → %(now)s.", then=shown[0], now=shown[1]
            )
        )
    return found


def _groups(words: Words, then: Figures, now: Figures) -> list[str]:
    found = []
    for name, before, after in _dimensions(then, now):
        old = {row.key: row for row in before}
        new = {row.key: row for row in after}
        head = dimension(words, name)
        came = [scope_value(words, now, name, key) for key in new if key not in old]
        gone = [scope_value(words, then, name, key) for key in old if key not in new]
        if came:
            names = _listed(words, came)
            found.append(words.text("New: %(head)s %(names)s.", head=head, names=names))
        if gone:
            names = _listed(words, gone)
            found.append(words.text("Gone: %(head)s %(names)s.", head=head, names=names))
        found += _moved(words, now, name, [(old[key], new[key]) for key in new if key in old])
    return found


def _dimensions(then: Figures, now: Figures) -> Iterable[tuple[str, Groups, Groups]]:
    return (
        ("source", then.by_source, now.by_source),
        ("operator", then.by_operator, now.by_operator),
        ("campaign", then.by_campaign, now.by_campaign),
        ("country", then.by_country, now.by_country),
        ("sender", then.by_sender, now.by_sender),
    )


def _moved(
    words: Words, now: Figures, name: str, pairs: Sequence[tuple[GroupRow, GroupRow]]
) -> list[str]:
    """Values of a dimension whose rate prints as another one, those with most messages first."""
    moved = [
        (before, after)
        for before, after in pairs
        if abs((after.totals.delivery.value or 0.0) - (before.totals.delivery.value or 0.0))
        >= SEEN_BY
    ]
    moved.sort(key=lambda pair: (-pair[1].totals.submitted, pair[1].key))
    texts = [
        words.text(
            "%(name)s: %(then)s → %(now)s",
            name=scope_value(words, now, name, after.key),
            then=rate_value(words, before.totals.delivery),
            now=rate_value(words, after.totals.delivery),
        )
        for before, after in moved
    ]
    if not texts:
        return []
    return [
        words.text(
            "Delivered, by %(dimension)s: %(changes)s.",
            dimension=dimension(words, name),
            changes=_listed(words, texts),
        )
    ]


def _listed(words: Words, names: Sequence[str]) -> str:
    shown, rest = list(names[:MOST_GROUPS]), len(names) - MOST_GROUPS
    if rest > 0:
        shown.append(words.plural("and %(n)s more", "and %(n)s more", rest))
    return "; ".join(shown)


def _findings(words: Words, then: Figures, now: Figures) -> list[str]:
    """Findings that one of the two does not have."""
    old, new = ({f.id: f for f in one.findings} for one in (then, now))

    def told(figures: Figures, ids: Iterable[str]) -> str:
        found = [f for f in figures.findings if f.id in set(ids)]
        return _listed(
            words,
            [
                f"{finding_title(words, figures, f)} ({finding_when(words, figures, f)})"
                for f in found
            ],
        )

    sentences = []
    if came := new.keys() - old.keys():
        sentences.append(words.text("New findings: %(names)s.", names=told(now, came)))
    if gone := old.keys() - new.keys():
        sentences.append(words.text("No more findings: %(names)s.", names=told(then, gone)))
    return sentences


def _sources(words: Words, then: Figures, now: Figures) -> list[str]:
    """Days of sources that came, or went, since."""
    old = {state.source: set(state.missing_days) for state in then.sources}
    found = []
    for state in now.sources:
        missing = set(state.missing_days)
        before = old.get(state.source, missing)
        name = words.label(state.source)
        for days, arrived in ((before - missing, True), (missing - before, False)):
            if not days:
                continue
            shown = ", ".join(words.span_short(*run) for run in spans(sorted(days)))
            if arrived:
                found.append(words.text("%(name)s now has %(days)s.", name=name, days=shown))
            else:
                found.append(words.text("%(name)s now lacks %(days)s.", name=name, days=shown))
    return found
