"""The people of the tests, and a room that they play in: pure, without a database, with a clock that tests set.

room = circle()                      # eight consultants and Claire, Fanny leads
play(room, until="suggestions")      # everything before, with French texts; stops on arriving there
room.view("karim").groups
"""

from collections.abc import Mapping
from itertools import count

from cordee.engine import commands as c
from cordee.engine import events as e
from cordee.engine import turns
from cordee.engine.decide import decide
from cordee.engine.policy import SCREEN
from cordee.engine.reading import builtin, read
from cordee.engine.refusal import Refused
from cordee.engine.rules.judgements import position
from cordee.engine.seen import Group, View
from cordee.engine.state import Contribution, State, apply, initial
from cordee.engine.view import view_for

NAMES = {
    "fanny": "Fanny",
    "claire": "Claire",
    "karim": "Karim",
    "helene": "Hélène",
    "thomas": "Thomas",
    "nadia": "Nadia",
    "julien": "Julien",
    "aicha": "Aïcha",
    "marc": "Marc",
    "octave": "Octave",
    "rose": "Rose",
}
FACILITATOR = "fanny"
CLIENT = "claire"
CONSULTANTS = ("karim", "helene", "thomas", "nadia", "julien", "aicha", "marc")
MEMBERS = (CLIENT, *CONSULTANTS)
OUTSIDERS = ("octave", "rose")  # never seated
NINE_O_CLOCK = 1_790_000_000.0


class RefusedError(AssertionError):
    """A command that a test expected to pass was refused."""


class Room:
    """A room driven by commands. ``now`` goes on by one second at each; set it to jump."""

    def __init__(self, protocol: str = "mentor", now: float = NINE_O_CLOCK) -> None:
        self.text = builtin(protocol) if "\n" not in protocol else protocol
        self.events: list[e.Event] = []
        self.state: State = initial(read(self.text))
        self.now = now
        self._ids = count(1)

    # ------------------------------------------------------------ the engine's two sides

    def do(self, command: c.Command) -> list[e.Event]:
        """What the command brought about; raises :class:`RefusedError` with the reason."""
        result = self.try_(command)
        if isinstance(result, Refused):
            raise RefusedError(f"{command} was refused at {position(self.state)}: {result.reason} {dict(result.about)}")
        return result

    def try_(self, command: c.Command) -> list[e.Event] | Refused:
        """The same, giving a refusal back."""
        self.now += 1
        result = decide(self.state, command, self.now)
        if not isinstance(result, Refused):
            for event in result:
                self.state = apply(self.state, event)
                self.events.append(event)
        return result

    def view(self, seat: str) -> View | None:
        return view_for(self.state, seat)

    # ------------------------------------------------------------ shorthand

    @property
    def step(self) -> str:
        return self.state.course.step

    @property
    def leader(self) -> str:
        return self.state.facilitator()

    @property
    def client(self) -> str:
        return self.state.course.client

    def members(self) -> list[str]:
        return [seat.id for seat in self.state.seats.values() if seat.member and seat.here]

    def consultants(self) -> list[str]:
        return [seat for seat in self.members() if seat != self.client]

    def seat(self, *seats: str, role: str = "member", appointed: bool = False) -> None:
        for seat in seats:
            self.do(c.TakeSeat(seat=seat, name=NAMES.get(seat, seat), role=role, appointed=appointed))

    def new_id(self, kind: str = "c") -> str:
        return f"{kind}-{next(self._ids):06d}"

    def write(self, seat: str, kind: str, body: str | Mapping[str, str], behalf: str = "") -> str:
        """Writes, and gives the id of what now holds the text (an older one, where a kind is single)."""
        return self._written(self.do(self._wish(seat, kind, body, behalf)))

    def try_write(self, seat: str, kind: str, body: str | Mapping[str, str] = "Un texte.", behalf: str = "") -> str:
        """The reason of the refusal, or ``""``."""
        return reason(self.try_(self._wish(seat, kind, body, behalf)))

    def _wish(self, seat: str, kind: str, body: str | Mapping[str, str], behalf: str) -> c.Write:
        if isinstance(body, str):
            boxes = self.state.protocol.kinds[kind].fields
            box = next((box for box in boxes if box.id == "text"), boxes[0])
            body = {other.id: body for other in boxes if other.required and other.type in {"text", "line"}}
            body[box.id] = next(iter(body.values()), "")
        return c.Write(seat=seat, id=self.new_id(kind), kind=kind, body=body, behalf=behalf)

    @staticmethod
    def _written(events: list[e.Event]) -> str:
        return next((event.id for event in events if isinstance(event, e.Written | e.Edited)), "")

    def mark(self, seat: str, id_: str, mark: str, value: str = "", on: bool = True, behalf: str = "") -> None:
        self.do(c.Mark(seat=seat, id=id_, mark=mark, value=value, on=on, behalf=behalf))

    def next(self, reason: str = "") -> None:
        self.do(c.Next(seat=self.leader, seen=position(self.state), reason=reason))

    def go(self, step: str, reason: str = "") -> None:
        self.do(c.GoTo(seat=self.leader, step=step, reason=reason))

    def reveal(self, seat: str = "") -> None:
        self.do(c.Reveal(seat=seat or self.leader, seen=position(self.state)))

    def pass_floor(self) -> str:
        """Whoever has the floor passes it; gives who has it then."""
        holder = self.view(self.leader).ring.holder
        self.do(c.PassFloor(seat=holder, seen=holder))
        return self.view(self.leader).ring.holder

    def of(self, kind: str, author: str | None = None) -> list[Contribution]:
        """Contributions of this round that still stand."""
        return self.state.of_kind(kind, self.state.course.round, author)

    def shown(self, kind: str) -> list[Contribution]:
        """The same, without what the facilitator has hidden."""
        return [entry for entry in self.of(kind) if not entry.hidden]

    def situation_of(self, seat: str) -> str:
        return self.state.of_kind("situation", author=seat)[-1].id


