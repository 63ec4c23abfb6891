"""A list of people against those whom the space knows: what would change, and the change itself, all or nothing."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from cordee.accounts.models import Person, Space, Upload, User
from cordee.accounts.reading import Fault, Reading, Row, read

AT_ONCE = 500  # rows a statement


@dataclass(slots=True)
class Plan:
    """What a list would do. ``changed`` maps a person to the values that are not theirs yet."""

    new: list[Row] = field(default_factory=list)
    changed: list[tuple[Person, dict[str, object]]] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Lines that cannot be taken."""
        return len({fault.line for fault in self.faults})

    @property
    def can_be_done(self) -> bool:
        return not self.faults


def plan(space: Space, reading: Reading) -> Plan:
    """Compare a list with the space, whose people it names by their address."""
    known = _known(space)
    made = Plan(faults=list(reading.faults), unknown=reading.unknown)
    lines: dict[str, int] = {}
    for row in reading.rows:
        if row.email in lines:
            says = _("L’adresse %(email)s est déjà ligne %(line)d.") % {"email": row.email, "line": lines[row.email]}
            made.faults.append(Fault(row.line, says))
            continue
        lines[row.email] = row.line
        person = known.get(row.email)
        if person is None:
            made.new.append(row)
        elif changes := _changes(person, row, known):
            made.changed.append((person, changes))
        else:
            made.unchanged += 1
    made.faults += _manager_faults(reading.rows, known)
    made.faults.sort(key=lambda fault: fault.line)
    return made


def _known(space: Space) -> dict[str, Person]:
    """Everybody of the space by their address; by something that is none, for who has none."""
    people = Person.objects.filter(space=space, erased_at=None)
    return {person.email or f"#{person.pk}": person for person in people}


def _changes(person: Person, row: Row, known: Mapping[str, Person]) -> dict[str, object]:
    """An empty cell changes nothing; who had left and is in the list comes back."""
    changes: dict[str, object] = {name: value for name, value in row.values.items() if getattr(person, name) != value}
    manager = known.get(row.manager)
    if row.manager and (manager is None or manager.pk != person.manager_id):
        changes["manager"] = row.manager
    if person.left_at:
        changes["left_at"] = None
    return changes


# ---------------------------------------------------------------- managers


def _manager_faults(rows: Sequence[Row], known: Mapping[str, Person]) -> Iterator[Fault]:
    """Managers whom nobody knows, and circles of managers."""
    listed = {row.email for row in rows}
    above = _managers(known) | {row.email: row.manager for row in rows if row.manager}
    looped = _in_a_loop(above)
    for row in rows:
        if row.manager and row.manager not in listed and row.manager not in known:
            says = _("Le responsable %(email)s n’est ni dans la liste ni dans l’espace.")
            yield Fault(row.line, says % {"email": row.manager})
        elif row.manager == row.email:
            yield Fault(row.line, _("Cette personne serait son propre responsable."))
        elif row.manager and row.email in looped:
            says = _("Responsables en boucle : en remontant de %(email)s, on y revient.")
            yield Fault(row.line, says % {"email": row.email})


def _managers(known: Mapping[str, Person]) -> dict[str, str]:
    by_id = {person.pk: email for email, person in known.items()}
    return {email: by_id[person.manager_id] for email, person in known.items() if person.manager_id in by_id}


def _in_a_loop(above: Mapping[str, str]) -> set[str]:
    """Who comes back to themselves when one goes up from manager to manager. Each is walked once."""
    looped: set[str] = set()
    settled: set[str] = set()
    for start in above:
        path: list[str] = []
        seen: dict[str, int] = {}
        at = start
        while at in above and at not in settled and at not in seen:
            seen[at] = len(path)
            path.append(at)
            at = above[at]
        if at in seen:
            looped |= set(path[seen[at] :])
        settled |= set(path)
    return looped


def would_loop(person: Person, manager: Person) -> bool:
    """Whether this manager is this person, or somebody below them."""
    at: Person | None = manager
    seen: set[int] = set()
    while at is not None and at.pk not in seen:
        if at.pk == person.pk:
            return True
        seen.add(at.pk)
        at = at.manager
    return False


# ---------------------------------------------------------------- the change


def import_people(space: Space, reading: Reading) -> Plan:
    """Take a list into a space, whole or not at all: nothing is written when the plan has a fault. What was done."""
    with transaction.atomic():
        Space.objects.select_for_update().get(pk=space.pk)
        made = plan(space, reading)
        if made.can_be_done:
            ids = {email: person.pk for email, person in _known(space).items()}
            _create(space, made.new, ids)
            _change(made.changed, ids)
    return made


def _create(space: Space, rows: list[Row], ids: dict[str, int]) -> None:
    """Managers before those whom they manage: each row is written once. ``ids`` learns the new ones."""
    accounts = dict(User.objects.exclude(persons__space=space).values_list("email", "pk")) if rows else {}
    waiting = rows
    while waiting:
        ready = [row for row in waiting if not row.manager or row.manager in ids]
        people = [
            Person(
                space=space,
                email=row.email,
                user_id=accounts.get(row.email),
                manager_id=ids.get(row.manager),
                **row.values,
            )
            for row in ready
        ]
        for person in Person.objects.bulk_create(people, batch_size=AT_ONCE):
            ids[person.email] = person.pk
        done = {row.email for row in ready}
        waiting = [row for row in waiting if row.email not in done]


def _change(changed: list[tuple[Person, dict[str, object]]], ids: Mapping[str, int]) -> None:
    fields: set[str] = set()
    for person, changes in changed:
        for name, value in changes.items():
            setattr(person, *("manager_id", ids[str(value)]) if name == "manager" else (name, value))
        fields |= changes.keys()
    if fields:
        Person.objects.bulk_update([person for person, _changes in changed], sorted(fields), batch_size=AT_ONCE)


# ---------------------------------------------------------------- between the preview and the confirmation


def keep(space: Space, by: User, content: bytes) -> None:
    """Keep a file until it is confirmed, or for a day; the one that this person gave before is thrown away."""
    packed = zlib.compress(content, 6)
    Upload.objects.update_or_create(space=space, by=by, defaults={"content": packed})


def kept(space: Space, by: User) -> Reading | None:
    """That file, read anew; ``None`` if there is none."""
    upload = Upload.objects.filter(space=space, by=by).first()
    return read(zlib.decompress(bytes(upload.content))) if upload else None


def throw_away(space: Space, by: User) -> None:
    Upload.objects.filter(space=space, by=by).delete()
