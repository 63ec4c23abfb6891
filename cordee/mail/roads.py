"""How letters leave: by SMTP, into a folder, into the demo's mailbox. Each sends one letter at a time.

A road raises :class:`Refused` for what is the letter's (its address, its content: dead at once), :class:`NotNow` for
what another try may mend, :class:`Blocked` for what concerns every letter (the server, the account, the sender).
All hold the class and the code of an error, never its words.
"""

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from django.conf import settings

PATIENCE = 20.0  # seconds, for one answer of the mail server
ALTOGETHER = 90.0  # seconds, for one letter


class Trouble(Exception):
    """Its text is a class and a code."""


class Refused(Trouble):
    pass


class NotNow(Trouble):
    pass


class Blocked(Trouble):
    pass


class Road(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def send(self, message: EmailMessage, to: str) -> None: ...


def road(mail: Mapping[str, Any], altogether: float = ALTOGETHER) -> Road | None:
    """The road of these settings (``settings.MAIL``); ``None`` when letters have nowhere to go."""
    match mail["road"]:
        case "smtp":
            return Smtp(mail, altogether)
        case "file":
            return Folder(Path(mail["folder"]))
        case "demo":
            return Mailbox()
    return None


class Mailbox:
    """The demo's: letters stay where they are, and are read there."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def send(self, message: EmailMessage, to: str) -> None:
        pass


class Folder(Mailbox):
    """One file a letter, for a mail server that picks them up, or for who wants to look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage, to: str) -> None:
        name = sha256(str(message["Message-ID"]).encode()).hexdigest()[:20]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            half = self.folder / f".{name}.tmp"
            half.write_bytes(bytes(message))
            half.rename(self.folder / f"{name}.eml")
        except OSError as error:
            raise Blocked(type(error).__name__) from error


class Smtp:
    """One connection for many letters, opened for the first, and again after it broke."""

    def __init__(self, mail: Mapping[str, Any], altogether: float) -> None:
        self.mail, self.altogether = mail, altogether
        self.open: _Timed | _TimedTls | None = None

    def __enter__(self) -> Self:
        self._connected(monotonic() + self.altogether)
        return self

    def __exit__(self, *_error: object) -> None:
        if self.open is not None:
            self.open.deadline = monotonic() + 2
            with suppress(smtplib.SMTPException, OSError):
                self.open.quit()
            self._drop()

    def send(self, message: EmailMessage, to: str) -> None:
        deadline = monotonic() + self.altogether
        connection = self._connected(deadline)
        connection.deadline = deadline
        try:
            connection.send_message(message, settings.MAIL_FROM[1], [to])
        except smtplib.SMTPRecipientsRefused as error:
            raise _answered(error, next(iter(error.recipients.values()))[0]) from error
        except smtplib.SMTPDataError as error:
            raise _answered(error, error.smtp_code) from error
        except smtplib.SMTPSenderRefused as error:
            self._drop()
            raise Blocked(_class(error, error.smtp_code)) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:  # an address that this server cannot write
            self._drop()
            raise Refused(_class(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise NotNow(_class(error, getattr(error, "smtp_code", 0))) from error

    def _connected(self, deadline: float) -> "_Timed | _TimedTls":
        if self.open is None:
            try:
                self.open = self._connect(deadline)
            except (smtplib.SMTPException, OSError) as error:
                raise Blocked(_class(error, getattr(error, "smtp_code", 0))) from error
        return self.open

    def _connect(self, deadline: float) -> "_Timed | _TimedTls":
        patience = max(0.1, min(PATIENCE, deadline - monotonic()))
        own: dict[str, Any] = {"timeout": patience, "local_hostname": urlsplit(settings.URL).hostname}
        tls = self.mail["tls"]
        made: _Timed | _TimedTls = (
            _TimedTls(context=ssl.create_default_context(), **own) if tls == "implicit" else _Timed(**own)
        )
        made.deadline = deadline
        try:
            made._host = self.mail["host"]  # of smtplib: the name that the certificate must bear
            code, _said = made.connect(self.mail["host"], self.mail["port"])
            if code != 220:
                raise smtplib.SMTPConnectError(code, b"")
            made.ehlo_or_helo_if_needed()
            if tls == "starttls":
                made.starttls(context=ssl.create_default_context())
            if self.mail["user"]:
                made.login(self.mail["user"], self.mail["password"])
        except BaseException:
            made.close()
            raise
        return made

    def _drop(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None


class _Deadline:
    """An SMTP connection whose every exchange ends by a deadline."""

    deadline = 0.0
    sock: Any
    _host: str

    def send(self, s: Any) -> None:
        self._hurry()
        super().send(s)  # type: ignore[misc]

    def getreply(self) -> tuple[int, bytes]:
        self._hurry()
        answer: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return answer

    def _hurry(self) -> None:
        if self.sock is not None:
            left = self.deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(min(left, PATIENCE))


class _Timed(_Deadline, smtplib.SMTP):
    pass


class _TimedTls(_Deadline, smtplib.SMTP_SSL):
    pass


def _answered(error: Exception, code: int) -> Trouble:
    """5xx is the letter's, for good, but for 421 and its like: the server is closing."""
    return Refused(_class(error, code)) if 500 <= code < 600 else NotNow(_class(error, code))


def _class(error: Exception, code: int = 0) -> str:
    return f"{type(error).__name__}/{code}" if code else type(error).__name__
