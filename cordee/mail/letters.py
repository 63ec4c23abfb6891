"""Each letter is one function. Names of circles, dates, places and links: never a word of a room.

The words of a letter are in ``templates/mail/letters/<kind>.txt``, written once: the plain text and the HTML are two
layouts of the same pieces, so that they cannot say different things. ``url`` may be an address or a path of this site.
Every function gives False if ``key`` was already posted.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.template import Context, engines
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cordee.mail import outbox, wishes
from cordee.mail.message import one_line
from cordee.mail.reader import Reader as Reader
from cordee.mail.reader import absolute, zone

SOON = timedelta(hours=24)  # a change of what begins before that passes quiet hours
CODE_MINUTES = 10  # a sign-in code is of no use after that


# ---------------------------------------------------------------- circles


def circle_invitation(key: str, reader: Reader, *, circle: str, inviter: str, url: str, reply_to: str = "") -> bool:
    with _for(reader):
        said = {"circle": circle, "inviter": inviter}
        subject = _("Vous êtes invité·e dans le cercle « %(circle)s »") % _plain(said)
        letter = _letter("circle_invitation", reader, subject, said, links=[(_("Voir le cercle"), url)])
    return _post(key, letter, reply_to=reply_to)


def charter_to_sign(key: str, reader: Reader, *, circle: str, url: str) -> bool:
    with _for(reader):
        said = {"circle": circle}
        subject = _("La charte du cercle « %(circle)s » attend votre signature") % _plain(said)
        letter = _letter("charter_to_sign", reader, subject, said, links=[(_("Lire et signer la charte"), url)])
    return _post(key, letter)


def place_free(key: str, reader: Reader, *, circle: str, url: str) -> bool:
    with _for(reader):
        said = {"circle": circle}
        subject = _("Une place s’est libérée dans le cercle « %(circle)s »") % _plain(said)
        letter = _letter("place_free", reader, subject, said, links=[(_("Voir le cercle"), url)])
    return _post(key, letter)


def circle_ended(key: str, reader: Reader, *, circle: str, url: str, book: str) -> bool:
    with _for(reader):
        said = {"circle": circle}
        subject = _("Le cercle « %(circle)s » est terminé") % _plain(said)
        links = [(_("Emporter mon carnet"), book), (_("Voir le cercle"), url)]
        letter = _letter("circle_ended", reader, subject, said, links=links)
    return _post(key, letter)


# ---------------------------------------------------------------- meetings


def availability(key: str, reader: Reader, *, circle: str, number: int, url: str) -> bool:
    with _for(reader):
        said = {"circle": circle, "number": number}
        subject = _("Vos disponibilités pour la séance %(number)d de « %(circle)s »") % _plain(said)
        letter = _letter("availability", reader, subject, said, links=[(_("Donner mes disponibilités"), url)])
    return _post(key, letter)


def convocation(
    key: str,
    reader: Reader,
    *,
    circle: str,
    number: int,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    video_link: str,
    url: str,
    calendar: str,
    answers: Mapping[str, str] | None = None,
    reply_to: str = "",
) -> bool:
    """``answers``: what one may say (coming, absent) -> the link whose page says it; without them, ``url`` alone."""
    with _for(reader):
        said = {"circle": circle, "number": number, "day": _day(starts_at)}
        subject = _("Séance %(number)d de « %(circle)s » : %(day)s") % _plain(said)
        facts = _when_and_where(reader, starts_at, ends_at, place, video_link)
        letter = _letter("convocation", reader, subject, said, facts, _coming(answers, url))
    return _post(
        key, letter, calendar=calendar, method="REQUEST", expires_at=ends_at, urgent=_soon(starts_at), reply_to=reply_to
    )


def meeting_changed(
    key: str,
    reader: Reader,
    *,
    circle: str,
    number: int,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    video_link: str,
    url: str,
    calendar: str,
    former: datetime | None = None,
    answers: Mapping[str, str] | None = None,
    reply_to: str = "",
) -> bool:
    """``former``: when it was to begin before; none if only its place has changed. ``answers`` as above."""
    with _for(reader):
        said = {"circle": circle, "number": number, "day": _day(starts_at), "former": _moment(former)}
        subject = _("Changement : séance %(number)d de « %(circle)s », %(day)s") % _plain(said)
        facts = _when_and_where(reader, starts_at, ends_at, place, video_link)
        letter = _letter("meeting_changed", reader, subject, said, facts, _coming(answers, url))
    urgent = _soon(starts_at) or (former is not None and _soon(former))
    return _post(key, letter, calendar=calendar, method="REQUEST", expires_at=ends_at, urgent=urgent, reply_to=reply_to)


def meeting_cancelled(
    key: str,
    reader: Reader,
    *,
    circle: str,
    number: int,
    starts_at: datetime,
    ends_at: datetime,
    place: str,
    video_link: str,
    url: str,
    calendar: str,
    reply_to: str = "",
) -> bool:
    with _for(reader):
        said = {"circle": circle, "number": number, "day": _day(starts_at)}
        subject = _("Annulée : séance %(number)d de « %(circle)s », %(day)s") % _plain(said)
        facts = _when_and_where(reader, starts_at, ends_at, place, "")
        letter = _letter("meeting_cancelled", reader, subject, said, facts, [(_("Voir le cercle"), url)])
    return _post(
        key, letter, calendar=calendar, method="CANCEL", expires_at=ends_at, urgent=_soon(starts_at), reply_to=reply_to
    )


def quorum_in_doubt(
    key: str, reader: Reader, *, circle: str, number: int, starts_at: datetime, coming: int, needed: int, url: str
) -> bool:
    with _for(reader):
        said = {"circle": circle, "number": number, "coming": coming, "needed": needed}
        subject = _("Séance %(number)d de « %(circle)s » : serez-vous assez ?") % _plain(said)
        facts = [(_("Quand"), _moment(starts_at))]
        letter = _letter("quorum_in_doubt", reader, subject, said, facts, [(_("Voir la séance"), url)])
    return _post(key, letter, expires_at=starts_at, urgent=_soon(starts_at))


def prepare(key: str, reader: Reader, *, circle: str, number: int, starts_at: datetime, url: str) -> bool:
    with _for(reader):
        said = {"circle": circle, "number": number}
        subject = _("Une situation à apporter ? Séance %(number)d de « %(circle)s »") % _plain(said)
        facts = [(_("Quand"), _moment(starts_at))]
        letter = _letter("prepare", reader, subject, said, facts, [(_("Préparer une situation"), url)])
    return _post(key, letter, expires_at=starts_at)


# ---------------------------------------------------------------- what was promised, and signing in


def commitment_due(
    key: str, reader: Reader, *, circle: str, due_on: date | None, answers: Mapping[str, str], url: str
) -> bool:
    """``answers``: the state of a commitment (tried, kept, adapted, let_go) -> the link that gives this answer."""
    with _for(reader):
        said = {"circle": circle, "due": date_format(due_on, "l j F Y") if due_on else ""}
        labels = {
            "tried": _("J’ai essayé"),
            "kept": _("C’est tenu"),
            "adapted": _("Je l’ai adapté"),
            "let_go": _("Je le laisse"),
        }
        links = [(labels.get(state, state), link) for state, link in answers.items()]
        subject = _("Où en est votre engagement ? (« %(circle)s »)") % _plain(said)
        letter = _letter("commitment_due", reader, subject, said, links=[*links, (_("Le relire"), url)])
    return _post(key, letter)


def witnessed_kept(key: str, reader: Reader, *, circle: str, url: str) -> bool:
    """To the witness of a commitment, once it is kept. Whose it is and what it says are on the page alone."""
    with _for(reader):
        said = {"circle": circle}
        subject = _("Un engagement dont vous êtes le témoin est tenu (« %(circle)s »)") % _plain(said)
        letter = _letter("witnessed_kept", reader, subject, said, links=[(_("Le lire"), url)])
    return _post(key, letter)


def thanks_wait(key: str, reader: Reader, *, circle: str, url: str) -> bool:
    with _for(reader):
        said = {"circle": circle}
        subject = _("Un merci vous attend (« %(circle)s »)") % _plain(said)
        letter = _letter("thanks_wait", reader, subject, said, links=[(_("Lire ce merci"), url)])
    return _post(key, letter)


def sign_in_code(reader: Reader, code: str) -> None:
    with _for(reader):
        subject = _("Votre code pour entrer dans Cordée")
        letter = _letter("sign_in_code", reader, subject, {"code": code, "minutes": CODE_MINUTES})
    ends = timezone.now() + timedelta(minutes=CODE_MINUTES)
    outbox.now(f"code:{token_hex(16)}", **letter, expires_at=ends)


# ---------------------------------------------------------------- once a day


def digest(key: str, reader: Reader, *, held: Sequence[Mapping[str, Any]]) -> bool:
    """What was held since yesterday: the pieces of each letter (``Letter.gist``)."""
    with _for(reader):
        subject = ngettext("%(count)d lettre de vos cercles", "%(count)d lettres de vos cercles", len(held))
        letter = _letter("digest", reader, subject % {"count": len(held)}, {}, parts=held)
    return _post(key, letter)


# ---------------------------------------------------------------- how a letter is put together


class _for(translation.override):
    """Everything within is in the reader's language and time zone."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.language if reader.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        self._zone = timezone.override(zone(reader.time_zone))

    def __enter__(self) -> None:
        super().__enter__()
        self._zone.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._zone.__exit__(*error)
        super().__exit__(*error)


