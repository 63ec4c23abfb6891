"""Circles to be looked at in a browser: made on a server's own database, by ``python manage.py shell -c "…main()"``.

Les éclaireurs has everything: warnings, a waiting list, an offered place, who left, two versions of its charter.
"""

import json
from datetime import date, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from cordee.accounts.models import Person, Role, Space
from cordee.circles.actions import charter, circles, members
from cordee.circles.models import Circle, Meeting, Turn
from cordee.circles.queries.circles import charter_in_force
from tests.people import person, space_of, user

PROFILES = {
    "fanny": {"site": "Annecy", "level": "Consultante", "organisation": "Atelier du Lac"},
    "claire": {"site": "Lyon", "branch": "Réseau", "team": "Déploiement Sud", "level": "Chef·fe de projet"},
    "karim": {"site": "Lyon", "branch": "Réseau", "team": "Déploiement Sud", "level": "Responsable d’agence"},
    "nadia": {"site": "Lyon", "branch": "Réseau", "team": "Exploitation", "level": "Cheffe d’équipe"},
    "julien": {"site": "Lyon", "branch": "Réseau", "team": "Achats", "level": "Acheteur"},
    "thomas": {"site": "Grenoble", "branch": "Clientèle"},
    "helene": {"site": "Grenoble", "branch": "Clientèle", "team": "Accueil"},
    "aicha": {"site": "Annecy", "branch": "Siège", "team": "Ressources humaines"},
    "marc": {"site": "Annecy", "branch": "Siège", "team": "Direction"},
}


def main() -> None:
    """Prints ``{"space": id, "circle": id, "ended": id, "sessions": {who: cookie}}``."""
    space = space_of()
    people = {who: person(space, who, **profile) for who, profile in PROFILES.items()}
    rose = person(space, "rose", roles=(Role.ORGANISER,))
    Person.objects.filter(pk=people["claire"].pk).update(manager=people["karim"])
    circle = lively(space, rose, people)
    ended = circles.create(
        space, rose, [people["fanny"]], name="Les passeurs", purpose="Traverser la fusion des deux agences."
    )
    members.add(ended, people["claire"])
    charter.sign(charter_in_force(ended), people["claire"])
    circles.end(ended)
    for number in range(1, 60):
        circles.create(space, rose, [people["aicha"]], name=f"Cercle n° {number:02d}")
    sessions = {who: session(who) for who in ("rose", "fanny", "claire", "helene", "thomas", "aicha")}
    print(json.dumps({"space": space.pk, "circle": circle.pk, "ended": ended.pk, "sessions": sessions}))


def lively(space: Space, rose: Person, people: dict[str, Person]) -> Circle:
    until = date(timezone.localdate().year + 1, 6, 30)
    circle = circles.create(
        space, rose, [people["fanny"]], erase_on=until, name="Les éclaireurs", place="Salle Tournette, Annecy",
        video_link="https://visio.example.org/les-eclaireurs",
        purpose="S’entraider entre responsables de trois sites, une fois par mois, autour de situations vraies.",
    )  # fmt: skip
    for who in ("claire", "karim", "nadia", "julien", "thomas"):
        members.add(circle, people[who])
    for who in ("fanny", "claire", "karim", "thomas"):
        charter.sign(charter_in_force(circle), people[who])
    for who in ("helene", "marc"):
        members.wait(circle, people[who])
    members.leave(circle.memberships.get(person=people["thomas"]))
    start = timezone.now().replace(hour=8, minute=30, second=0, microsecond=0) + timedelta(days=9)
    past = Meeting.objects.create(
        circle=circle, number=1, starts_at=start - timedelta(days=40), ends_at=start - timedelta(days=39), uid="one"
    )
    Meeting.objects.create(circle=circle, number=2, starts_at=start, ends_at=start + timedelta(hours=3), uid="two")
    Turn.objects.create(circle=circle, meeting=past, person=people["claire"], round=1, at=past.starts_at)
    now = charter_in_force(circle)
    text = now.text.replace("Chacun vient de son plein gré", "Chacun vient librement, et prévient s’il ne peut venir")
    charter.propose(circle, text, now.scope, until + timedelta(days=90))
    charter.sign(charter_in_force(circle), people["karim"])
    return circle


def session(who: str) -> str:
    client = Client()
    client.force_login(user(who))
    assert client.session[SESSION_KEY]
    return client.cookies[settings.SESSION_COOKIE_NAME].value
