"""A letter as it goes over the wire: RFC 5322, with the calendar as others understand it (RFC 6047)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from django.conf import settings
from django.utils import timezone

from cordee.mail import wishes
from cordee.mail.models import Letter

METHODS = {"REQUEST", "CANCEL"}


def one_line(text: str) -> str:
    """The text without what would end a header or a line, hide itself or turn a line around."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class Unaddressable(Exception):
    """No letter can go to this address."""


def message(letter: Letter) -> EmailMessage:
    """Ready to be sent. Raises :class:`Unaddressable`."""
    made = EmailMessage(policy=SMTP)
    sender, address = settings.MAIL_FROM
    made["From"] = Address(one_line(sender), addr_spec=address)
    made["To"] = _address(letter.to)
    if letter.reply_to:
        made["Reply-To"] = _address(letter.reply_to)
    made["Subject"] = one_line(letter.subject)
    made["Date"] = format_datetime(timezone.now())
    # The same however often it is tried: what comes twice is shown once by most.
    name = sha256(f"{settings.SECRET_KEY}:{letter.key}".encode()).hexdigest()[:32]
    made["Message-ID"] = f"<{name}@{address.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if letter.kind in wishes.KINDS:  # RFC 8058
        made["List-Unsubscribe"] = f"<{wishes.stop_url(letter.to, letter.kind)}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _fill(made, letter)
    return made


def _address(raw: str) -> Address:
    local, at, domain = raw.strip().rpartition("@")
    try:
        return Address(username=local, domain=domain.encode("idna").decode("ascii")) if at else _nowhere()
    except (ValueError, IndexError):  # of several libraries, for what no address is
        raise Unaddressable from None


def _nowhere() -> Address:
    raise ValueError


def _fill(made: EmailMessage, letter: Letter) -> None:
    made.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        made.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if letter.calendar and letter.method in METHODS:
        calendar = letter.calendar.encode()
        # Twice: as a part, for those that show an invitation; as a file, for those that do not.
        said = {"method": letter.method, "charset": "utf-8"}
        made.add_alternative(calendar, maintype="text", subtype="calendar", params=said)
        made.add_attachment(calendar, maintype="application", subtype="ics", filename="invite.ics")