def reason(result: list[e.Event] | Refused) -> str:
    return result.reason if isinstance(result, Refused) else ""


def group(view: View, kind: str) -> Group:
    """The group of this kind on the stage; ``AssertionError`` if the step does not show it."""
    found = [g for g in (*view.groups, *view.past, *view.own) if g.kind == kind]
    assert found, f"{view.seat} has no group of {kind} at {view.position}"
    return found[0]


def texts(view: View | None, kind: str) -> list[str]:
    """The texts of a kind that are on this seat's page, in their order."""
    groups = [] if view is None else [*view.groups, *view.past, *view.own]
    return [card.get("text") or card.get("then") for g in groups if g.kind == kind for card in g.cards]


def circle(members: tuple[str, ...] = MEMBERS, protocol: str = "mentor") -> Room:
    """Fanny leads, the members sit."""
    room = Room(protocol)
    room.seat(FACILITATOR)
    room.seat(*members)
    return room


# ---------------------------------------------------------------- what they say


class French:
    """What the characters write. A test that wants other words gives another ``body`` and ``value``."""

    def body(self, room: Room, seat: str, kind: str) -> dict[str, str]:
        if kind == "situation":
            return dict(SITUATIONS.get(seat, SITUATIONS["claire"]))
        if kind == "commitment":
            return dict(COMMITMENT) | {"witness": next(iter(room.consultants()), "")}
        if kind == "carried":
            return dict(COMMITMENT) | {"witness": "Karim"}
        if kind == "success":
            return dict(SUCCESS)
        said = SAID[kind]
        return {"text": said[list(NAMES).index(seat) % len(said)] if seat in NAMES else said[0]}

    def value(self, room: Room, seat: str, mark: str) -> str:
        said = {"theme": "Oser demander", "value": "La confiance", "sorted": "keep", "standing": "adapted"}
        return (said | REPRISE).get(mark, "")


