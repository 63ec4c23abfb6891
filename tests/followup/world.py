"""A town with somebody of each kind, and a word of its own in every text that can be kept: who may read which."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from itertools import product

from django.utils import timezone

from cordee.circles.models import Circle, Membership, Turn, Voice
from cordee.followup import links, published
from cordee.followup.actions import learnings, successes
from cordee.followup.models import Commitment, Learning
from tests.circles.test_abilities import routes
from tests.home.town import Town, session_of
from tests.people import person, space_of

# claire wrote nearly all of it, karim is her witness, fanny leads. julien left the circle, nadia waits for a place in
# it. aicha is of another circle of the same space, thomas of none. rose organises, marc pays. octave organises another
# space and is of a circle there. operator runs the server.
CIRCLE = "claire karim helene fanny"
NEAR, FAR = "julien nadia aicha thomas", "rose marc octave operator nobody"
SPACE = f"{CIRCLE} {NEAR} rose marc"
WHO = f"{CIRCLE} {NEAR} {FAR}".split()
READERS = {
    "situationtitle": "claire",
    "situationtext": "claire",
    "turntitle": CIRCLE,
    "turntext": "karim",
    "learnt": CIRCLE,
    "theme": CIRCLE,
    "value": CIRCLE,
    "if": CIRCLE,
    "then": CIRCLE,
    "witness": CIRCLE,
    "gave": CIRCLE,
    "gavelearnt": CIRCLE,
    "keptthen": CIRCLE,
    "successsituation": CIRCLE,
    "successdid": CIRCLE,
    "successgave": CIRCLE,
    "thanks": CIRCLE,
    "witnessed": CIRCLE,  # by julien, before he left
    "alonehers": "claire",
    "alonehis": "karim",
    "formerlearnt": f"{CIRCLE} julien",
    "formerthen": f"{CIRCLE} julien",
    "othercircle": "aicha",
    "published": SPACE,
    "elsewherelearnt": "octave",
    "elsewherepublished": "octave",
}
TYPED = ("search", "preview", "gaveupon")  # typed, answered to who typed it, and kept nowhere
SEALED = [name for name in READERS if "published" not in name]
ALIKE = "Annoncer la fusion aux équipes"  # is in every text: whoever looks for it finds all that they may read
DOORS = "/accueil/", "/compte/mes-donnees/", "/cercles/", "/courrier/"


def word(name: str) -> str:
    return f"zq{name}qz"


def said(name: str) -> str:
    return f"{ALIKE} {word(name)}"


def told(text: str) -> set[str]:
    return set(re.findall("zq([a-z]+)qz", text))


class World(Town):
    """The town, with somebody of each kind, and a word in everything that can be kept."""

    def __init__(self) -> None:
        super().__init__()
        for who, roles in (("julien", ()), ("nadia", ()), ("aicha", ()), ("marc", ("sponsor",))):
            self.people[who] = person(self.space, who, roles=roles)
        self.join(self.circle, "julien")
        now = timezone.now()
        Membership.objects.create(circle=self.circle, person=self.people["nadia"], waiting_since=now)
        self.prepared = self.situation("claire", title=said("situationtitle"), text=said("situationtext"))
        self.learnt = self._learns(self.circle, "claire", text="learnt", theme="theme", value="value")
        learnings.keep_alone(self.circle, self.people["claire"], said("alonehers"))
        learnings.keep_alone(self.circle, self.people["karim"], said("alonehis"))
        self.former = self._learns(self.circle, "julien", text="formerlearnt")
        self.other = self._learns(self._circle("Les passeurs", aicha="member"), "aicha", text="othercircle")
        self.promised = self._promises("claire", **{"if": "if", "then": "then", "witness": "witness"})
        self.promised.stand(gave=said("gave"), learnt=said("gavelearnt"))
        self._promises("julien", then="formerthen")
        self._promises("helene", "julien", then="witnessed")
        self._tells()
        turn = Turn.objects.get()
        turn.situation = self.treated = self.situation("karim", title=said("turntitle"), text=said("turntext"))
        turn.hold(self.circle.key() or b"", said("turntitle"))
        turn.save()
        for who, written in (("karim", {}), ("claire", {"question": 2}), ("helene", {"suggestion": 1})):
            given = {"floor": 2, "helped": who != "karim", "written": written}
            Voice.objects.create(meeting=self.meetings[0], person=self.people[who], round=1, **given)
        self.circle.memberships.filter(person=self.people["julien"]).update(left_at=now)
        self.publish()
        self._elsewhere()

    def _learns(self, circle: Circle, who: str, **words: str) -> Learning:
        made = Learning(id=f"learnt-by-{who}", circle=circle, person=self.people[who])
        made.hold(circle.key() or b"", {name: said(text) for name, text in words.items()})
        made.save()
        return made

    def _promises(self, who: str, witness: str = "karim", which: str = "promised", /, **words: str) -> Commitment:
        made = Commitment(id=f"{which}-by-{who}", circle=self.circle, person=self.people[who])
        made.due_on, made.witness = timezone.localdate(), self.people[witness]
        made.hold(self.circle.key() or b"", {name: said(text) for name, text in words.items()})
        made.save()
        return made

    def _tells(self) -> None:
        kept = self._promises("claire", "helene", "kept", then="keptthen")
        kept.stand(state=Commitment.KEPT, at=timezone.now() - timedelta(hours=2))  # long enough ago for its letters
        words = {"situation": "successsituation", "did": "successdid", "gave": "successgave", "word": "thanks"}
        told = {name: said(text) for name, text in words.items()}
        success = successes.tell(kept, self.circle.key() or b"", told, self.people["karim"])
        success.thanked_at = kept.answered_at
        success.save()

    def publish(self) -> None:
        self.shown = published.publish(self.learnt, said("published"))

    def _elsewhere(self) -> None:
        self.ailleurs = space_of("Ailleurs")
        self.space, here = self.ailleurs, self.space
        circle = self._circle("Les lointains", octave="member")
        self.elsewhere = self._learns(circle, "octave", text="elsewherelearnt")
        self.space = here
        published.publish(self.elsewhere, said("elsewherepublished"))

    # ------------------------------------------------------------ what a browser may ask for

    @cached_property
    def named(self) -> Mapping[str, list[object]]:
        """What each part of an address can name, as the world was made."""
        tokens = [links.token(self.promised, state) for state in links.ANSWERS[:1]]
        return {
            "space": [self.space.pk, self.ailleurs.pk],
            "circle": list(Circle.objects.values_list("pk", flat=True)),
            "meeting": [self.meetings[0].pk],
            "situation": [self.prepared.pk, self.treated.pk],
            "commitment": list(Commitment.objects.values_list("pk", flat=True)),
            "learning": list(Learning.everything.values_list("pk", flat=True)),
            "kept": list(Learning.everything.values_list("pk", flat=True)),
            "token": [*tokens, "forged"],
            "person": [self.people["claire"].pk],
            "membership": [self.circle.memberships.get(person=self.people["claire"]).pk],
            "version": [1],
        }

    def doors(self) -> Iterator[str]:
        """The pages of circles and of one's own that lead to what is kept."""
        for circle in self.named["circle"]:
            yield from (f"/cercles/{circle}/{part}" for part in ("", "situations/", "mon-carnet/"))
        yield from (f"/engagements/{commitment}/reussite/" for commitment in self.named["commitment"])
        yield from (f"/situations/{situation}/" for situation in self.named["situation"])
        yield f"/seances/{self.meetings[0].pk}/"

    def paths(self, package: str) -> list[str]:
        """Every address of a package, with each thing that it can name; those of which a part is unknown are left out
        but for follow-up's own, which must all be walked."""
        found = []
        for route, pattern in routes():
            parts = re.findall(r"<(?:\w+:)?(\w+)>", route)
            if not pattern.callback.__module__.startswith(package) or "(?P" in route:
                continue
            if set(parts) <= self.named.keys():
                filled = product(*(self.named[part] for part in parts))
                found += [_filled(route, values) for values in filled]
            else:
                assert package != "cordee.followup", f"tell World.named what {set(parts) - self.named.keys()} can be"
        return found


