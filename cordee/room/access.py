"""Who is at the door: a link's token gives one seat of one room, or 404. What that seat may do, the engine says."""

import asyncio
import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse

from cordee.accounts.models import User
from cordee.circles.models import Membership
from cordee.engine.policy import SCREEN
from cordee.live.reads import reading
from cordee.room.models import Seat
from cordee.web import incidents

COOKIE = "place"
SCREEN_COOKIE = "ecran"  # under HTTPS, where a cookie's path no longer tells a seat from the shared screen
COOKIE_DAYS = 90
MOST_COOKIES = 40  # rooms that one browser is seated in under HTTPS: all its cookies travel with each request
LONGEST_TOKEN = 100
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0/O, 1/I/L, U
CODE_LENGTH = 10  # 30^10: about 49 bits


@dataclass(frozen=True, slots=True)
class Key:
    """A seat of a room, as its link shows it. ``digest`` is of the token that was shown."""

    room: str
    seat: str
    digest: str = field(default="", compare=False, repr=False)

    @property
    def is_screen(self) -> bool:
        return self.seat == SCREEN


def new_token() -> str:
    return token_urlsafe(24)


def digest(token: str) -> str:
    """What is stored of a token: nobody who reads the database can sit down."""
    return hmac.digest(settings.SECRET_KEY.encode(), token.encode(), "sha256").hex()


def seat_of(room: str, person: int) -> str:
    """The seat of this person of the circle in this room: the same on any device, told to nobody outside."""
    return _computed("seat", f"{room}/{person}", 12)


def token_of(room: str, seat: str, user: int, epoch: int) -> str:
    """The token of a seat whose owner has an account. It is not kept: with their next ``links_epoch`` it is another."""
    return _computed("place", f"{room}/{seat}/{user}/{epoch}", 24)


