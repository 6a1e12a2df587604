"""What a mail brings besides its text, within the size a subscription allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from sms_etl.config.settings import Attachment, Mail, Subscription
from sms_etl.errors import MailError, StoreError
from sms_etl.reports.data_files import DataFormat, data_file
from sms_etl.reports.editions import FIGURES_FILE, HTML_FILE, PDF_FILE, Edition
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words

BYTES_PER_MB = 1_000_000
ENCODED = 78 / 57
"""Bytes in a mail for a byte of an attachment: base64 in lines of 76 characters."""

FILES = {Attachment.PDF: PDF_FILE, Attachment.HTML: HTML_FILE, Attachment.JSON: FIGURES_FILE}
"""Files that every edition has."""

TABLES = {
    Attachment.XLSX: DataFormat.XLSX,
    Attachment.CSV: DataFormat.CSV,
    Attachment.PARQUET: DataFormat.PARQUET,
}
"""Files of tables; an edition of an older release does not have them."""

MIME_TYPES = {
    Attachment.PDF: "application/pdf",
    Attachment.HTML: "text/html",
    Attachment.JSON: "application/json",
    Attachment.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Attachment.CSV: "application/zip",
    Attachment.PARQUET: "application/zip",
}
SUFFIXES = {Attachment.CSV: "csv.zip", Attachment.PARQUET: "parquet.zip"}
"""Where the name does not end with the format: a file per table, packed."""


@dataclass(frozen=True)
class Wanted:
    """What a subscription wants attached, and how large its mails may be as sent."""

    formats: tuple[Attachment, ...] = (Attachment.PDF,)
    largest_bytes: int = 10 * BYTES_PER_MB

    @classmethod
    def of(cls, subscription: Subscription) -> Wanted:
        """The wish of a subscription."""
        formats = tuple(dict.fromkeys(subscription.formats))
        return cls(formats, int(subscription.largest_mail_mb * BYTES_PER_MB))


ONLY_PDF = Wanted()


@dataclass(frozen=True)
class Attached:
    """One attachment."""

    name: str
    mime_type: str
    body: bytes


@dataclass(frozen=True)
class Attachments:
    """What is attached, and a sentence for each kind: what is, and where the rest is."""

    files: tuple[Attached, ...]
    sentences: tuple[str, ...]


NOTHING_ATTACHED = Attachments((), ())


def attachments(
    edition: Edition, figures: Figures, wanted: Wanted, mail: Mail, words: Words, taken: int
) -> Attachments:
    """The formats that fit, in the order of the settings; of the others a sentence.

    Args:
        edition: whose files.
        figures: of the edition.
        wanted: formats and size.
        mail: where reports can be opened, if anywhere.
        words: the language.
        taken: bytes that text and picture need already.

    Raises:
        MailError: a file of the edition cannot be read.
    """
    room = wanted.largest_bytes - taken
    files: list[Attached] = []
    left_out: list[tuple[Attachment, int]] = []
    for form in wanted.formats:
        body = _body(edition, figures, form, words)
        size = int(len(body) * ENCODED)
        if size <= room:
            room -= size
            name = f"{file_stem(words, figures)}.{SUFFIXES.get(form, form.value)}"
            files.append(Attached(name, MIME_TYPES[form], body))
        else:
            left_out.append((form, len(body)))
    told = _told(words, wanted, [form for form, _ in left_out])
    told += [_left_out(words, edition, mail, form, size) for form, size in left_out]
    return Attachments(tuple(files), tuple(told))


def file_stem(words: Words, figures: Figures) -> str:
    """Name of the attached files without their ending."""
    name = words.text("SMS delivery")
    if figures.campaign is not None:
        name = f"{name} {words.label(figures.campaign_label or figures.campaign)}"
    span = f"{figures.first_day.isoformat()} {figures.last_day.isoformat()}"
    return re.sub(r'[\\/:*?"<>|\s]+', " ", f"{name} {span}").strip()


def file_of(edition: Edition, name: str) -> bytes:
    """A file of an edition.

    Raises:
        MailError: it cannot be read.
    """
    try:
        return edition.path(name).read_bytes()
    except OSError as error:
        why = f"{error.filename} cannot be read ({error.strerror})."
        raise MailError(f"Edition {edition.id} cannot be mailed: {why}") from error
    except StoreError as error:
        raise MailError(f"Edition {edition.id} cannot be mailed: {error}") from error


def _told(words: Words, wanted: Wanted, left_out: list[Attachment]) -> list[str]:
    attached = [form for form in wanted.formats if form not in left_out]
    if not attached:
        return []
    if attached == [Attachment.PDF]:
        return [words.text("The whole report is attached as a PDF.")]
    names = ", ".join(form.value.upper() for form in attached)
    return [words.text("Attached: %(names)s.", names=names)]


def _left_out(words: Words, edition: Edition, mail: Mail, form: Attachment, size: int) -> str:
    megabytes = words.decimal(size / BYTES_PER_MB, 1)
    name = form.value.upper()
    file = _file_name(form)
    if mail.reports_url is not None and file in edition.hashes:
        link = f"{mail.reports_url.rstrip('/')}/{quote(edition.folder.name)}/{file}"
        return words.text(
            "The %(name)s has %(size)s MB, too much for this mail. It is here: %(link)s",
            name=name,
            size=megabytes,
            link=link,
        )
    return words.text(
        "The %(name)s has %(size)s MB, too much for this mail. The owner of this report has it: "
        "edition %(id)s.",
        name=name,
        size=megabytes,
        id=edition.id,
    )


def _file_name(form: Attachment) -> str:
    """Name in the folder of an edition."""
    return FILES[form] if form in FILES else TABLES[form].file_name


def _body(edition: Edition, figures: Figures, form: Attachment, words: Words) -> bytes:
    file = _file_name(form)
    if file in edition.hashes:
        return file_of(edition, file)
    # An edition of an older release: made from its frozen figures.
    return data_file(figures, words.language, TABLES[form])
