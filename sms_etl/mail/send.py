"""Mailing an edition: one message per reader, at most once, and provable by the ledger."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sms_etl.config.clock import now as clock
from sms_etl.config.settings import Mail, Settings
from sms_etl.errors import ConfigError, MailError
from sms_etl.mail.alert import alert_owner
from sms_etl.mail.attachments import ONLY_PDF, Wanted
from sms_etl.mail.compose import Letter, compose, message_id, write_letter
from sms_etl.mail.ledger import CLAIMABLE, LEFT_SENDING, Claim, Entry, Ledger, MailState
from sms_etl.mail.smtp import (
    NoConnectionError,
    NotOursError,
    OutcomeUnknownError,
    PermanentRefusalError,
    Session,
    TemporaryRefusalError,
    open_session,
)
from sms_etl.reports.editions import Edition, EditionStore
from sms_etl.store.warehouse import Warehouse

logger = logging.getLogger(__name__)

WHAT_TO_DO = """Refused mails are not tried again: correct the address in the settings, or send to \
the reader again with 'sms-etl mail resend'. Of unknown ones it is not certain whether they \
arrived: ask the reader, and say so with 'sms-etl mail settle'."""


@dataclass(frozen=True)
class Outcome:
    """What became of the mail to one reader.

    `news` is false if it ended in an earlier call and this one left it alone.
    """

    reader: str
    state: MailState
    answer: str
    news: bool


@dataclass(frozen=True)
class DeliveryReport:
    """What became of an edition's mails, one outcome per reader."""

    edition_id: str
    outcomes: tuple[Outcome, ...]
    owner_told: bool = False

    def readers(self, state: MailState) -> tuple[str, ...]:
        """Readers whose mail is in a state."""
        return tuple(outcome.reader for outcome in self.outcomes if outcome.state is state)

    @property
    def complete(self) -> bool:
        """Whether every reader has the mail."""
        return all(outcome.state is MailState.SENT for outcome in self.outcomes)

    @property
    def worth_retrying(self) -> bool:
        """Whether calling again later can deliver more."""
        return any(outcome.state in CLAIMABLE for outcome in self.outcomes)

    def counts(self) -> str:
        """How many mails ended how, for a person."""
        found = Counter(outcome.state.value for outcome in self.outcomes)
        return ", ".join(f"{count} {state}" for state, count in found.items()) or "no readers"

    def text(self) -> str:
        """One line per reader, for logs and for the owner."""
        lines = [
            f"{outcome.reader}: {outcome.state.value}"
            f"{'' if outcome.news else ' before'} - {outcome.answer}"
            for outcome in self.outcomes
        ]
        return "\n".join([f"Edition {self.edition_id}", *lines])


@dataclass
class _Delivery:
    """One call of deliver: the letter, the ledger and the conversation they share."""

    letter: Letter
    mail: Mail
    ledger: Ledger
    now: Callable[[], datetime]
    again: bool
    session: Session | None = None
    unreachable: NoConnectionError | None = None
    outcomes: list[Outcome] = field(default_factory=list)

    def to(self, reader: str) -> Outcome:
        """Claim, send, close."""
        forbidden = _forbidden(reader, self.mail)
        if forbidden:
            return Outcome(reader, MailState.REFUSED, forbidden, news=True)
        edition_id = self.letter.edition.id
        identity = message_id(edition_id, reader, self.mail)
        claim = self.ledger.claim(edition_id, reader, identity, self.now(), again=self.again)
        if not isinstance(claim, Claim):
            return _left_alone(claim)
        try:
            state, answer = self._hand_over(claim, reader)
        except NotOursError as error:
            return Outcome(reader, MailState.CLAIMED, str(error), news=True)
        self.ledger.close(claim, state, answer, self.now())
        logger.info("Edition %s to %s: %s (%s)", edition_id, reader, state.value, answer)
        return Outcome(reader, state, answer, news=True)

    def _hand_over(self, claim: Claim, reader: str) -> tuple[MailState, str]:
        try:
            message = compose(self.letter, reader, self.mail, self.now())
            session = self._open()
            answer = session.hand_over(
                message, reader, before_end=lambda: self.ledger.start_sending(claim)
            )
        except (TemporaryRefusalError, NoConnectionError) as error:
            return MailState.FAILED_TEMPORARILY, str(error)
        except PermanentRefusalError as error:
            return MailState.REFUSED, str(error)
        except OutcomeUnknownError as error:
            return MailState.UNKNOWN, str(error)
        return MailState.SENT, answer

    def _open(self) -> Session:
        """The open conversation; a server that could not be reached is not tried again."""
        if self.unreachable is not None:
            raise self.unreachable
        if self.session is None or not self.session.usable:
            try:
                self.session = open_session(self.mail)
            except NoConnectionError as error:
                self.unreachable = error
                raise
        return self.session

    def finish(self) -> None:
        """Close the conversation."""
        if self.session is not None:
            self.session.quit()


