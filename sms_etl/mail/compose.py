"""From an edition to a mail: one letter per edition, one message per reader.

multipart/mixed( alternative( text, related( html, chart ) ), pdf )
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import default as DEFAULT_POLICY  # noqa: N812
from email.utils import format_datetime, parseaddr
from functools import cache
from urllib.parse import quote

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from sms_etl.config.settings import Mail
from sms_etl.errors import ConfigError, MailError
from sms_etl.mail.attachments import (
    ENCODED,
    NOTHING_ATTACHED,
    ONLY_PDF,
    Attached,
    Wanted,
    attachments,
    file_of,
)
from sms_etl.mail.summary import summary
from sms_etl.mail.unsubscribe import AddressList, Wish, links_of
from sms_etl.reports import sentences
from sms_etl.reports.cards import Card, Change
from sms_etl.reports.editions import CHART_FILE, Edition
from sms_etl.reports.figures import Figures, is_empty, is_incomplete
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import TEMPLATES, Words
from sms_etl.reports.subset import scope_of

MAX_HTML_BYTES = 80_000
"""Gmail cuts a mail's HTML at about 102 kB as sent; quoted-printable makes Cyrillic longer."""

LONGEST_SCOPE = 40
"""Characters of a subject for what a report is of; the mail says it whole."""

NO_VALUE = "—"

TRANSFER = "quoted-printable"

READERS_LINK = "https://unsubscribe.invalid/"
"""Stands in the letter where the link of each reader goes."""

_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", AddressList)
_POLICY = DEFAULT_POLICY.clone(header_factory=_HEADERS)


@dataclass(frozen=True)
class Letter:
    """What every reader of an edition gets."""

    edition: Edition
    subject: str
    text: str
    html: str
    chart_png: bytes | None
    chart_cid: str
    attached: tuple[Attached, ...]


def write_letter(
    edition: Edition, figures: Figures, mail: Mail, wanted: Wanted = ONLY_PDF
) -> Letter:
    """The content of the mail about an edition, in its language.

    Raises:
        MailError: a file of the edition is missing, or the HTML is too long.
        ConfigError: mail.sender holds no address, or the key to unsubscribe is not set.
    """
    words = Words(edition.key.language)
    chart = file_of(edition, CHART_FILE)
    report = summary(figures, words)
    subject = _subject(words, figures, edition)
    # Short, so that the header is not folded: some programs then miss the picture.
    cid = f"chart.{edition.figures_file_sha256[:16]}@{sender_domain(mail)}"
    taken = MAX_HTML_BYTES + int(len(chart) * ENCODED)
    # A period without messages is a note: there is nothing to attach or to draw.
    bring = (
        NOTHING_ATTACHED
        if is_empty(figures)
        else attachments(edition, figures, wanted, mail, words, taken)
    )
    values = {
        "report": report,
        "language": edition.key.language.value,
        "subject": subject,
        "chart_cid": cid,
        "marks": _marks(words, figures, edition),
        "is_note": is_empty(figures),
        "attachments": bring.sentences,
        "edition_line": words.text(
            "Edition %(id)s, revision %(n)s.", id=edition.id, n=edition.revision
        ),
        "why": words.text(
            "You get this mail as a reader of “%(name)s”.", name=edition.key.audience
        ),
        "unsubscribe": READERS_LINK if links_of(mail) else unsubscribe_by_mail(edition, mail),
        "unsubscribe_text": words.text("Unsubscribe"),
    }
    page = _inliner().inline(_template("mail.html.j2", escape=True).render(values))
    if len(page.encode()) > MAX_HTML_BYTES:
        raise MailError(
            f"The mail of edition {edition.id} has {len(page.encode())} bytes of HTML; mail "
            f"programs cut it from about {MAX_HTML_BYTES}. Shorten names of campaigns."
        )
    text = _template("mail.txt.j2", escape=False).render(values)
    return Letter(
        edition=edition,
        subject=subject,
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=page,
        chart_png=None if is_empty(figures) else chart,
        chart_cid=cid,
        attached=bring.files,
    )