def _letter(
    kind: str,
    reader: Reader,
    subject: str,
    said: Mapping[str, Any],
    facts: Iterable[tuple[str, str]] = (),
    links: Iterable[tuple[str, str]] = (),
    parts: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What :func:`cordee.mail.outbox.post` takes, but for the key."""
    words = _plain(said)
    pieces = {
        "title": subject,
        "facts": [[label, one_line(value)] for label, value in facts if value],
        "links": [[label, absolute(url)] for label, url in links],
    }
    known = {**words, **pieces, "kind": kind, "name": one_line(reader.name)}
    stop = wishes.stop_url(reader.address, kind) if kind in wishes.KINDS else ""
    known |= {"language": translation.get_language(), "wishes": absolute(reverse("mail:wishes")), "stop": stop}
    paragraphs = _render(f"mail/letters/{kind}.txt", known, escaped=False)
    gist = pieces | {"paragraphs": [" ".join(part.split()) for part in paragraphs.split("\n\n") if part.strip()]}
    known |= {"parts": [gist, *parts]}
    return {
        "kind": kind,
        "reader": reader,
        "subject": subject,
        "text": _render("mail/letter.txt", known, escaped=False),
        "html": _render("mail/letter.html", known, escaped=True),
        "gist": gist,
    }


def _post(key: str, letter: Mapping[str, Any], **more: Any) -> bool:
    return outbox.post(key, **letter, **more)


def _render(template: str, known: Mapping[str, Any], *, escaped: bool) -> str:
    found = engines["django"].engine.get_template(template)  # type: ignore[attr-defined]
    made = str(found.render(Context(dict(known), autoescape=escaped))).strip() + "\n"
    return _typed(made) if escaped else made


def _typed(html: str) -> str:
    """French signs stay on the line of their word."""
    return re.sub(r" (?=[»:;?!])|(?<=«) ", "\u00a0", html)


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Names that hold no line of their own."""
    return {name: one_line(value) if isinstance(value, str) else value for name, value in said.items()}


def _coming(answers: Mapping[str, str] | None, url: str) -> list[tuple[str, str]]:
    """The links by which one says whether one comes."""
    labels = {"coming": _("Je viens"), "absent": _("Je ne peux pas venir")}
    return [(labels[answer], link) for answer, link in (answers or {}).items()] or [(_("Dire si je viens"), url)]


def _when_and_where(
    reader: Reader, starts_at: datetime, ends_at: datetime, place: str, video_link: str
) -> list[tuple[str, str]]:
    return [(_("Quand"), _span(starts_at, ends_at)), (_("Où"), place), (_("Visioconférence"), video_link)]


def _span(starts_at: datetime, ends_at: datetime) -> str:
    start, end = timezone.localtime(starts_at), timezone.localtime(ends_at)
    said = {"day": _day(start), "start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "zone": _zone_name()}
    if start.date() == end.date():
        return _("%(day)s, de %(start)s à %(end)s (%(zone)s)") % said
    return _("du %(day)s, %(start)s, au %(last)s, %(end)s (%(zone)s)") % {**said, "last": _day(end)}


def _moment(at: datetime | None) -> str:
    if at is None:
        return ""
    local = timezone.localtime(at)
    return _("%(day)s à %(start)s (%(zone)s)") % {"day": _day(local), "start": f"{local:%H:%M}", "zone": _zone_name()}


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "l j F Y")


def _zone_name() -> str:
    """The city of the time zone: « heure de Paris »."""
    name = timezone.get_current_timezone_name()
    return _("heure de %(city)s") % {"city": name.rpartition("/")[2].replace("_", " ")}


def _soon(starts_at: datetime) -> bool:
    return starts_at - timezone.now() < SOON
