"""What a meeting's room shows of what its space publishes: brought when it is to be recalled, gone once withdrawn.

The log is told which, never in what words (docs/adr/0018-lent-to-a-room.md).
"""

import logging
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from time import time

from django.db import close_old_connections

from cordee.engine import events as e
from cordee.engine.commands import Lend
from cordee.engine.recalling import looked_for
from cordee.engine.refusal import Decision
from cordee.engine.state import LENT, State
from cordee.followup import published
from cordee.room import store
from cordee.room.models import Entry, Session

Submit = Callable[[str, Lend], object]  # how a wish is written: cordee.room.actions.submit
SHOWN = 24 * 3600  # seconds during which a page may still show what was lent to its room
MOVES = (e.StepEntered, e.ClientChosen, e.RoundStarted, e.Undone)
log = logging.getLogger(__name__)
_thread = ThreadPoolExecutor(1, thread_name_prefix="lent")


def due(room_id: str, outcome: Decision | Exception) -> bool:
    """Whether these facts made a meeting's room look for something else among what was learnt before."""
    room = store.known(room_id) if isinstance(outcome, list) else None
    if room is None or not room.state.meeting or not isinstance(outcome, list):
        return False
    return any(_moves(room.state, fact) for fact in outcome) and bool(looked_for(room.state))


def _moves(state: State, fact: e.Event) -> bool:
    gate = state.step.gate
    return isinstance(fact, MOVES) or bool(isinstance(fact, e.Marked) and gate and fact.on and fact.mark == gate.mark)


def soon(act: Callable[..., None], *given: object) -> None:
    """Bring, or take back, in the background: nobody waits for it."""
    _thread.submit(_apart, act, *given)


def _apart(act: Callable[..., None], *given: object) -> None:
    close_old_connections()
    quietly(act, *given)
    close_old_connections()


def quietly(act: Callable[..., None], *given: object) -> None:
    """What fails now is put right when a page of the room is opened, or something else is looked for."""
    try:
        act(*given)
    except Exception as error:  # the type alone: a message could hold words
        log.warning("What is lent to a room is not as it should be: %s", type(error).__name__)


def bring(room_id: str, submit: Submit) -> None:
    """Lend this room what resembles what it treats now, and take back what was withdrawn."""
    session = Session.objects.select_related("circle__space").filter(pk=room_id).first()
    if session is None or session.circle.space is None:
        return
    state = store.load(room_id).state
    wanted = looked_for(state)
    found = published.lendable(session.circle.space, wanted, session.circle_id) if wanted else {}
    new = {id_: body for id_, body in found.items() if id_ not in state.contributions}
    if new or _gone(state):
        submit(room_id, Lend(seat="", bodies=new, gone=_gone(state)))


def take_back(space: int, ids: Collection[str], submit: Submit) -> None:
    """From the rooms of this space whose pages may be open: these are published no more."""
    lately = Entry.objects.filter(kind="Lent", at__gt=time() - SHOWN, session__circle__space=space)
    for room_id in lately.filter(plain__id__in=ids).order_by("session").values_list("session", flat=True).distinct():
        submit(room_id, Lend(seat="", bodies={}, gone=tuple(ids)))


def put_right(room_id: str, submit: Submit) -> None:
    """Before a page of this room is shown: nothing withdrawn is on it."""
    gone = _gone(store.load(room_id).state)
    if gone:
        submit(room_id, Lend(seat="", bodies={}, gone=gone))


def _gone(state: State) -> tuple[str, ...]:
    return tuple(published.withdrawn(c.id for c in state.of_kind(LENT)))