REPRISE = {"gave": "Trois personnes sur cinq ; les autres m’attendaient.", "learnt": "On m’attendait."}
SITUATIONS = {
    "claire": {
        "nature": "probleme",
        "title": "Comment annoncer une réorganisation à une équipe déjà fatiguée ?",
        "text": "Deux services fusionnent en mars. L’équipe sort d’un déménagement, deux personnes sont parties. "
        "La direction me demande d’annoncer les nouveaux rattachements sans calendrier précis.",
        "urgency": "now",
    },
    "karim": {
        "nature": "preoccupation",
        "title": "Comment recadrer un ancien collègue dont je suis devenu le responsable ?",
        "text": "Nous déjeunions ensemble depuis six ans. Il arrive en retard aux points d’équipe et plaisante quand "
        "je le dis.",
        "urgency": "soon",
    },
    "nadia": {
        "nature": "projet",
        "title": "Comment lancer le tutorat entre les deux sites sans l’imposer ?",
        "text": "Les équipes ne se connaissent pas. L’annonce de la fusion rend chacun prudent.",
        "urgency": "later",
    },
}
COMMITMENT = {
    "if": "Quand j’aurai la liste des rattachements",
    "then": "je vois chaque personne dix minutes avant l’annonce à l’équipe",
    "date": "2026-12-04",
}
SUCCESS = {
    "situation": "Je repoussais l’annonce à mon équipe depuis un mois.",
    "did": "J’ai vu chacun dix minutes, avant la réunion.",
    "gave": "Ce jour-là, personne n’a découvert la nouvelle.",
    "thanks": "Karim",
}
SAID = {
    "published": ["Dire tôt ce que l’on sait, même sans tout savoir, apaise."],
    "story": ["J’ai déjà repoussé l’annonce deux fois, et je crois que tout le monde le sent."],
    "question": [
        "Qu’est-ce que l’équipe sait déjà aujourd’hui ?",
        "Qu’est-ce qui serait le plus difficile pour toi à entendre ce jour-là ?",
        "Comment l’annonce du déménagement s’était-elle passée ?",
        "De qui as-tu besoin à tes côtés ?",
        "Depuis quand repousses-tu cette annonce ?",
        "Qui, dans l’équipe, a déjà compris ?",
        "Qu’as-tu essayé depuis septembre ?",
        "Que se passerait-il si l’annonce attendait encore ?",
        "Comment ta direction en parle-t-elle ?",
    ],
    "request": ["Je voudrais que vous m’aidiez à préparer les dix premières minutes de l’annonce."],
    "feeling": [
        "De la solitude, et une fatigue que je connais.",
        "De la colère : on te demande d’annoncer sans te donner de quoi répondre.",
        "Cela réveille en moi une fusion que j’ai vécue sans comprendre.",
        "De l’admiration pour le soin que tu prends.",
        "Un nœud au ventre : j’ai la même annonce à faire en janvier.",
        "De l’impatience, puis de la tendresse.",
        "Une vieille peur de décevoir.",
        "De la lassitude devant ces calendriers qui changent.",
        "Du soulagement de ne pas être seul avec cela.",
    ],
    "suggestion": [
        "Commencer par dire ce que tu ne sais pas encore.",
        "Voir les deux personnes les plus touchées avant la réunion.",
        "Écrire ensemble les questions que l’équipe va poser.",
        "Demander une date à la direction avant d’annoncer.",
        "Laisser dix minutes de silence pour que chacun écrive sa réaction.",
        "Venir à deux, avec ton homologue de l’autre service.",
        "Garder une heure libre après la réunion pour ceux qui veulent parler.",
        "Donner un point d’étape chaque vendredi, même vide.",
        "Raconter d’abord ce qui ne changera pas.",
    ],
    "takeaway": ["Je retiens que dire ce que j’ignore est plus honnête que d’attendre d’avoir tout."],
    "learning": [
        "J’ai appris que j’attends d’avoir toutes les réponses avant de parler à mon équipe.",
        "Une annonce se prépare avec ceux qui la reçoivent.",
        "Je donne des conseils trop vite ; poser une question m’a plus appris.",
        "Dire une limite à un collègue, c’est déjà prendre soin de la relation.",
        "Se taire cinq minutes ensemble fait venir d’autres idées.",
        "Je ne suis pas le seul à redouter les annonces.",
        "Une demande claire change tout ce qui suit.",
        "Le calendrier me sert souvent d’excuse.",
        "Je peux demander de l’aide avant d’être au bout.",
    ],
    "note": ["En parler à ma propre équipe lundi."],
    "seed": ["Et si l’équipe choisissait l’ordre des sujets ?"],
}
FRENCH = French()


# ---------------------------------------------------------------- a round of MENTOR


def opening(
    room: Room, *authors: str, told: tuple[str, ...] = (), values: tuple[str, ...] = (), script: French = FRENCH
) -> Room:
    """The room of a meeting that opens on what these people promised at the last one, and ``told`` as successes since.
    ``values``: of its space.

    Nobody has come yet.
    """
    step = room.state.protocol.steps[0]
    facts: list[e.Event] = [e.RoomOpened(at=room.now, seat="", body=dict(zip("0123", values, strict=False)) or None)]
    for kind, who in [*(("success", who) for who in told), *(("carried", who) for who in authors)]:
        body, id_ = script.body(room, who, kind) | {"from": NAMES[who]}, room.new_id(kind)
        facts.append(e.Written(at=room.now, seat=who, id=id_, kind=kind, round=0, step=step.id, body=body))
    facts += [e.StepEntered(at=room.now, seat="", round=1, step=step.id)] if authors or told else []
    for fact in facts:
        room.state = apply(room.state, fact)
        room.events.append(fact)
    return room


