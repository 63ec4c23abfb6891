"""The demo's rows: made, found again, removed. Its links are computed from SECRET_KEY, which nothing else does.

Everywhere else a token is drawn by chance and only its digest kept (see room/access.py). The demo's must be printed
again at each start, so that they are computed: whoever holds SECRET_KEY can sit down in the demo, and nowhere else.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from cordee.accounts.models import Person
from cordee.circles.models import Circle, Meeting
from cordee.engine import events as e
from cordee.engine.reading import builtin, read
from cordee.engine.state import fold
from cordee.ops.demo import circle as outside
from cordee.ops.demo import ended
from cordee.ops.demo.scene import FACILITATOR, NAMES, Script, ending_at, play, script, seat_of
from cordee.room import access, actions, harvest, store
from cordee.room.models import Seat, Session

CIRCLE = "Cercle démo"
KEPT_DAYS = 365
EARLIER, HALFWAY = "demo-1-", "demo-2-"  # how the ids of its rooms begin


@dataclass(frozen=True, slots=True)
class Demo:
    """Its two rooms: the finished meeting, and the one to walk into, which began at ``began_at``."""

    earlier: str
    halfway: str
    began_at: datetime


def token(room: str, seat: str) -> str:
    """The token of a demo's seat: the same for the same room, as long as SECRET_KEY is."""
    made = salted_hmac("cordee.ops.demo", f"{room}/{seat}", algorithm="sha256").digest()
    return urlsafe_b64encode(made[:24]).decode()


def standing() -> Demo | None:
    """The demo, if it is there, can be read, and its links open its seats."""
    rooms = Session.objects.filter(circle__name=CIRCLE, circle__wrapped_key__isnull=False, pk__startswith="demo-")
    made = {room[: len(EARLIER)]: (room, at) for room, at in rooms.values_list("pk", "created_at")}
    if made.keys() != {EARLIER, HALFWAY}:
        return None
    (earlier, _), (halfway, began_at) = made[EARLIER], made[HALFWAY]
    digests = {access.digest(token(room, seat_of(FACILITATOR))) for room in (earlier, halfway)}
    if Seat.objects.filter(digest__in=digests).count() != len(digests):
        return None
    return Demo(earlier, halfway, began_at)


def ensure(now: float, *, anew: bool = False) -> Demo:
    """The demo that stands, or a new one in its place when there is none (or ``anew``), as of ``now``."""
    with transaction.atomic():
        demo = None if anew else standing()
        if demo is None:
            remove()
            demo = _build(now)
    return demo


def remove() -> None:
    """Take every demo away, with its rooms."""
    rooms = list(Session.objects.filter(circle__name=CIRCLE, pk__startswith="demo-").values_list("pk", flat=True))
    outside.remove(list(Circle.objects.filter(sessions__in=rooms).values_list("pk", flat=True).distinct()))
    access.forget()
    for room in rooms:
        store.forget(room)


def _build(now: float) -> Demo:
    today = timezone.localdate(_moment(now))
    everybody = outside.people()
    circle = outside.circle(CIRCLE, KEPT_DAYS, everybody)
    protocol = read(builtin("mentor"))
    before, tonight = script("earlier"), script("halfway")
    day = today - timedelta(days=before["days_ago"])
    past = ending_at(play(protocol, before, day), now - before["days_ago"] * 86400)
    earlier = _room(EARLIER, outside.meeting(circle, 1, _moment(past[0].at)), past, everybody)
    harvest.harvest(earlier)
    outside.tell(circle, everybody)
    learnt = [
        {**learning.body, "from": NAMES[learning.author.removeprefix("demo-")]}
        for learning in fold(protocol, past).of_kind("learning")
        if learning.body
    ]
    facts = ending_at(play(protocol, tonight, today, learnt), now)
    halfway = _room(HALFWAY, outside.meeting(circle, 2, _moment(facts[0].at)), facts, everybody)
    _draft(halfway, tonight)
    ended.build(_moment(now), everybody)
    outside.to_come(circle, 3, _moment(now), everybody)
    return Demo(earlier, halfway, _moment(facts[0].at))


def _room(prefix: str, meeting: Meeting, facts: list[e.Event], everybody: Mapping[str, Person]) -> str:
    """The room of this meeting, in which this has happened, and a link for each of its seats."""
    room = prefix + token_urlsafe(9)
    # A code that nobody has, until the room's own is made below as for any other room.
    Session.objects.create(
        id=room,
        circle=meeting.circle,
        meeting=meeting,
        protocol=builtin("mentor"),
        code_digest=access.digest(access.new_token()),
        links=b"",
    )
    Session.objects.filter(pk=room).update(created_at=_moment(facts[0].at))
    store.append(room, facts)
    Seat.objects.bulk_create(
        Seat(
            session_id=room,
            seat=seat_of(name),
            person=everybody[name],
            digest=access.digest(token(room, seat_of(name))),
        )
        for name in NAMES
    )
    actions.renew_code(room, seat_of(FACILITATOR))
    return room


def _draft(room: str, words: Script) -> None:
    typed = words["draft"]
    actions.save_draft(access.Key(room, seat_of(typed["by"])), typed["kind"], {"text": typed["text"]})


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
