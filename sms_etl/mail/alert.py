"""Short texts to the owner of the deployment when something failed."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from sms_etl.config.clock import now
from sms_etl.config.settings import Settings
from sms_etl.errors import ConfigError, MailError
from sms_etl.mail.compose import TRANSFER, sender_domain
from sms_etl.mail.smtp import open_session

MAX_SUBJECT = 150


def alert_owner(settings: Settings, subject: str, body: str, to: str | None = None) -> None:
    """Mail a short text to mail.owner, or to another owner.

    Nothing is kept in the ledger; call it once per failure.

    Raises:
        ConfigError: there is no [mail] in the settings, or its password is not set.
        MailError: the mail could not be handed over.
    """
    mail = settings.mail
    if mail is None:
        raise ConfigError(f"{settings.path} has no [mail], so the owner cannot be told: {subject}")
    owner = to or mail.owner
    message = EmailMessage()
    try:
        message["From"] = mail.sender
        message["To"] = owner
        message["Subject"] = " ".join(f"[{settings.project.name}] {subject}".split())[:MAX_SUBJECT]
        message["Date"] = format_datetime(now())
        message["Message-ID"] = make_msgid(domain=sender_domain(mail))
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
    except ValueError as error:
        raise MailError(f"The alert to {owner} cannot be addressed: {error}") from error
    message.set_content(body, cte=TRANSFER)
    session = open_session(mail)
    try:
        session.hand_over(message, owner, before_end=lambda: True)
    finally:
        session.quit()
