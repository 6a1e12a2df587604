from __future__ import annotations

import html
import re
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32, default

import pytest

from sms_etl.config.settings import Attachment, Language
from sms_etl.errors import ConfigError, MailError
from sms_etl.mail import compose as composing
from sms_etl.mail.attachments import Wanted
from sms_etl.mail.compose import Letter, compose, write_letter
from sms_etl.reports.data_files import DataFormat, data_file
from sms_etl.reports.figures import Figures
from tests.mail.world import NOW, OLENA, OWNER, PETRO, PNG, Drawn, World
from tests.reports import samples

REPORTS = {
    "month": samples.month,
    "campaign": samples.campaign,
    "nothing sent": samples.nothing,
    "nothing known": lambda: samples.nothing(missing=True),
}


def letter_of(
    tmp_path, figures: Figures | None = None, language: Language = Language.UKRAINIAN, **more
) -> Letter:
    world = World(tmp_path, figures=figures)
    edition = world.edition(language, more.pop("rendered", None))
    return write_letter(edition, edition.figures(), World(tmp_path, **more).mail)


def received(letter: Letter, world: World, reader: str = OLENA) -> EmailMessage:
    """The message as a mail program sees it: from the bytes on the wire."""
    body = compose(letter, reader, world.mail, NOW).as_bytes(policy=SMTP)
    assert body.isascii()
    assert max(len(line) for line in body.split(b"\r\n")) <= 998, "RFC 5322, 2.1.1"
    message = message_from_bytes(body, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def words_of(page: str) -> str:
    """What a reader sees of HTML, blanks squeezed."""
    visible = re.sub(r"<(style|title)>.*?</\1>|<!--.*?-->", " ", page, flags=re.DOTALL)
    images = re.sub(r'<img[^>]*alt="([^"]*)"[^>]*>', r" \1 ", visible)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", images)).split())


def numbers_of(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:[.,:]\d+)*", re.sub(r"mailto:\S+", "", text)))


def test_parts_are_nested_as_mail_programs_expect(tmp_path):
    message = received(letter_of(tmp_path), World(tmp_path))
    shape = [(part.get_content_type(), part.is_multipart()) for part in message.walk()]
    assert shape == [
        ("multipart/mixed", True),
        ("multipart/alternative", True),
        ("text/plain", False),
        ("multipart/related", True),
        ("text/html", False),
        ("image/png", False),
        ("application/pdf", False),
    ]
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    page = message.get_body(("html",)).get_content()
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in page
    assert image.get_content() == PNG
    (pdf,) = message.iter_attachments()
    assert pdf.get_content() == Drawn().pdf


def test_headers(tmp_path):
    world = World(tmp_path)
    letter = letter_of(tmp_path)
    message = received(letter, world)
    assert message["From"].addresses[0].display_name == "Звіти про SMS"
    assert message["To"] == OLENA
    assert message["Reply-To"] == OWNER
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["List-Id"] == "<monthly.example.com>"
    assert message["List-Unsubscribe"] == f"<mailto:{OWNER}?subject=unsubscribe%20monthly>"
    assert message["MIME-Version"] == "1.0"
    assert message["Content-Language"] == "uk"
    assert message["Subject"] == letter.subject


def test_message_id_is_stable_and_apart_per_reader_and_edition(tmp_path):
    world = World(tmp_path)
    letter = letter_of(tmp_path)
    other = replace(letter, edition=replace(letter.edition, id="another"))
    found = [
        received(letter, world)["Message-ID"],
        received(letter, world)["Message-ID"],
        received(letter, world, PETRO)["Message-ID"],
        received(other, world)["Message-ID"],
    ]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", found[0])


def test_cyrillic_subject_and_file_name_are_encoded_by_the_standards(tmp_path):
    world = World(tmp_path)
    letter = letter_of(tmp_path)
    raw = message_from_bytes(
        compose(letter, OLENA, world.mail, NOW).as_bytes(policy=SMTP), policy=compat32
    )
    assert raw["Subject"].lower().startswith("=?utf-8?"), "RFC 2047"
    assert str(make_header(decode_header(raw["Subject"]))) == letter.subject
    attachment = raw.get_payload()[-1]
    assert re.search(r"filename\*(0\*)?=utf-8''", attachment["Content-Disposition"]), "RFC 2231"
    assert attachment.get_filename() == "Доставка SMS 2026-10-01 2026-10-31.pdf"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", REPORTS)
def test_text_and_html_say_the_same(tmp_path, kind, language):
    letter = letter_of(tmp_path, REPORTS[kind](), language)
    page = words_of(letter.html)
    text = letter.text
    assert numbers_of(text) == numbers_of(page)
    for line in text.splitlines():
        for fact in re.split(r"[|()]|: |^\d+\. | — |, ", line.strip(" !")):
            assert " ".join(fact.split()) in page or fact.startswith("mailto:")
    if not kind.startswith("nothing"):
        assert letter.subject.split(": ")[-1] in text


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", REPORTS)
def test_html_fits_mail_programs(tmp_path, kind, language):
    letter = letter_of(tmp_path, REPORTS[kind](), language)
    page = letter.html
    assert len(page.encode()) < composing.MAX_HTML_BYTES
    assert f'<html lang="{language.value}"' in page
    assert "prefers-color-scheme" in page, "media rules survive inlining"
    assert re.search(r'<td class="band"[^>]*style="[^"]*background', page), "styles are inlined"
    assert not re.search(r"<(script|link|iframe|form|svg)\b|@import|@font-face|https?://", page)
    pictures = set() if kind == "nothing sent" else {f"cid:{letter.chart_cid}"}
    assert set(re.findall(r'src="([^"]*)"', page)) == pictures
    layout = re.findall(r"<table (?![^>]*role=\"presentation\")[^>]*>", page)
    assert len(layout) == page.count('class="rows"'), "only the data table is a table to a reader"


def test_ukrainian_letters_hold_no_english_left_over(tmp_path):
    letter = letter_of(tmp_path)
    text = re.sub(r"\S*@\S*|mailto:\S*|Випуск \S+", "", letter.text)
    words = set(re.findall(r"[A-Za-z]{3,}", text))
    names = {"SMS", "USD", "PDF", "OTP", "NPS", "lifecell", "TurboSMS", "AlphaSMS", "Twilio"}
    assert words - names <= {"monthly", "Europe", "Kyiv"}


def test_the_table_ends_where_a_phone_screen_does(tmp_path):
    rows = tuple(
        samples.group(f"c{n}", f"Кампанія {n} <b>&", 1000 + n, 0.96, 0.95) for n in range(300)
    )
    letter = letter_of(tmp_path, samples.month(by_campaign=rows))
    assert letter.html.count("Кампанія ") == 10
    assert "Ще 290 — у звіті" in letter.text
    assert "<b>&" not in letter.html
    assert "&lt;b&gt;&amp;" in letter.html
    assert "Кампанія 299 <b>&" in letter.text, "the plain text is not escaped"


def test_a_period_without_messages_is_a_short_note(tmp_path):
    letter = letter_of(tmp_path, samples.nothing(), Language.ENGLISH)
    message = received(letter, World(tmp_path))
    types = [part.get_content_type() for part in message.walk()]
    assert types == ["multipart/alternative", "text/plain", "text/html"]
    assert letter.subject == "SMS delivery, 1–31 October 2026: no messages"
    assert "Nothing was sent in this period" in letter.text


def test_days_without_data_are_marked_and_never_told_as_none_sent(tmp_path):
    letter = letter_of(tmp_path, samples.nothing(missing=True), Language.ENGLISH)
    assert letter.subject == (
        "Incomplete: days without whole data. SMS delivery, 1–31 October 2026: data is missing"
    )
    for told in (letter.text, words_of(letter.html)):
        assert "Incomplete: days without whole data." in told
        assert "Nothing was sent" not in told


def complete_month() -> Figures:
    month = samples.month()
    sources = [state.model_copy(update={"missing_days": ()}) for state in month.sources]
    return month.model_copy(update={"sources": tuple(sources)})


def test_a_revision_is_announced(tmp_path):
    world = World(tmp_path, figures=complete_month())
    world.edition()
    totals = world.figures.totals
    less = totals.model_copy(update={"delivered": totals.delivered - 1})
    world.figures = world.figures.model_copy(update={"totals": less})
    edition = world.edition()
    letter = write_letter(edition, edition.figures(), world.mail)
    assert letter.subject.startswith("Виправлено (редакція 2). Доставка SMS")
    assert "Виправлено (редакція 2)." in letter.text
    assert "Виправлено (редакція 2)." in words_of(letter.html)


@pytest.mark.parametrize("reports_url", [None, "https://reports.example.com/sms/"])
def test_what_is_too_large_is_left_out_and_said_where_it_is(tmp_path, reports_url):
    world = World(tmp_path, reports_url=reports_url)
    edition = world.edition(Language.ENGLISH, Drawn(pdf=b"%PDF" * 1_000_000))
    wanted = Wanted((Attachment.PDF, Attachment.HTML, Attachment.JSON), 2_000_000)
    letter = write_letter(edition, edition.figures(), world.mail, wanted)
    message = received(letter, world)
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names == [f"SMS delivery 2026-10-01 2026-10-31.{form}" for form in ("html", "json")]
    assert len(message.as_bytes()) < 2_000_000
    where = (
        f"It is here: https://reports.example.com/sms/{edition.id}/report.pdf"
        if reports_url
        else f"The owner of this report has it: edition {edition.id}."
    )
    for told in (letter.text, words_of(letter.html)):
        assert "Attached: HTML, JSON." in told
        assert f"The PDF has 4.0 MB, too much for this mail. {where}" in told


def test_the_tables_are_attached_as_they_are_written_anywhere(tmp_path):
    world = World(tmp_path)
    edition = world.edition(Language.ENGLISH)
    wanted = Wanted((Attachment.XLSX, Attachment.CSV, Attachment.PARQUET))
    letter = write_letter(edition, edition.figures(), world.mail, wanted)
    parts = list(received(letter, world).iter_attachments())
    endings = [part.get_filename().split(".", 1)[1] for part in parts]
    assert endings == ["xlsx", "csv.zip", "parquet.zip"]
    for part, form in zip(parts, DataFormat, strict=True):
        assert part.get_content() == data_file(world.figures, Language.ENGLISH, form)


def test_the_mail_attaches_the_frozen_tables(tmp_path):
    world = World(tmp_path)
    frozen = {form.file_name: form.value.encode() for form in DataFormat}
    edition = world.edition(Language.ENGLISH, more=frozen)
    wanted = Wanted((Attachment.XLSX, Attachment.CSV, Attachment.PARQUET))
    letter = write_letter(edition, edition.figures(), world.mail, wanted)
    parts = list(received(letter, world).iter_attachments())
    assert [part.get_content() for part in parts] == list(frozen.values())


def test_html_too_long_for_mail_programs_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(composing, "MAX_HTML_BYTES", 5_000)
    with pytest.raises(MailError, match="bytes of HTML"):
        letter_of(tmp_path)


@pytest.mark.parametrize("sender", ["Reports", "", "Reports <>"])
def test_a_sender_without_address_is_a_wrong_setting(tmp_path, sender):
    with pytest.raises(ConfigError, match=r"mail\.sender"):
        letter_of(tmp_path, sender=sender)


def test_a_line_break_in_an_address_cannot_add_headers(tmp_path):
    letter = letter_of(tmp_path)
    with pytest.raises(MailError, match="cannot be addressed"):
        compose(letter, "a@example.com\r\nBcc: b@example.com", World(tmp_path).mail, NOW)


def test_a_missing_file_of_the_edition_is_told(tmp_path):
    world = World(tmp_path)
    edition = world.edition()
    edition.chart_path.unlink()
    with pytest.raises(MailError, match=r"chart\.png cannot be read"):
        write_letter(edition, edition.figures(), world.mail)