def deliver(
    edition: Edition,
    readers: Sequence[str],
    *,
    store: EditionStore,
    warehouse: Warehouse,
    settings: Settings,
    wanted: Wanted = ONLY_PDF,
    now: Callable[[], datetime] = clock,
) -> DeliveryReport:
    """Mail an edition to its readers, each at most once, however often this is called.

    What was sent, refused for good, or may have been sent, is left alone and told in the report;
    what failed for a while is tried again. The owner is told of a mail that was refused or whose
    end is unknown: once, unless this process dies between telling and writing that down.

    Raises:
        ConfigError: there is no [mail] in the settings, or its password is not set.
        MailError: the edition's files are not what was frozen, or the mail cannot be composed.
        StoreError: the ledger cannot be written.
    """
    return _deliver(edition, readers, store, warehouse, settings, wanted, now, again=False)


def resend(
    edition: Edition,
    reader: str,
    *,
    store: EditionStore,
    warehouse: Warehouse,
    settings: Settings,
    wanted: Wanted = ONLY_PDF,
    now: Callable[[], datetime] = clock,
) -> DeliveryReport:
    """Mail an edition to one reader again, whatever the ledger says; a person's decision.

    The Message-ID stays the same, so a mail program that has the first one may show only one.

    Raises:
        ConfigError, MailError, StoreError: as `deliver`.
    """
    return _deliver(edition, [reader], store, warehouse, settings, wanted, now, again=True)


def _deliver(
    edition: Edition,
    readers: Sequence[str],
    store: EditionStore,
    warehouse: Warehouse,
    settings: Settings,
    wanted: Wanted,
    now: Callable[[], datetime],
    *,
    again: bool,
) -> DeliveryReport:
    mail = mail_settings(settings)
    problems = store.verify(edition)
    if problems:
        raise MailError(
            f"Edition {edition.id} was not mailed: {'; '.join(problems)}. "
            f"Restore {edition.address} from a backup."
        )
    letter = write_letter(edition, edition.figures(), mail, wanted)
    ledger = Ledger(warehouse)
    delivery = _Delivery(letter, mail, ledger, now, again)
    try:
        outcomes = tuple(delivery.to(reader) for reader in dict.fromkeys(readers))
    finally:
        delivery.finish()
    report = DeliveryReport(edition.id, outcomes)
    told = _tell_owner(settings, ledger, report, now)
    return DeliveryReport(edition.id, outcomes, owner_told=told)


def mail_settings(settings: Settings) -> Mail:
    """The [mail] of the settings.

    Raises:
        ConfigError: there is none.
    """
    if settings.mail is None:
        raise ConfigError(
            f"{settings.path} has no [mail]; add host, port, sender and owner to mail reports."
        )
    return settings.mail


def _left_alone(entry: Entry) -> Outcome:
    if entry.state is MailState.SENDING:
        return Outcome(entry.reader, MailState.UNKNOWN, LEFT_SENDING, news=True)
    return Outcome(entry.reader, entry.state, entry.server_answer or "", news=False)


def _forbidden(reader: str, mail: Mail) -> str | None:
    """Why a reader must not be written to, or null."""
    if not reader.isascii():
        return "the address is not ASCII, which few mail servers take"
    domain = reader.rpartition("@")[2].lower()
    allowed = {name.lower() for name in mail.allowed_domains}
    if allowed and domain not in allowed:
        return f"the domain {domain} is not in mail.allowed_domains"
    return None


def _tell_owner(
    settings: Settings, ledger: Ledger, report: DeliveryReport, now: Callable[[], datetime]
) -> bool:
    """Tell the owner what needs a person; marked only once it was told, so that no death hides it.

    A failure to tell must not hide the report; the next call tells it.
    """
    untold = ledger.untold(report.edition_id)
    trouble = [
        Outcome(entry.reader, entry.state, entry.server_answer or "", news=True) for entry in untold
    ]
    known = {outcome.reader for outcome in trouble}
    trouble += [
        outcome
        for outcome in report.outcomes
        if outcome.state is MailState.REFUSED and outcome.news and outcome.reader not in known
    ]
    if not trouble:
        return False
    body = DeliveryReport(report.edition_id, tuple(trouble)).text() + "\n\n" + WHAT_TO_DO
    try:
        alert_owner(settings, f"Report not delivered to {len(trouble)} of its readers", body)
    except MailError:
        logger.exception("The owner could not be told:\n%s", body)
        return False
    ledger.mark_told(untold, now())
    return True
