"""Every address that a row of abilities.toml guards × every character × GET and POST, from a table of its own.

To add an address: a row in TABLE, and in ``World.where`` the part of the address that is new.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from cordee.accounts import rules
from cordee.accounts.models import Person, Role, Space, User
from cordee.circles import urls
from cordee.circles.actions import circles, members, situations
from cordee.circles.models import Circle, Meeting, Situation
from cordee.followup.models import Commitment, Learning
from cordee.mail.models import Letter
from cordee.room import meetings as rooms
from cordee.room.actions import Opened

pytestmark = pytest.mark.django_db

# nobody: not signed in. octave: organises another space. nadia: a person of the space, in no circle. julien: its
# sponsor. rose: its organiser. aicha leads another circle of it. helene waits for a place, thomas had one. claire and
# karim are members, claire wrote the situation. fanny leads. marc: operator of the server, of no space.
WHO = ("nobody", "octave", "nadia", "julien", "rose", "aicha", "helene", "thomas", "claire", "karim", "fanny", "marc")
SIGNED_IN = " ".join(WHO[1:])
PEOPLE = "nadia julien rose aicha helene thomas claire karim fanny"  # of the space
INSIDE = "claire karim fanny"
DOOR = "/door/"  # where who is not signed in is sent


class Row(NamedTuple):
    """Names, separated by spaces, of those who are let in; ``None``: this method is not for anybody."""

    get: str | None
    post: str | None


TABLE: dict[str, Row] = {
    # ---- accounts
    "compte/": Row(SIGNED_IN, SIGNED_IN),
    "compte/entree/": Row(SIGNED_IN, None),
    "compte/deconnexion/": Row(None, SIGNED_IN),
    "compte/confirmer/": Row(SIGNED_IN, SIGNED_IN),
    "compte/appareils/": Row(SIGNED_IN, None),
    "compte/appareils/<int:session>/fermer/": Row(None, SIGNED_IN),
    "compte/appareils/tous/": Row(None, SIGNED_IN),
    "compte/cles/": Row(SIGNED_IN, None),
    "compte/cles/nouvelle/": Row(SIGNED_IN, SIGNED_IN),
    "compte/cles/<int:key>/nom/": Row(None, SIGNED_IN),
    "compte/cles/<int:key>/retirer/": Row(None, SIGNED_IN),
    "espaces/": Row(SIGNED_IN, None),
    "espaces/nouveau/": Row("marc", "marc"),
    "espaces/<int:space>/": Row("rose julien", None),
    "espaces/<int:space>/nom/": Row("rose", "rose"),
    "espaces/<int:space>/valeurs/": Row(PEOPLE, None),
    "espaces/<int:space>/valeurs/changer/": Row("rose", "rose"),
    "espaces/<int:space>/personnes/": Row("rose", None),
    "espaces/<int:space>/personnes/fichier/": Row("rose", None),
    "espaces/<int:space>/personnes/nouvelle/": Row("rose", "rose"),
    "espaces/<int:space>/personnes/liste/": Row("rose", "rose"),
    "espaces/<int:space>/personnes/liste/modele/": Row("rose", None),
    "personnes/<int:person>/": Row("rose karim", "rose karim"),
    "personnes/<int:person>/roles/": Row(None, "rose"),
    "personnes/<int:person>/depart/": Row("rose", "rose"),
    # ---- circles
    "cercles/": Row(SIGNED_IN, None),
    "espaces/<int:space>/cercles/": Row("rose", None),
    "espaces/<int:space>/cercles/nouveau/": Row("rose", "rose"),
    "espaces/<int:space>/cercles/en-nombres/": Row("rose julien", None),
    "cercles/<int:circle>/": Row(f"{INSIDE} rose", None),
    "cercles/<int:circle>/modifier/": Row("fanny rose", "fanny rose"),
    "cercles/<int:circle>/clore/": Row("fanny rose", "fanny rose"),
    "cercles/<int:circle>/quitter/": Row(INSIDE, INSIDE),
    "cercles/<int:circle>/place/": Row("helene", "helene"),
    "cercles/<int:circle>/membres/": Row("rose", "rose"),
    "cercles/<int:circle>/membres/<int:membership>/": Row("rose", "rose"),
    "cercles/<int:circle>/charte/": Row(f"{INSIDE} helene thomas rose", None),
    "cercles/<int:circle>/charte/signer/": Row(None, f"{INSIDE} thomas"),
    "cercles/<int:circle>/charte/modifier/": Row("fanny", "fanny"),
    "cercles/<int:circle>/charte/<int:version>/": Row(f"{INSIDE} helene thomas rose", None),
    "cercles/<int:circle>/donner-recevoir/": Row(INSIDE, None),
    "cercles/<int:circle>/donner-recevoir/cacher/": Row(None, INSIDE),
    "cercles/<int:circle>/donner-recevoir/montrer/": Row(None, "fanny"),
    "cercles/<int:circle>/bilan/": Row(INSIDE, None),
    "cercles/<int:circle>/mon-carnet/": Row(f"{INSIDE} thomas", None),
    "cercles/<int:circle>/mon-carnet/pdf/": Row(f"{INSIDE} thomas", None),
    "cercles/<int:circle>/mon-carnet/markdown/": Row(f"{INSIDE} thomas", None),
    # ---- meetings
    "cercles/<int:circle>/seances/": Row(f"rose {INSIDE}", None),
    "cercles/<int:circle>/seances/planifier/": Row("rose fanny", "rose fanny"),
    "cercles/<int:circle>/seances/disponibilites/": Row("rose fanny", "rose fanny"),
    "seances/<int:meeting>/": Row(f"rose {INSIDE}", None),
    "seances/<int:meeting>/seance.ics": Row(f"rose {INSIDE}", None),
    "seances/<int:meeting>/reponse/": Row(None, INSIDE),
    "seances/<int:meeting>/changer/": Row("rose fanny", "rose fanny"),
    "seances/<int:meeting>/annuler/": Row("rose fanny", "rose fanny"),
    "seances/<int:meeting>/maintenir/": Row(None, "rose fanny"),
    "seances/<int:meeting>/disponibilites/": Row(f"rose {INSIDE}", None),
    "seances/<int:meeting>/disponibilites/reponse/": Row(None, INSIDE),
    "seances/<int:meeting>/disponibilites/relance/": Row(None, "rose fanny"),
    "seances/<int:meeting>/disponibilites/choix/": Row(None, "rose fanny"),
    "agenda/": Row(SIGNED_IN, None),
    "agenda/nouvelle-adresse/": Row(None, SIGNED_IN),
    # ---- situations
    "accueil/": Row(SIGNED_IN, None),
    "compte/mes-donnees/": Row(SIGNED_IN, None),
    "compte/mes-donnees/archive/": Row(None, SIGNED_IN),
    "compte/mes-donnees/effacer/": Row(SIGNED_IN, SIGNED_IN),
    "compte/registre/": Row("marc", None),
    "cercles/<int:circle>/situations/": Row(f"rose {INSIDE}", None),
    "cercles/<int:circle>/situations/nouvelle/": Row(None, "claire karim"),
    "situations/<str:situation>/": Row("claire", "claire"),
    "situations/<str:situation>/brouillon": Row(None, "claire"),
    "situations/<str:situation>/rappel/": Row("claire", "claire"),
    "engagements/": Row(SIGNED_IN, None),
    "engagements/<str:commitment>/": Row(INSIDE, None),
    "engagements/<str:commitment>/ou-j-en-suis/": Row(None, "claire"),
    "engagements/<str:commitment>/reussite/": Row("claire", "claire"),
    "engagements/<str:commitment>/reussite/retirer/": Row(None, "claire"),
    "cercles/<int:circle>/reussites/": Row(INSIDE, None),
    "apprentissages/": Row(SIGNED_IN, SIGNED_IN),
    "apprentissages/pour-moi/<int:circle>/": Row(None, INSIDE),
    "apprentissages/<str:kept>/partager/": Row(None, "claire"),
    "apprentissages/<str:learning>/publier/": Row("claire", "claire"),
    "apprentissages/publies/<int:space>/": Row(PEOPLE, PEOPLE),
    # ---- mail
    "courrier/": Row("marc", None),
    "courrier/<int:letter>/reessayer/": Row(None, "marc"),
    "courrier/preferences/": Row(SIGNED_IN, SIGNED_IN),
    # ---- rooms (karim has a seat in the meeting's)
    "seances/<int:meeting>/salle/": Row(INSIDE, INSIDE),
    "salle/<str:room>/ma-place/": Row("karim", None),
    "tableau/<int:space>/": Row("rose", None),
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLPattern):
            yield before + str(one.pattern), one
        else:
            yield from routes(one, before + str(one.pattern))


GUARDED = {route: pattern.callback.ability for route, pattern in routes() if hasattr(pattern.callback, "ability")}


def test_every_guarded_address_is_in_the_table_and_the_table_has_no_other():
    """An address that no row guards is in the table of tests/security/test_doors.py, or fails there."""
    assert set(GUARDED) == set(TABLE)


def test_no_two_addresses_of_circles_have_one_name():
    """The parts of circles/urls name theirs apart from each other: of two of a name, links lead to the last."""
    names = [one.name for one in urls.urlpatterns]
    assert sorted(set(names)) == sorted(names)


def test_the_table_names_characters_and_no_others():
    assert {name for row in TABLE.values() for names in row for name in (names or "").split()} <= set(WHO)


class World:
    """Two spaces, two circles, a meeting, a situation, and everybody's browser."""

    def __init__(self) -> None:
        self.space, self.elsewhere = Space.objects.create(name="Atelier du Lac"), Space.objects.create(name="Ailleurs")
        self.people = {name: self.person(name) for name in WHO if name not in {"nobody", "marc"}}
        for name, role in (("rose", Role.ORGANISER), ("octave", Role.ORGANISER), ("julien", Role.SPONSOR)):
            Role.objects.create(person=self.people[name], role=role)
        self.circle = self.made("Les éclaireurs", "fanny", "claire", "karim", "thomas")
        self.made("Les passeurs", "aicha")
        members.leave(self.circle.memberships.get(person=self.people["thomas"]))
        members.wait(self.circle, self.people["helene"])
        start = timezone.now() + timedelta(days=7)
        self.meeting = Meeting.objects.create(
            circle=self.circle, number=1, starts_at=start, ends_at=start + timedelta(hours=2), uid="walk"
        )
        opened = rooms.enter(self.meeting, self.people["karim"])
        assert isinstance(opened, Opened)
        self.room = opened.room
        self.situation: Situation = situations.begin(self.circle, self.people["claire"])
        self.commitment = Commitment(
            id="promised", circle=self.circle, person=self.people["claire"], state=Commitment.KEPT
        )
        self.commitment.hold(self.circle.key() or b"", {"if": "Si", "then": "alors"})
        self.commitment.save()
        self.letter = Letter.objects.create(key="dead", kind="prepare", to="karim@example.org", dead_at=timezone.now())
        self.learning = Learning(id="learnt", circle=self.circle, person=self.people["claire"])
        self.learning.hold(self.circle.key() or b"", {"text": "Décevoir"})
        self.learning.save()
        self.kept = Learning.everything.create(id="kept", circle=self.circle, person=self.people["claire"], alone=True)
        self.browsers = {name: self.browser(name) for name in WHO}
        self.cookies = {name: deepcopy(browser.cookies) for name, browser in self.browsers.items()}

    def person(self, name: str) -> Person:
        space = self.elsewhere if name == "octave" else self.space
        user = User.objects.create_user(f"{name}@example.org", name=name.title())
        return Person.objects.create(space=space, name=name.title(), email=user.email, user=user)

    def made(self, name: str, leader: str, *others: str) -> Circle:
        circle = circles.create(self.space, self.people["rose"], [self.people[leader]], name=name)
        for other in others:
            members.add(circle, self.people[other])
        return circle

    def browser(self, name: str) -> Client:
        client = Client(raise_request_exception=False)  # an error is neither a page nor a refusal
        if name == "marc":
            client.force_login(User.objects.create_user("marc@example.org", name="Marc", is_operator=True))
        elif name != "nobody":
            user = self.people[name].user
            assert user is not None
            client.force_login(user)
        return client

    @property
    def where(self) -> dict[str, Any]:
        """What each part of an address names."""
        return {
            "space": self.space.pk,
            "person": self.people["karim"].pk,
            "circle": self.circle.pk,
            "membership": self.circle.memberships.get(person=self.people["karim"]).pk,
            "version": 1,
            "meeting": self.meeting.pk,
            "situation": self.situation.pk,
            "commitment": self.commitment.pk,
            "learning": self.learning.pk,
            "kept": self.kept.pk,
            "session": 1,
            "key": 1,
            "letter": self.letter.pk,
            "room": self.room,
        }

    def path(self, route: str) -> str:
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(self.where[part[1]]), route)

    def wrong(self, route: str, method: str) -> Iterator[str]:
        """What contradicts the table, one sentence a character. Whatever was done is undone."""
        return (said for who in WHO if (said := self._wrong_for(who, route, method)))

    def _wrong_for(self, who: str, route: str, method: str) -> str:
        allowed = getattr(TABLE[route], method.lower())
        browser = self.browsers[who]
        with transaction.atomic():
            answer = getattr(browser, method.lower())(self.path(route), {"person": self.people["nadia"].pk})
            transaction.set_rollback(True)
        browser.cookies = deepcopy(self.cookies[who])  # some requests end a session
        sent_away = answer.status_code == 302 and answer.headers["Location"].startswith(DOOR)
        if who in (allowed or "").split():
            let_in = answer.status_code in {200, 302, 303, 400, 409} and not sent_away
            return "" if let_in else f"{who} should be let in by {method} {route}: {answer.status_code}"
        refused = sent_away if who == "nobody" else answer.status_code == 404
        refused = refused or (allowed is None and answer.status_code == 405)
        return "" if refused else f"{who} should not be let in by {method} {route}: {answer.status_code}"


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """One for all: each of their requests is undone."""
    with django_db_blocker.unblock(), override_settings(LOGIN_URL=DOOR), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.mark.parametrize("route", TABLE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_is_let_in_or_not_as_the_table_says(world, route, method):
    assert list(world.wrong(route, method)) == []


def broken(ability: rules.Ability) -> list[frozenset[str]]:
    """Rows that say something else: nobody, anybody, whoever is signed in, and the row without one of its relations."""
    fewer = [ability.who - {one} for one in ability.who - {"author"}]  # an author is a member too
    others = [frozenset(), frozenset({"anybody"}), frozenset({"signed_in"}), *fewer]
    return [who for who in others if who != ability.who]


@pytest.mark.parametrize("name", sorted(set(GUARDED.values())))
def test_a_broken_row_is_noticed(world, monkeypatch, name):
    """Were this row to say something else, the walk would find it."""
    table = dict(rules.abilities())
    monkeypatch.setattr(rules, "abilities", lambda: table)
    mine = [(method, route) for route, guard in GUARDED.items() if guard == name for method in ("GET", "POST")]
    for who in broken(ability := table[name]):
        table[name] = replace(ability, who=who)
        assert any(said for method, route in mine for said in world.wrong(route, method)), (
            f"{name} = {set(who)} is not noticed"
        )
