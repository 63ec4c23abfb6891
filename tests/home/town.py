"""A space with two circles for the pages of one's own: meetings, a charter to sign, promises, situations, learnings.

Claire and Karim are members of the first, Fanny leads it, Rose organises; Thomas is of no circle.
"""

import json
from datetime import timedelta
from time import time

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from cordee.accounts.adapters import PROVED
from cordee.accounts.models import Person
from cordee.circles import crypto
from cordee.circles.actions import situations
from cordee.circles.models import Charter, Circle, Meeting, Membership, Signature, Situation, Turn
from cordee.followup.models import Commitment, Learning
from tests.people import person, space_of, user

SITUATION = {
    "nature": "preoccupation",
    "title": "Comment annoncer la fusion à mon équipe sans perdre Hélène ?",
    "text": "Trois personnes croient partir. La direction parle dans dix jours.",
    "urgency": "now",
}


class Town:
    def __init__(self) -> None:
        self.space = space_of()
        self.tokens: dict[tuple[str, str], str] = {}  # (room, seat) -> what opens it
        self.people = {who: person(self.space, who) for who in ("claire", "karim", "fanny", "helene", "thomas")}
        self.people["rose"] = person(self.space, "rose", roles=("organiser",))
        self.people["octave"] = person(space_of("Ailleurs"), "octave", roles=("organiser",))
        user("operator", is_operator=True)
        self.circle = self._circle(
            "Les éclaireurs", claire="member", karim="member", helene="member", fanny="facilitator"
        )
        self.meetings = [self.meeting(self.circle, number, days) for number, days in ((1, -20), (2, 8), (3, 36))]
        Turn.objects.create(
            circle=self.circle,
            meeting=self.meetings[0],
            person=self.people["karim"],
            round=1,
            at=self.meetings[0].starts_at,
        )

    def _circle(self, name: str, **roles: str) -> Circle:
        made = Circle.objects.create(
            space=self.space, name=name, place="Salle du lac", wrapped_key=crypto.new_wrapped_key(), quorum=2
        )
        for who, role in roles.items():
            self.join(made, who, role)
        charter = Charter.objects.create(
            circle=made, version=1, text="Ce qui se dit ici reste ici.", scope="Tout", erase_on=made.erase_on
        )
        for who in roles:
            Signature.objects.create(charter=charter, person=self.people[who])
        return made

    def join(self, circle: Circle, who: str, role: str = "member") -> Membership:
        now = timezone.now()
        return Membership.objects.create(circle=circle, person=self.people[who], role=role, joined_at=now)

    def meeting(self, circle: Circle, number: int, days: float) -> Meeting:
        start = (timezone.now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        return Meeting.objects.create(
            circle=circle,
            number=number,
            starts_at=start,
            ends_at=start + timedelta(hours=2),
            uid=f"{circle.pk}-{number}",
        )

    def situation(self, who: str, **fields: str) -> Situation:
        made = situations.begin(self.circle, self.people[who])
        held = situations.words(made)
        situations.save(made, SITUATION | fields, held.version if held else "")
        return made

    def commitment(
        self, who: str, then: str, days: int = 5, witness: Person | None = None, **fields: str
    ) -> Commitment:
        made = Commitment(
            id=f"c-{Commitment.objects.count() + 1}-{who}",
            circle=self.circle,
            meeting=self.meetings[0],
            person=self.people[who],
            witness=witness,
            due_on=timezone.localdate() + timedelta(days=days),
            **fields,
        )
        made.hold(self.circle.key() or b"", {"if": "Si Paul m’interrompt en réunion", "then": then})
        made.save()
        return made

    def learning(self, who: str, text: str) -> Learning:
        made = Learning(
            id=f"l-{Learning.objects.count() + 1}-{who}",
            circle=self.circle,
            meeting=self.meetings[0],
            person=self.people[who],
        )
        made.hold(self.circle.key() or b"", {"text": text, "theme": "Écouter"})
        made.save()
        return made

    def furnish(self) -> "Town":
        """What Claire finds on her home page."""
        self.situation("claire")
        self.commitment("claire", "alors je reprends la parole sans m’excuser")
        self.commitment("claire", "alors j’appelle Thomas avant de répondre", days=12)
        self.commitment("karim", "alors je demande avant de conseiller", witness=self.people["claire"])
        self.learning("karim", "Poser une question de plus change la demande.")
        self.learning("claire", "Je peux décevoir sans perdre la relation.")
        return self


def session_of(who: str) -> str:
    """The key of a session in which this character is signed in."""
    account, store = user(who), SessionStore()
    store[SESSION_KEY] = str(account.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[PROVED] = time()
    store[HASH_SESSION_KEY] = account.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def main() -> None:
    """For a server's database: furnishes it, prints the sessions as JSON."""
    town = Town().furnish()
    told = {who: session_of(who) for who in (*town.people, "operator")}
    ids = {"circle": town.circle.pk, "situation": Situation.objects.get().pk, "meeting": town.meetings[1].pk}
    print(json.dumps({"sessions": told, "ids": ids}))
