"""What the operator's commands need before they work: a database that answers, and a key ring that can be read."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from cordee.circles import crypto


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn what an operator can mend into one sentence: the database, the key ring. Never a word of a room."""
    try:
        yield
    except crypto.Unreadable as error:
        raise CommandError(
            _("Une clé de chiffrement manque ou ne convient pas : manage.py doctor dit laquelle.")
        ) from error
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    except (OperationalError, ProgrammingError) as error:
        raise CommandError(
            _("La base de données ne répond pas, ou n’est pas à jour (manage.py migrate) : manage.py doctor dit quoi.")
        ) from error


def ring_ids() -> list[str]:
    """The ids of the server's key ring, newest first. Raises ``ImproperlyConfigured`` when it is not understood."""
    crypto.wrap(b"")  # reads the whole ring, and says what is wrong with it
    return [entry.strip().partition(":")[0] for entry in settings.KEY_RING.split(",")]


def wrapping_id(wrapped: bytes | memoryview | None) -> str:
    """The ring id of the key that wrapped this one."""
    return bytes(wrapped or b"").partition(b":")[0].decode("ascii", "replace")


def lost_keys(wrapped: Iterable[bytes | memoryview | None]) -> Counter[str]:
    """How many of these keys the ring does not open, by the id of the ring's key that should."""
    lost: Counter[str] = Counter()
    for key in wrapped:
        try:
            crypto.unwrap(key or b"")
        except crypto.Unreadable:
            lost[wrapping_id(key)] += 1
    return lost


def unreadable(name: str, circles: int, ring: list[str]) -> str:
    """One sentence for circles that key ``name`` of the ring should open, and does not."""
    if name in ring:
        sentence = _(
            "La clé « %(name)s » de CORDEE_KEY_RING n’est pas celle d’origine : remettez l’ancienne sous ce nom "
            "(la nouvelle sous un autre). Cercles illisibles : %(circles)d."
        )
    else:
        sentence = _(
            "La clé « %(name)s » manque à CORDEE_KEY_RING : remettez-la. Cercles illisibles sans elle : %(circles)d."
        )
    return sentence % {"name": name, "circles": circles}