def play(room: Room, until: str = "", *, through: str = "", client: str = CLIENT, script: French = FRENCH) -> Room:
    """Plays MENTOR from where the room stands.

    ``until``: stops on arriving at this step. ``through``: does all of this step and stays there. Neither: to the end
    of renforcement, where the next client may be chosen. ``client``: whom the group chooses, where it has to choose.
    """
    while room.step != until:
        (OPENING | ACTS)[room.step](room, script, client)
        if room.step == through or room.step == list(ACTS)[-1]:
            break
        room.next()
    return room


def next_round(room: Room, client: str) -> None:
    """At renforcement: the next client is chosen, and the round begins."""
    room.do(c.Choose(seat=room.leader, situation=room.situation_of(client)))
    room.do(c.NextRound(seat=room.leader, seen=position(room.state)))


def _write(room: Room, script: French, seat: str, kind: str) -> str:
    return room.write(seat, kind, script.body(room, seat, kind))


def _reprise(room: Room, script: French, client: str) -> None:
    for seat in turns.ring(room.state):
        for promise in room.state.of_kind("carried", author=seat):
            for mark in ("standing", "gave", "learnt"):
                room.mark(seat, promise.id, mark, script.value(room, seat, mark))
        room.pass_floor()


def _choix(room: Room, script: French, client: str) -> None:
    for seat in room.members():
        if seat in SITUATIONS or seat == client:
            _write(room, script, seat, "situation")
    for seat in room.members():
        room.write(seat, "vote", {"choice": room.situation_of(client)})
    room.do(c.Choose(seat=room.leader, situation=room.situation_of(client)))


def _recit(room: Room, script: French, client: str) -> None:
    _write(room, script, room.client, "story")
    for seat in room.consultants()[:2]:
        _write(room, script, seat, "note")


def _questions(room: Room, script: French, client: str) -> None:
    for _ in room.consultants():
        asks = room.view(room.leader).ring.holder
        asked = _write(room, script, asks, "question")
        room.mark(room.client, asked, "answered")
        room.pass_floor()
    room.mark(room.client, room.of("question")[0].id, "touching")
    _write(room, script, room.consultants()[0], "seed")


def _demande(room: Room, script: French, client: str) -> None:
    request = _write(room, script, room.client, "request")
    for seat in room.consultants():
        room.mark(seat, request, "acknowledged")
    room.mark(room.client, request, "validated")


def _silent_then_round(kind: str, writers: str):
    def act(room: Room, script: French, client: str) -> None:
        for seat in getattr(room, writers)():
            _write(room, script, seat, kind)
        room.reveal()
        for _ in getattr(room, writers)():
            room.pass_floor()

    return act


def _suggestions(room: Room, script: French, client: str) -> None:
    room.do(c.DrawCard(seat=room.consultants()[0]))
    _silent_then_round("suggestion", "consultants")(room, script, client)


def _traitement(room: Room, script: French, client: str) -> None:
    for lead, value in zip(room.shown("suggestion"), ("keep", "think", "leave") * 9, strict=False):
        room.mark(room.client, lead.id, "sorted", value)
    _write(room, script, room.client, "takeaway")
    _write(room, script, room.client, "commitment")
    room.reveal(room.client)


def _ouvertures(room: Room, script: French, client: str) -> None:
    _silent_then_round("learning", "members")(room, script, client)
    first = room.shown("learning")[0].id
    for mark in ("theme", "value"):
        room.mark(room.members()[0], first, mark, script.value(room, room.members()[0], mark))


def _renforcement(room: Room, script: French, client: str) -> None:
    room.mark(room.members()[0], room.shown("learning")[0].id, "useful")


OPENING = {"reprise": _reprise}  # where something was carried
ACTS = {
    "choix": _choix,
    "recit": _recit,
    "questions": _questions,
    "demande": _demande,
    "ressentis": _silent_then_round("feeling", "consultants"),
    "suggestions": _suggestions,
    "traitement": _traitement,
    "ouvertures": _ouvertures,
    "renforcement": _renforcement,
}

__all__ = ["ACTS", "FRENCH", "NAMES", "SCREEN", "French", "Room", "circle", "group", "next_round", "play", "texts"]
