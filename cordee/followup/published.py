"""What people publish of what they learnt, to their space: without a name, found by resemblance, withdrawn at will.

The table says what is published. Beside it each space has a shelf in ``VAR_DIR/shelves`` (see shelf.py), which only
helps to find: what it says is looked up in the table, and whatever it lacks or has too much is put right by ``tick``,
or by the search that notices it. It can be thrown away at any time.
"""

import fcntl
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_urlsafe

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from cordee.accounts.models import Person, Space
from cordee.circles.models import Membership
from cordee.followup import ranking
from cordee.followup.discreet import Trace, traces
from cordee.followup.models import Learning, Publication, times_helped
from cordee.followup.shelf import CANDIDATES, Shelf

AT_ONCE = 1000  # publications put on a shelf in one transaction
AT_A_SEARCH = 2000  # lacking or too many: a search puts so many right; more wait for tick
FOUND = 20  # shown by a search
MOST_LENT = 5  # to a room at a time
Act = Callable[[Shelf, int, Sequence[str]], None]
Hear = Callable[[int, Sequence[str]], None]  # a space, and what it publishes no more
log = logging.getLogger(__name__)
_hearing: list[Hear] = []


# ---------------------------------------------------------------- what its author does


def publish(learning: Learning, text: str) -> Publication:
    """Show this text to the space of its author's circle, in the place of what was published of it before."""
    space = learning.circle.space
    if space is None:
        raise ValueError("a circle of a room's guests has no space to publish to")
    with transaction.atomic():
        Learning.objects.select_for_update().get(pk=learning.pk)  # one after the other
        withdraw(Publication.objects.filter(learning=learning))
        made = Publication.objects.create(id=token_urlsafe(12), learning=learning, space=space, text=text)
        transaction.on_commit(partial(_beside, _put, space.pk, [made.pk]))
    return made


def when_withdrawn(hear: Hear) -> None:
    """For what shows publications and is not known here: from now on it is told what is withdrawn, once it is."""
    _hearing.append(hear)


def withdraw(publications: QuerySet[Publication]) -> int:
    """Take these away, from the table, from the shelves and from who asked to be told; how many."""
    with transaction.atomic():
        gone = list(publications.values_list("pk", "space"))
        Publication.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
        for space in {space for _, space in gone}:
            ids = [pk for pk, of in gone if of == space]
            transaction.on_commit(partial(_beside, _remove, space, ids))
            for hear in _hearing:
                transaction.on_commit(partial(hear, space, ids))
    return len(gone)


def warnings(learning: Learning, text: str) -> list[Trace]:
    """What in this text could still tell who speaks of whom: names of its circle's people are known."""
    of_circle = Membership.objects.filter(circle=learning.circle_id).values("person")
    people = Person.objects.filter(pk__in=of_circle, erased_at=None).values_list("name", flat=True)
    space = learning.circle.space
    return traces(text, people, [learning.circle.name, *([space.name] if space else [])])


# ---------------------------------------------------------------- finding


def of(space: Space) -> QuerySet[Publication]:
    """The latest first. Who published is not said, but to themselves."""
    return _counted(Publication.objects.filter(space=space))


def _counted(shown: QuerySet[Publication]) -> QuerySet[Publication]:
    found = shown.select_related("learning", "space").annotate(helped=times_helped("learning__helps"))
    return found.order_by("-published_at", "pk")


def of_all(spaces: Iterable[Space]) -> QuerySet[Publication]:
    return _counted(Publication.objects.filter(space__in=list(spaces)))


def helped(publication: Publication) -> int:
    """How often somebody said that it helped again, as :func:`of` counted; nobody is told who."""
    return getattr(publication, "helped", 0)


def resembling(space: Space, query: str, most: int = FOUND, besides: int | None = None) -> Sequence[Publication]:
    """What was published in this space that resembles the query, best first; but for what circle ``besides`` did."""
    looked_at = most if besides is None else CANDIDATES
    try:
        ids = _ranked(space.pk, query, looked_at)
    except sqlite3.OperationalError:
        raise  # held for long by another process: its file is whole
    except sqlite3.DatabaseError:
        _throw_away(space.pk)
        ids = _ranked(space.pk, query, looked_at)
    if besides is not None:
        others = set(
            Publication.objects.filter(pk__in=ids).exclude(learning__circle=besides).values_list("pk", flat=True)
        )
        ids = [id_ for id_ in ids if id_ in others][:most]
    found = of(space).in_bulk(ids)
    return [found[id_] for id_ in ids if id_ in found]