def _computed(what: str, of: str, length: int) -> str:
    made = hmac.new(settings.SECRET_KEY.encode(), f"cordee.room.{what}:{of}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(made[:length]).decode()


def _told(seats: QuerySet[Seat]) -> QuerySet[Any]:
    """With what tells whether a seat is still its owner's: ``account``, ``epoch``, ``active``; ``former``, who left."""
    members = Membership.objects.filter(circle=OuterRef("session__circle"), person=OuterRef("person"))
    left = members.filter(left_at__isnull=False)
    return seats.annotate(
        account=Coalesce("person__user_id", "user_id"),
        epoch=Coalesce("person__user__links_epoch", "user__links_epoch"),
        active=Coalesce("person__user__is_active", "user__is_active"),
        former=Exists(left),
    )


def of_user(user: User) -> QuerySet[Seat]:
    """The seats that are somebody's, in circles of their spaces and as a guest; none in a circle that they left."""
    theirs = Seat.objects.filter(Q(person__user=user) | Q(user=user), owned=True)
    still: QuerySet[Seat] = _told(theirs).filter(former=False)
    return still


FACTS = ("session_id", "seat", "digest", "owned", "account", "epoch", "active", "former")


def _opens(room: str, seat: str, digest_: str, owned_: bool, account: int | None, epoch: int | None, *so: bool) -> bool:
    """Whether this link, which is stored, opens its seat now."""
    active, former = so
    if not owned_:
        return True
    if account is None or epoch is None or not active or former:
        return False
    return hmac.compare_digest(digest_, digest(token_of(room, seat, account, epoch)))


_keys: dict[str, tuple[Key, float]] = {}  # digest -> the seat, and when it was read
MOST_KEYS = 100_000
MOST_AT_ONCE = 500  # tokens, or rooms, in one question to the database
KEY_SECONDS = 15  # how long a link that another process made void may still open here


def _remembered(token: str) -> Key | None:
    key, read_at = _keys.get(digest(token), (None, 0.0)) if 0 < len(token) <= LONGEST_TOKEN else (None, 0.0)
    return key if monotonic() - read_at < KEY_SECONDS else None


def key_of(token: str) -> Key | None:
    """The seat that this token opens. A token never changes seat; revocation is in the room's log."""
    return _remembered(token) or _keys_of([token])[0]


def _keys_of(tokens: Sequence[str]) -> list[Key | None]:
    """The same for many, in one question to the database; in two when some are accounts'."""
    hashed = [digest(token) if 0 < len(token) <= LONGEST_TOKEN else "" for token in tokens]
    rows = list(Seat.objects.filter(digest__in=set(hashed)).values_list("digest", "session_id", "seat", "owned"))
    accounts = [one for one, *_, owned in rows if owned]
    theirs = _told(Seat.objects.filter(digest__in=accounts)).values_list(*FACTS) if accounts else ()
    closed = {row[2] for row in theirs if not _opens(*row)}
    found: dict[str, Key] = {one: Key(room, seat, one) for one, room, seat, _ in rows if one and one not in closed}
    for one in hashed:
        key = found.get(one)
        # A shared screen's link may be made void by another process, which cannot make this one forget it.
        if key and (not key.is_screen or settings.BUS == "local"):
            if len(_keys) >= MOST_KEYS:
                _keys.clear()
            _keys[one] = key, monotonic()
        else:
            _keys.pop(one, None)
    return [found.get(one) for one in hashed]


def void(keys: Collection[Key]) -> set[str]:
    """Of these open seats, the digests that open nothing any more: their owner has signed out everywhere, left the
    circle or taken the seat into their account since. Guests' links are not asked for: only the log revokes them."""
    rooms = list({key.room for key in keys})
    found: dict[tuple[str, str], str] = {}
    for first in range(0, len(rooms), MOST_AT_ONCE):
        seats = _told(Seat.objects.filter(session__in=rooms[first : first + MOST_AT_ONCE], owned=True))
        for row in seats.values_list(*FACTS):
            found[row[0], row[1]] = row[2] if _opens(*row) else ""
    return {key.digest for key in keys if found.get((key.room, key.seat), key.digest) != key.digest}


def forget() -> None:
    _keys.clear()


class _Desk:
    """Looks up tokens for the event loop: who comes while others are looked up is looked up with all who came."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Future[Key | None]]] = []
        self._clerk: asyncio.Task[None] | None = None

    async def key_of(self, token: str) -> Key | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Key | None] = loop.create_future()
        self._waiting.append((token, answer))
        if self._clerk is None or self._clerk.done() or self._clerk.get_loop() is not loop:
            self._clerk = asyncio.ensure_future(self._serve())
        return await answer

    async def _serve(self) -> None:
        while batch := self._waiting[:MOST_AT_ONCE]:
            del self._waiting[:MOST_AT_ONCE]
            try:
                keys = await reading(_keys_of, [token for token, _ in batch])
            except Exception as error:
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for (_, answer), key in zip(batch, keys, strict=True):
                    if not answer.done():  # they left meanwhile
                        answer.set_result(key)


_desk = _Desk()


def _of(key: Key | None, room: str, screen: bool) -> Key | None:
    return key if key and key.room == room and key.is_screen == screen else None


def cookie_of(room: str, *, screen: bool = False) -> str:
    """The name of the cookie that holds a seat of this room.

    Over HTTP its path says which room it is for. Over HTTPS its name does, and its path is ``/``: that is the price of
    ``__Host-``, with which no other site of the same domain can seat somebody elsewhere than they believe.
    """
    if not settings.HTTPS:
        return COOKIE
    return f"__Host-{SCREEN_COOKIE if screen else COOKIE}-{room}"


def token_in(room: str, cookies: Mapping[str, str], *, screen: bool = False) -> str:
    """The token that this browser brings for this room, or the empty text."""
    return cookies.get(cookie_of(room, screen=screen), "")


def seat_in(room: str, cookies: Mapping[str, str], *, screen: bool) -> Key | None:
    """The seat that these cookies open in this room, if they do."""
    return _of(key_of(token_in(room, cookies, screen=screen)), room, screen)


async def seat_in_soon(room: str, cookies: Mapping[str, str], *, screen: bool) -> Key | None:
    """The same on the event loop, which must not wait for the database."""
    token = token_in(room, cookies, screen=screen)
    return _of(_remembered(token) or await _desk.key_of(token), room, screen)


def seated(request: HttpRequest, room: str, *, screen: bool = False) -> Key:
    """The seat of this browser in this room, or 404: a stranger learns not even that the room exists."""
    key = seat_in(room, request.COOKIES, screen=screen)
    if key is None:
        incidents.noticed("stranger", request, room)
        raise Http404
    return key


def sit(request: HttpRequest, response: HttpResponse, key: Key, token: str) -> None:
    """Give this browser the seat. Over HTTP the cookie is sent to that room alone."""
    name = cookie_of(key.room, screen=key.is_screen)
    # Browsers send the oldest first. A seat left so is not lost: its link opens it again.
    seats = [other for other in request.COOKIES if other.startswith("__Host-") and other != name]
    seats = [other for other in seats if other[7:].startswith((f"{COOKIE}-", f"{SCREEN_COOKIE}-"))]
    for oldest in seats[: max(0, len(seats) + 1 - MOST_COOKIES)]:
        response.set_cookie(oldest, max_age=0, path="/", secure=True, httponly=True, samesite="Lax")
    response.set_cookie(
        name,
        token,
        max_age=COOKIE_DAYS * 86400,
        path=_path(key),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def stand(response: HttpResponse, key: Key) -> None:
    """Take the seat from this browser. The seat is not lost: its link opens it again."""
    name = cookie_of(key.room, screen=key.is_screen)
    response.set_cookie(name, max_age=0, path=_path(key), secure=settings.HTTPS, httponly=True, samesite="Lax")


def _path(key: Key) -> str:
    if settings.HTTPS:
        return "/"
    return f"/ecran/{key.room}/" if key.is_screen else f"/salle/{key.room}/"


def same_origin(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page that sent this is ours. Browsers put Origin on every POST; without it, nothing is taken.

    Under HTTPS a page of the same name that came over HTTP is not ours: anybody on the way may have written it.
    """
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if not origin:
        return headers.get(b"sec-fetch-site") == b"same-origin"
    schemes = ("https",) if settings.HTTPS else ("http", "https")
    return bool(host) and origin in {f"{scheme}://{host}" for scheme in schemes}


def from_here(request: HttpRequest) -> bool:
    """The same for a request that came through Django."""
    names = {b"origin": "HTTP_ORIGIN", b"host": "HTTP_HOST", b"sec-fetch-site": "HTTP_SEC_FETCH_SITE"}
    return same_origin({n: request.META[k].encode("latin-1") for n, k in names.items() if k in request.META})
