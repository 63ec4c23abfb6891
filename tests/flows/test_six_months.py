"""A circle of six months by plain forms: formed, invited, met four times, followed up, ended, and its words gone.

Rose organises and never enters a room; Fanny facilitates; eight peers of three sites; Octave takes Marc's place after
the first meeting. Every act is a form of a page, posted as a browser without script posts it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from cordee.accounts.actions import account_of, welcome
from cordee.accounts.models import Person as Somebody
from cordee.accounts.models import Space
from cordee.circles.models import Attendance, Circle, Meeting, Reply, Turn
from cordee.followup.models import Commitment, Learning
from cordee.mail.models import Letter
from cordee.room import store
from cordee.room.models import Session
from tests.flows.test_round_by_forms import Person, card
from tests.people import address, signed_in, user
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.rooms import ORIGIN

pytestmark = pytest.mark.django_db(transaction=True)
PEERS = ("claire", "karim", "helene", "thomas", "nadia", "julien", "aicha", "marc")
LIST = "Nom;Adresse e-mail;Organisation;Site;Branche d’activité;Équipe;Niveau;Responsable\n" + "".join(
    f"{name};{address(who)};Val de Loire;{site};{branch};{team};;{manager}\n"
    for who, name, site, branch, team, manager in (
        ("rose", "Rose", "Tours", "Ressources humaines", "RH", ""),
        ("fanny", "Fanny", "Nantes", "Formation", "Formation", ""),
        ("claire", "Claire", "Tours", "Exploitation", "Centre", ""),
        ("karim", "Karim", "Nantes", "Maintenance", "Ouest", ""),
        ("helene", "Hélène", "Angers", "Études", "Études", ""),
        ("thomas", "Thomas", "Tours", "Logistique", "Quai", ""),
        ("nadia", "Nadia", "Angers", "Qualité", "Qualité", ""),
        ("julien", "Julien", "Nantes", "Informatique", "Applications", ""),
        ("aicha", "Aïcha", "Tours", "Clientèle", "Accueil", ""),
        ("marc", "Marc", "Angers", "Maintenance", "Est", "karim@example.org"),
        ("octave", "Octave", "Nantes", "Achats", "Achats", ""),
    )
)
SECRET = "zqsecretzq"  # is in everything that is said in a room, and must be nowhere else


class Fields(HTMLParser):
    """What a browser would post of the first form that has this button: names and values, choices as they stand."""

    def __init__(self, page: str, button: str) -> None:
        super().__init__()
        self.button, self.found, self.here = button, None, None
        self.area = self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes) -> None:
        own = dict(attributes)
        name, value = own.get("name") or "", own.get("value") or ""
        if tag == "form":
            self.here = {} if own.get("method") == "post" else None
        if self.here is None or "disabled" in own:
            return
        kind = own.get("type", "text")
        if tag == "button" and value == self.button and self.found is None:
            self.found = self.here | {name: value}
        elif tag == "input" and name and (kind not in {"radio", "checkbox"} or "checked" in own):
            self.here[name] = value
        elif tag == "textarea":
            self.area, self.here[name] = name, ""
        elif tag == "select":
            self.select = name
        elif tag == "option" and ("selected" in own or self.select not in self.here):
            self.here[self.select] = value
        if self.found is not None and self.here is not None:
            self.found |= {k: v for k, v in self.here.items() if k not in self.found}

    def handle_data(self, data: str) -> None:
        if self.area and self.here is not None:
            self.here[self.area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        self.area = "" if tag == "textarea" else self.area
        self.here = None if tag == "form" else self.here


def page(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, (url, answer.status_code)
    return answer.content.decode()


def post(client: Client, url: str, status: int = 302, **fields: object) -> str:
    """The address one is sent to, or the page."""
    answer = client.post(url, fields)
    said = re.findall(r'class="(?:refusal|errorlist)"[^>]*>(.*?)<', answer.content.decode(), re.DOTALL)
    assert answer.status_code == status, (url, answer.status_code, said)
    return answer["Location"] if status == 302 else answer.content.decode()


def send(client: Client, url: str, button: str, status: int = 302, **typed: object) -> str:
    """The form of this page that has this button, filled in further, and posted back to the page."""
    fields = Fields(page(client, url), button).found
    assert fields is not None, f"{url} has no button {button}"
    assert set(typed) <= set(fields) | {"sure"}, f"{set(typed) - set(fields)} is no field of {url}"
    return post(client, url, status, **fields | typed)


# ---------------------------------------------------------------- the organiser's part


def form_a_space() -> Space:
    """The operator makes the space; Rose, whom they name, gives it its people by a list."""
    operator = user("operator", is_operator=True)
    post(signed_in("operator"), "/espaces/nouveau/", name="Val de Loire", organiser="Rose", address=address("rose"))
    space = Space.objects.get()
    assert operator.is_operator and page(signed_in("operator"), f"/espaces/{space.pk}/personnes/", 404)
    welcome(account_of(address("rose")))
    rose = signed_in("rose")
    url = f"/espaces/{space.pk}/personnes/liste/"
    faulty = SimpleUploadedFile("p.csv", LIST.replace("karim@example.org\n", "nobody@example.org\n").encode())
    assert "nobody@example.org" in post(rose, url, 400, file=faulty)
    assert Somebody.objects.filter(space=space).count() == 1  # nothing half-done
    post(rose, url, 200, file=SimpleUploadedFile("p.csv", LIST.encode("cp1252")))
    post(rose, url, confirm="1")
    assert Somebody.objects.filter(space=space).count() == len(PEERS) + 3
    return space


def people_sign_in() -> None:
    """Karim with the code that a letter brings him; the others as after such a code."""
    karim = Client(HTTP_ORIGIN="http://testserver")
    post(karim, "/compte/connexion/", address=address("karim"))
    letter = Letter.objects.filter(to=address("karim")).latest("pk")
    code = re.search(r"\b([A-Z0-9]{3,4}[- ]?[A-Z0-9]{3,4})\b", letter.text)
    assert code, letter.text
    post(karim, "/compte/connexion/code/", code=code[1])
    assert "Karim" in page(karim, "/accueil/")
    for who in (*PEERS, "fanny", "octave"):
        welcome(account_of(address(who)))


def form_a_circle(space: Space) -> Circle:
    rose = signed_in("rose")
    url = f"/espaces/{space.pk}/cercles/nouveau/"
    there = post(
        rose, url, name="Les éclaireurs", purpose="S’aider entre sites.", protocol="mentor", place="Salle des cartes",
        video_link="", quorum=4, time_zone="Europe/Paris", facilitators="Fanny",
        erase_on=(timezone.localdate() + timedelta(days=300)).isoformat(),
    )  # fmt: skip
    circle = Circle.objects.get(space=space)
    assert there == f"/cercles/{circle.pk}/membres/"
    for who in PEERS:
        post(rose, there, do="add", person=Somebody.objects.get(email=address(who)).pk)
    warned = unescape(page(rose, there))
    assert "Karim" in warned and "Marc" in warned  # one is the other's manager: said, not forbidden
    assert circle.memberships.filter(left_at=None).count() == len(PEERS) + 1
    return circle


def sign_the_charter(circle: Circle, *who: str) -> None:
    for each in who:
        version = circle.charters.latest("version").version
        post(signed_in(each), f"/cercles/{circle.pk}/charte/signer/", version=version)


def plan_four(circle: Circle) -> list[Meeting]:
    fanny = signed_in("fanny")
    url = f"/cercles/{circle.pk}/seances/planifier/"
    first = (timezone.localdate() + timedelta(days=10)).isoformat()
    cycle = {"rhythm": "weeks", "first": first, "every": 5, "count": 4, "at": "09:00", "lasts": 210, "rounds": 2}
    preview = fanny.post(url, cycle)
    assert preview.status_code == 200, preview.content.decode()[:3000]
    assert not circle.meetings.exists()  # nothing is planned before it is confirmed
    fields = Fields(preview.content.decode(), "confirm").found
    assert fields
    post(fanny, url, **fields)
    return list(circle.meetings.order_by("number"))


# ---------------------------------------------------------------- meetings


def come(meeting: Meeting, who: str) -> Person:
    person = Person(who)
    person.client = Client(**ORIGIN)
    person.client.force_login(user(who))
    answer = person.client.post(f"/seances/{meeting.pk}/salle/")
    assert answer.status_code == 302, answer.content.decode()[:800]
    person.address = answer["Location"]
    return person


def gather(meeting: Meeting, *who: str) -> dict[str, Person]:
    return {each: come(meeting, each) for each in (*who, "fanny")}


def one_round(
    people: dict[str, Person], client: str, title: str, move: str = "next", learnt: Mapping[str, str] = {}
) -> None:
    """From the situations, or from the story in a later round, to what each has learnt (``learnt``: by name)."""
    fanny, others = people["fanny"], [p for who, p in people.items() if who not in {"fanny", client}]
    mine = people[client]
    if title not in unescape(mine.page):
        mine.write("situation", title=title, text=f"{SECRET} en mars.")
    fanny.press("choose", situation=card(fanny.page, title))
    fanny.press(move)
    for _ in range(2):  # the story, the questions
        fanny.press("next")
    mine.write("request", text=f"Je voudrais que vous m’aidiez à préparer {SECRET}.")
    for person in others:
        person.press("mark", mark="acknowledged")
    mine.press("mark", mark="validated")
    for _ in range(2):
        fanny.press("next")
    for person in others:
        person.write("suggestion", text=f"Une piste {SECRET}.")
    fanny.press("reveal")
    fanny.press("next")
    day = (timezone.localdate() + timedelta(days=7)).isoformat()
    mine.write("commitment", **{"if": "Lundi", "then": f"je vois {SECRET}", "date": day, "witness": ""})
    mine.press("reveal")
    fanny.press("next")
    for person in (mine, *others):
        said = f"Appris {SECRET} par {person.name} sur : {title}"
        person.write("learning", text=learnt.get(person.name, said))
    fanny.press("reveal")
    fanny.press("next")


# ---------------------------------------------------------------- the whole


def test_a_circle_of_six_months() -> None:
    space = form_a_space()
    people_sign_in()
    circle = form_a_circle(space)
    invited = Letter.objects.filter(kind="circle_invitation").values_list("to", flat=True)
    assert {address(who) for who in (*PEERS, "fanny")} <= set(invited)

    # The charter comes before any room.
    first, second, third, fourth = plan_four(circle)
    answer = signed_in("karim").post(f"/seances/{first.pk}/salle/")
    assert answer.status_code == 302 and answer["Location"] == f"/cercles/{circle.pk}/charte/"
    sign_the_charter(circle, *PEERS, "fanny")

    # Each says whether they come; an absence has a reason that nobody else reads.
    for who in PEERS[:6]:
        post(signed_in(who), f"/seances/{first.pk}/reponse/", answer="coming")
    post(signed_in("marc"), f"/seances/{first.pk}/reponse/", answer="absent", reason=f"{SECRET} à la maison")
    assert SECRET in page(signed_in("marc"), f"/seances/{first.pk}/")
    for who in ("fanny", "rose", "claire"):
        assert SECRET not in page(signed_in(who), f"/seances/{first.pk}/")
    assert Reply.objects.filter(meeting=first).count() == 7

    # Claire prepares her situation; nobody reads it before the room.
    there = post(signed_in("claire"), f"/cercles/{circle.pk}/situations/nouvelle/")
    send(signed_in("claire"), there, "bring", title="Comment annoncer la réorganisation ?", text=f"{SECRET} en mars.")
    for who in ("fanny", "rose", "karim", "operator"):
        assert signed_in(who).get(there).status_code == 404

    # The first meeting: two rounds, then the close.
    room = gather(first, *PEERS[:7])
    assert room["fanny"].can("next") and not room["claire"].can("next")
    room["karim"].write("situation", title="Comment passer la main sur l’astreinte ?", text=f"{SECRET} la nuit.")
    one_round(room, "claire", "Comment annoncer la réorganisation ?")
    one_round(room, "karim", "Comment passer la main sur l’astreinte ?", move="next_round")
    room["fanny"].press("close")
    assert [turn.person.name for turn in Turn.objects.order_by("round")] == ["Claire", "Karim"]
    assert Attendance.objects.filter(meeting=first).count() == 8
    assert Commitment.objects.count() == 2 and Learning.objects.count() == 14

    # Between meetings: Karim says where he stands; Marc leaves his place to Octave, who signs before he enters.
    promised = Commitment.objects.get(person__name="Karim")
    assert promised.state == "promised"
    said = {"state": "kept", "gave": f"Une astreinte à trois {SECRET}.", "learnt": "", "remind_on": ""}
    post(signed_in("karim"), f"/engagements/{promised.pk}/ou-j-en-suis/", **said)
    promised.refresh_from_db()
    assert promised.state == "kept"
    marc = circle.memberships.get(person__name="Marc")
    octave = Somebody.objects.get(email=address("octave"))
    post(signed_in("rose"), f"/cercles/{circle.pk}/membres/{marc.pk}/", do="replace", person=octave.pk)
    assert signed_in("marc").get(f"/seances/{second.pk}/").status_code == 404
    assert signed_in("octave").post(f"/seances/{second.pk}/salle/")["Location"] == f"/cercles/{circle.pk}/charte/"
    sign_the_charter(circle, "octave")

    # The second opens on what was promised; a changed charter is signed again.
    room = gather(second, "claire", "karim", "helene", "octave", "nadia")
    assert "Reprise" in room["octave"].page and SECRET in room["octave"].page
    room["fanny"].press("next")
    one_round(room, "helene", "Comment rendre les décisions ?")
    room["fanny"].press("close")
    date = circle.charters.latest("version").erase_on.isoformat()
    changed = {"text": "Ce qui se dit ici reste ici, par écrit aussi.", "scope": "Chaque membre, sur tout."}
    post(signed_in("fanny"), f"/cercles/{circle.pk}/charte/modifier/", erase_on=date, **changed)
    assert signed_in("claire").post(f"/seances/{third.pk}/salle/")["Location"] == f"/cercles/{circle.pk}/charte/"
    sign_the_charter(circle, *PEERS[:7], "octave", "fanny")

    # The third is moved: calendars follow, replies are asked again.
    before = third.sequence
    day = (timezone.localdate() + timedelta(days=100)).isoformat()
    then = {"day": day, "start": "14:00", "end": "17:00", "place": "", "video_link": "", "rounds": 2, "sure": day}
    post(signed_in("fanny"), f"/seances/{third.pk}/changer/", **then)
    third.refresh_from_db()
    assert third.sequence == before + 1
    assert Letter.objects.filter(kind="meeting_changed", calendar__contains=f"SEQUENCE:{third.sequence}").exists()
    for meeting, client, title in (
        (third, "thomas", "Comment dire non ?"),
        (fourth, "octave", "Comment acheter moins ?"),
    ):
        room = gather(meeting, "claire", "thomas", "octave", "aicha", "julien")
        if "Reprise" in room["fanny"].page:
            room["fanny"].press("next")
        one_round(room, client, title)
        room["fanny"].press("close")
    assert sorted(turn.person.name for turn in Turn.objects.all()) == ["Claire", "Hélène", "Karim", "Octave", "Thomas"]
    home = page(signed_in("octave"), "/accueil/")
    assert SECRET in home  # what he promised and what they learnt is his to read

    # The end: read-only, then the charter's date.
    post(signed_in("fanny"), f"/cercles/{circle.pk}/clore/")
    assert (
        signed_in("rose").post(f"/cercles/{circle.pk}/membres/", {"do": "add", "person": octave.pk}).status_code == 409
    )
    nowhere_else(circle)
    Circle.objects.update(erase_on=timezone.localdate() - timedelta(days=1))
    call_command("tick", stdout=StringIO())
    circle.refresh_from_db()
    assert circle.wrapped_key is None
    store.forget()
    for who in ("claire", "octave", "fanny"):
        assert SECRET not in page(signed_in(who), "/accueil/")
        assert SECRET not in page(signed_in(who), "/apprentissages/")
    assert Turn.objects.count() == 5 and Attendance.objects.count() == 8 + 6 * 3  # what is counted stays


def nowhere_else(circle: Circle) -> None:
    """Of all that was said, the organiser and the operator see nothing, and no letter carries a word."""
    assert Session.objects.filter(circle=circle).count() == 4
    for letter in Letter.objects.all():
        assert SECRET not in letter.subject + letter.text + letter.html + letter.calendar, letter.kind
    for who in ("rose", "operator"):
        for url in everywhere(circle):
            assert SECRET not in signed_in(who).get(url).content.decode(), (who, url)
    assert SECRET in page(signed_in("claire"), "/apprentissages/")  # the search would find it


def everywhere(circle: Circle) -> Iterator[str]:
    yield from ("/accueil/", "/cercles/", "/engagements/", "/apprentissages/", "/compte/mes-donnees/", "/agenda/")
    yield from (f"/cercles/{circle.pk}/{part}" for part in ("", "membres/", "charte/", "seances/", "situations/"))
    yield from (f"/seances/{meeting.pk}/{part}" for meeting in circle.meetings.all() for part in ("", "salle/"))
    yield from (f"/salle/{room}/" for room in circle.sessions.values_list("pk", flat=True))
    yield from (f"/engagements/{one.pk}/" for one in circle.commitments.all())
    yield from (f"/espaces/{circle.space_id}/{part}" for part in ("", "personnes/", "cercles/", "cercles/en-nombres/"))
    yield f"/tableau/{circle.space_id}/"