def compose(letter: Letter, reader: str, mail: Mail, now: datetime) -> EmailMessage:
    """The message to one reader.

    Raises:
        MailError: an address or a name holds a line break or is no address.
    """
    edition = letter.edition
    message = EmailMessage(policy=_POLICY)
    links = links_of(mail)
    link = links.link(Wish(edition.key.audience, reader)) if links else ""
    try:
        message["From"] = mail.sender
        message["To"] = reader
        message["Reply-To"] = mail.owner
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = message_id(edition.id, reader, mail)
        message["List-Id"] = f"<{edition.key.audience}.{sender_domain(mail)}>"
        by_mail = unsubscribe_by_mail(edition, mail)
        message["List-Unsubscribe"] = f"<{link}>, <{by_mail}>" if link else f"<{by_mail}>"
        if link:
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
    except ValueError as error:
        raise MailError(f"The mail to {reader!r} cannot be addressed: {error}") from error
    message.set_content(letter.text.replace(READERS_LINK, link), cte=TRANSFER)
    page = letter.html.replace(READERS_LINK, html.escape(link))
    message.add_alternative(page, subtype="html", cte=TRANSFER)
    if letter.chart_png is not None:
        body = message.get_body(("html",))
        assert isinstance(body, EmailMessage)  # noqa: S101 - it was added on the line above
        body.add_related(
            letter.chart_png,
            "image",
            "png",
            cid=f"<{letter.chart_cid}>",
            disposition="inline",
            filename="chart.png",
        )
    for one in letter.attached:
        maintype, _, subtype = one.mime_type.partition("/")
        message.add_attachment(one.body, maintype, subtype, filename=one.name)
    message["Content-Language"] = edition.key.language.value
    return message


def message_id(edition_id: str, reader: str, mail: Mail) -> str:
    """Message-ID of a ledger row: the same however often the mail is tried."""
    key = hashlib.sha256(f"{edition_id}\0{reader}".encode()).hexdigest()[:32]
    return f"<{key}@{sender_domain(mail)}>"


def sender_domain(mail: Mail) -> str:
    """Domain of the From address.

    Raises:
        ConfigError: mail.sender holds no address.
    """
    address = parseaddr(mail.sender)[1]
    domain = address.rpartition("@")[2]
    if not domain or "@" not in address:
        raise ConfigError(
            f"mail.sender = {mail.sender!r} holds no address. "
            f"Write it as 'Reports <reports@example.com>'."
        )
    return domain


def unsubscribe_by_mail(edition: Edition, mail: Mail) -> str:
    """A mail to the owner, who can take the reader off."""
    return f"mailto:{mail.owner}?subject={quote(f'unsubscribe {edition.key.audience}')}"


def _subject(words: Words, figures: Figures, edition: Edition) -> str:
    _, title = kind_of(figures).title(words, figures)
    if figures.campaign is not None:
        title = f"{words.text('SMS delivery')}, {title}"
    scope = scope_of(words, figures)
    if scope:
        title += f" ({scope if len(scope) <= LONGEST_SCOPE else words.text('a part')})"
    span = words.span(figures.first_day, figures.last_day)
    subject = f"{title}, {span}: {_result(words, figures)}"
    return " ".join([*_marks(words, figures, edition), subject])


def _marks(words: Words, figures: Figures, edition: Edition) -> tuple[str, ...]:
    """What a reader must know before anything else."""
    lacking = words.text("Incomplete: days without whole data.")
    incomplete = lacking if is_incomplete(figures) else ""
    return tuple(filter(None, (_correction(words, edition), incomplete)))


def _result(words: Words, figures: Figures) -> str:
    """The rate; days without data are never told as days without messages."""
    rate = figures.totals.delivery
    if rate.value is None and is_incomplete(figures):
        return words.text("data is missing")
    if rate.value is None or rate.small:
        return sentences.rate_text(words, rate)
    return sentences.rate_value(words, rate)


def _correction(words: Words, edition: Edition) -> str:
    if edition.revision == 1:
        return ""
    return words.text("Corrected (revision %(n)s).", n=edition.revision)


def _change(change: Change) -> str:
    """`▼ −0.3 pp · worse`: direction, size and verdict, so colour is never alone."""
    amount = " ".join(filter(None, (change.arrow, change.amount)))
    return f"{amount} · {change.word}" if change.amount else f"{amount} {change.word}"


def _value(card: Card) -> str:
    """A card's value with its first note, on one line; where nothing is known, only the note."""
    facts = [card.value if card.value != NO_VALUE else "", *card.notes[:1]]
    return " — ".join(filter(None, facts)) or NO_VALUE


@cache
def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "mail"),
        autoescape=escape,  # noqa: S701 - off only for the plain-text part
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"change": _change, "value": _value}
    return environment


def _template(name: str, *, escape: bool) -> Template:
    return _environment(escape=escape).get_template(name)


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