def _ranked(space: int, query: str, most: int) -> Sequence[str]:
    with _shelf(space) as shelf:
        with suppress(sqlite3.OperationalError):  # somebody else is writing: what is there is searched
            _put_right(shelf, space, AT_A_SEARCH)
        return ranking.ranked(shelf, query, most, {})


def lendable(space: Space, query: str, besides: int) -> dict[str, dict[str, str]]:
    """id -> what a room may show (``text``, ``helped``) of what resembles, but for what this circle published."""
    return {each.pk: _shown(each) for each in resembling(space, query, MOST_LENT, besides)}


def body(id_: str) -> dict[str, str] | None:
    """What a room may show of this one; ``None`` once it is withdrawn."""
    found = Publication.objects.filter(pk=id_).annotate(helped=times_helped("learning__helps")).first()
    return _shown(found) if found else None


def withdrawn(ids: Iterable[str]) -> list[str]:
    """Those of these that are published no more."""
    asked = list(ids)
    still = set(Publication.objects.filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
    return [id_ for id_ in asked if id_ not in still]


def _shown(publication: Publication) -> dict[str, str]:
    return {"text": publication.text, "helped": str(helped(publication))}


# ---------------------------------------------------------------- the shelves


def keep_shelves() -> None:
    """Make each shelf hold what its space publishes and nothing more, and its file nothing of what went; for tick."""
    spaces = set(Space.objects.values_list("pk", flat=True))
    for path in _folder().glob("*.sqlite3"):
        if not path.stem.isdecimal() or int(path.stem) not in spaces:
            _throw_away(path.stem)
    for space in sorted(spaces):
        used = _path(space).exists() or Publication.objects.filter(space=space).exists()
        if used and not _beside(_keep, space, []):
            _beside(_keep, space, [])  # it was damaged: made again


def _keep(shelf: Shelf, space: int, _ids: Sequence[str]) -> None:
    _put_right(shelf, space)
    shelf.forget()


def _put(shelf: Shelf, space: int, ids: Sequence[str]) -> None:
    """Put these on the shelf; what was withdrawn while they were being put goes again."""
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        shelf.put(Publication.objects.filter(pk__in=some).values_list("pk", "text"))
        still = set(Publication.objects.filter(pk__in=some).values_list("pk", flat=True))
        shelf.remove(set(some) - still)


def _remove(shelf: Shelf, space: int, ids: Sequence[str]) -> None:
    shelf.remove(ids)
    if len(shelf) <= AT_ONCE:
        shelf.forget()  # a larger file is written anew by tick


def _put_right(shelf: Shelf, space: int, most: int | None = None) -> None:
    """Make the shelf hold what the table says. Where more than ``most`` are to be moved, it is left to tick."""
    told, held = Publication.objects.filter(space=space), len(shelf)
    if most is not None and held == told.count():
        return
    on_it, published = shelf.ids(), set(told.values_list("pk", flat=True))
    if most is not None and len(on_it ^ published) > most:
        return
    shelf.remove(on_it - published)
    _put(shelf, space, sorted(published - on_it))


def _beside(act: Act, space: int, ids: Sequence[str]) -> bool:
    """Do this to a shelf; should that fail, the table is right all the same, and tick or a search puts it right.

    ``False`` when the file was damaged, and is thrown away.
    """
    try:
        with _shelf(space) as shelf:
            act(shelf, space, ids)
    except (sqlite3.OperationalError, OSError) as error:
        log.warning("A shelf of published texts is put right later: %s", type(error).__name__)
    except sqlite3.DatabaseError:
        _throw_away(space)
        return False
    return True


@contextmanager
def _shelf(space: int) -> Iterator[Shelf]:
    """The shelf of a space, opened; nobody throws its file away meanwhile."""
    with _lock(fcntl.LOCK_SH):
        shelf = Shelf(_path(space))
        try:
            yield shelf
        finally:
            shelf.close()


def _throw_away(space: int | str) -> None:
    with _lock(fcntl.LOCK_EX):
        for ending in ("", "-wal", "-shm"):
            (_folder() / f"{space}.sqlite3{ending}").unlink(missing_ok=True)


@contextmanager
def _lock(kind: int) -> Iterator[None]:
    with (_folder() / "lock").open("a") as file:
        fcntl.flock(file, kind)
        yield


def _path(space: int) -> Path:
    return _folder() / f"{space}.sqlite3"


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "shelves"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