def _filled(route: str, values: tuple[object, ...]) -> str:
    each = iter(values)
    return "/" + re.sub(r"<[^>]+>", lambda _: str(next(each)), route)


def main() -> None:
    """For a server's database: furnishes it, prints sessions and addresses as JSON."""
    world = World()
    letters = Commitment.objects.select_related("person__user")
    known = {
        "commitment": f"/engagements/{world.promised.pk}/",
        "tap": links.answers(letters.get(pk=world.promised.pk))["kept"],
        "tap unsaid": links.answers(letters.get(pk="promised-by-helene"))["kept"],
        "publish": f"/apprentissages/{world.learnt.pk}/publier/",
        "success": "/engagements/kept-by-claire/reussite/",
        "successes": f"/cercles/{world.circle.pk}/reussites/",
        "closing": f"/cercles/{world.circle.pk}/bilan/",
        "book": f"/cercles/{world.circle.pk}/mon-carnet/",
        "balance": f"/cercles/{world.circle.pk}/donner-recevoir/",
        "recalled": f"/situations/{world.prepared.pk}/rappel/",
        "published": f"/apprentissages/publies/{world.space.pk}/",
        "meeting": f"/seances/{world.meetings[1].pk}/",
        "values": f"/espaces/{world.space.pk}/valeurs/changer/",
        "new circle": f"/espaces/{world.space.pk}/cercles/nouveau/",
        "change": f"/cercles/{world.circle.pk}/modifier/",
        "charter": f"/cercles/{world.circle.pk}/charte/modifier/",
        "plan": f"/cercles/{world.circle.pk}/seances/planifier/",
    }
    sessions = {who: session_of(who) for who in ("claire", "karim", "octave", "rose", "fanny")}
    print(json.dumps({"sessions": sessions, "paths": known}))
