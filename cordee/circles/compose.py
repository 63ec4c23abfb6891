"""What to look at in who is in a circle. Pure: people in, findings out; none of them forbids anything."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FEWEST, MOST = 5, 8  # members, beside who facilitates: fewer see too little, more speak too little
DIVERSE = ("site", "branch", "level")


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody of the circle, as far as composing it is concerned. Blank: it is not known."""

    id: int
    name: str
    team: str = ""
    site: str = ""
    branch: str = ""
    level: str = ""
    leads: bool = False  # facilitates this circle
    organises: bool = False  # organises the space


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` has a sentence in phrases.py; ``names`` and ``value`` (a team, a site, a number) fill its blanks."""

    kind: str
    names: tuple[str, ...] = ()
    value: str = ""


def findings(peers: Sequence[Peer], managers: Mapping[int, int]) -> list[Finding]:
    """``managers``: person → their manager, for the peers and everybody above them."""
    members = [peer for peer in peers if not peer.leads]
    return [
        *_size(members),
        *_leading(peers),
        *_hierarchy(peers, managers),
        *_teams(members),
        *_alike(members),
    ]


def _size(members: Sequence[Peer]) -> list[Finding]:
    if len(members) < FEWEST:
        return [Finding("few", value=str(len(members)))]
    return [Finding("many", value=str(len(members)))] if len(members) > MOST else []


def _leading(peers: Sequence[Peer]) -> list[Finding]:
    leaders = [peer for peer in peers if peer.leads]
    if not leaders:
        return [Finding("unled")]
    return [Finding("organiser_leads", (peer.name,)) for peer in leaders if peer.organises]


def _hierarchy(peers: Sequence[Peer], managers: Mapping[int, int]) -> list[Finding]:
    here = {peer.id: peer for peer in peers}
    found = []
    for peer in peers:
        for steps, manager in enumerate(above(peer.id, managers)):
            if manager in here:
                kind = "leader_manages" if here[manager].leads else "manages"
                found.append(Finding(kind if steps == 0 else f"{kind}_above", (here[manager].name, peer.name)))
    return found


def above(person: int, managers: Mapping[int, int]) -> list[int]:
    """Their manager, their manager's manager and so on; a ring of people who manage each other is walked once."""
    chain: list[int] = []
    current = managers.get(person)
    while current is not None and current not in chain and current != person:
        chain.append(current)
        current = managers.get(current)
    return chain


def _teams(members: Sequence[Peer]) -> list[Finding]:
    return [Finding("team", names, team) for team, names in _same(members, "team") if len(names) > 1]


def _alike(members: Sequence[Peer]) -> list[Finding]:
    """One site, one branch or one level for all those of whom it is known, when they are enough to tell."""
    found = []
    for what in DIVERSE:
        groups = list(_same(members, what))
        if len(groups) == 1 and len(groups[0][1]) > 2:
            found.append(Finding(f"one_{what}", value=groups[0][0]))
    return found


def _same(members: Sequence[Peer], what: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    """What they share, as its first says it, and the names of those who do; "Lyon" and "lyon " are one."""
    said: dict[str, str] = {}
    names = defaultdict(list)
    for member in members:
        value = " ".join(getattr(member, what).split())
        if value:
            said.setdefault(value.casefold(), value)
            names[value.casefold()].append(member.name)
    return [(said[key], tuple(group)) for key, group in names.items()]
