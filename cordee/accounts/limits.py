"""How often one may ask for a code or try one: counted in the database, so that all nodes count together.

A code has 29 bits and five tries. Whoever may be sent twenty codes an hour can be guessed at a hundred times an hour:
once in some six hundred years. A flood from one network fills no mailbox and keeps nobody from signing in: what it may
ask for one address is far below what that address may be sent.
"""

from time import time

from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from cordee.accounts.models import Tries
from cordee.web import tries

# what: (how often, in how many seconds)
LIMITS = {
    "letters": (20, 3600),  # sign-in codes to one address
    "letters-from": (5, 3600),  # sign-in codes to one address, by who asks
    "asking": (120, 3600),  # sign-in codes, by who asks: a whole class may share one network
    "tries": (5, 600),  # of one code
    "wrong": (120, 3600),  # wrong codes and passkeys, by who tries
    "import": (30, 3600),  # lists of people read, by account
}
COUNT = tries.COUNT.format(table="accounts_tries") + "RETURNING count"


def asking_too_often(request: HttpRequest, address: str) -> bool:
    """Whether no letter goes to this address for now; if one may, it is counted. Known and unknown ones count alike."""
    who = tries.caller(request)
    counted = (("asking", who), ("letters-from", f"{who} {address}"), ("letters", address))
    if any(spent(what, name) for what, name in counted):
        return True
    for what, name in counted:
        count(what, name)
    return False


def spent(what: str, who: str) -> bool:
    most, seconds = LIMITS[what]
    now = time()
    counted = Tries.objects.filter(pk=_name(what, who), until__gt=now, until__lte=now + seconds)
    return counted.filter(count__gte=most).exists()


def count(what: str, who: str) -> int:
    """One more; how many that makes in this window. Two at the same instant are two."""
    _, seconds = LIMITS[what]
    now = time()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"name": _name(what, who), "now": now, "end": now + seconds})
        return int(cursor.fetchone()[0])


def forget_old() -> int:
    """Throw away the counters whose window is over; how many."""
    now = time()
    longest = max(seconds for _, seconds in LIMITS.values())
    return Tries.objects.exclude(until__gt=now, until__lte=now + longest).delete()[0]


def _name(what: str, who: str) -> str:
    """An address is somebody's: its keyed digest is enough to count by."""
    return salted_hmac("cordee.accounts.limits", f"{what}:{who}", algorithm="sha256").hexdigest()
