"""Three meetings by plain forms: what the first taught and promised serves, is told and is counted in the next two."""

import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from cordee.circles.models import Circle, Meeting
from cordee.followup.models import Commitment, Help, Learning
from cordee.mail.models import Letter
from tests.flows.test_round_by_forms import Person, card
from tests.flows.test_six_months import gather, one_round, page, post, send
from tests.flows.test_two_meetings import WHO
from tests.people import address, signed_in
from tests.room.circles import Lake

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = "Comment annoncer la réorganisation ?", "Comment annoncer un départ ?", "Comment dire non ?"
LEARNT = {
    "claire": "Annoncer tôt ce que je sais apaise l’équipe zqsecretzq",
    "karim": "Demander avant de conseiller zqsecretzq",
    "helene": "Une limite dite calmement tient zqsecretzq",
}
HERS = LEARNT["claire"]
DID = "J’ai vu chacun avant l’annonce"
GAVE = "Trois personnes sur cinq ont parlé"


def around(text: str, words: str, ends: str) -> str:
    """What the page says of the thing that has these words, up to where it ends."""
    assert words in text, words
    return text.split(words, 1)[1].split(ends, 1)[0]


def first_meeting(lake: Lake, meeting: Meeting) -> None:
    """Claire is the client: she promises, and each of the three says what they learnt."""
    room = gather(meeting, *WHO)
    one_round(room, "claire", FIRST, learnt=LEARNT)
    room["fanny"].press("close")
    assert Commitment.objects.get().person == lake.people["claire"] and Learning.objects.count() == 3


def kept_from_a_letter(promised: Commitment) -> None:
    """A letter at the day that Claire chose; one tap without signing in, then the sentence on her page."""
    hers = f"/engagements/{promised.pk}/"
    today = timezone.localdate().isoformat()
    post(signed_in("claire"), f"{hers}ou-j-en-suis/", remind_on=today)
    call_command("tick", stdout=StringIO())
    letter = Letter.objects.get(kind="commitment_due", to=address("claire"))
    assert "zqsecretzq" not in letter.subject + letter.text + letter.html
    tap = re.search(r"http://[^/]+(/engagements/\S+/reponse/kept\S+)", letter.text)
    assert tap, letter.text
    nobody = Client()
    assert "zqsecretzq" not in page(nobody, tap[1])
    assert Commitment.objects.get().state == "promised"  # reading a letter's link says nothing
    assert "C’est noté : tenu." in unescape(post(nobody, tap[1], 200))
    post(signed_in("claire"), f"{hers}ou-j-en-suis/", gave=GAVE, learnt="Le dire tôt apaise")
    assert GAVE in unescape(page(signed_in("karim"), hers))


def told_and_thanked(lake: Lake, promised: Commitment) -> None:
    """Claire makes of it a success in three lines, and thanks Karim for his lead; the circle's wall has it."""
    there = f"/engagements/{promised.pk}/reussite/"
    assert GAVE in unescape(page(signed_in("claire"), there))  # written once is enough
    lines = {"situation": FIRST, "did": DID, "gave": GAVE}
    thanks = {"thanked": lake.people["karim"].pk, "word": "ta piste m’a lancée"}
    wall = post(signed_in("claire"), there, **lines, **thanks)
    assert wall == f"/cercles/{lake.circle.pk}/reussites/"
    seen = unescape(page(signed_in("helene"), wall))
    assert all(text in seen for text in (*lines.values(), "Merci à Karim", "ta piste m’a lancée"))
    assert "Claire vous remercie" in unescape(page(signed_in("karim"), "/accueil/"))
    assert signed_in("rose").get(wall).status_code == 404


def prepared(lake: Lake) -> tuple[str, str]:
    """Karim prepares the second meeting's situation, and reads what already served; (his page, what he marked)."""
    karim = signed_in("karim")
    there = post(karim, f"/cercles/{lake.circle.pk}/situations/nouvelle/")
    send(karim, there, "bring", title=SECOND, text="Mon adjoint part en juin, l’équipe ne le sait pas.")
    recalled = unescape(page(karim, f"{there}rappel/"))
    hers = around(recalled, HERS, "</li>")
    assert "Claire" in hers and "<mark>annoncer</mark>" in hers  # who, and why
    learnt = re.search(r'name="learning" value="([^"]+)"', hers)
    assert learnt
    post(karim, f"{there}rappel/", learning=learnt[1], do="helps")
    assert "Vous avez dit que cela vous aide." in unescape(page(karim, f"{there}rappel/"))
    assert not Help.objects.exclude(learning=learnt[1]).exists()
    return there, learnt[1]


def to_the_request(room: dict[str, Person], client: str) -> None:
    for _ in range(2):
        room["fanny"].press("next")
    room[client].write("request", text="Je voudrais que vous m’aidiez à annoncer ce départ à l’équipe.")
    for who in WHO:
        if who != client:
            room[who].press("mark", mark="acknowledged")
    room[client].press("mark", mark="validated")


def second_meeting(lake: Lake, meeting: Meeting, learnt: str) -> None:
    """It opens on what was kept; what was learnt comes up at the request and in R, and Hélène says that it serves."""
    room = gather(meeting, *WHO)
    fanny, helene = room["fanny"], room["helene"]
    for person in room.values():
        opening = unescape(person.page)
        assert "Reprise" in opening and GAVE in opening and "Tenu" in opening
        fete = around(opening, "Nos réussites depuis la dernière fois", "</section>")
        assert DID in fete and "Karim : ta piste m’a lancée" in fete
    fanny.press("next")
    fanny.press("choose", situation=card(fanny.page, SECOND))
    fanny.press("next")
    assert HERS in unescape(helene.page)  # at the story
    to_the_request(room, "karim")
    hers = around(unescape(helene.page), HERS, "</article>")
    assert "En commun" in hers and "annoncer" in hers  # at the request, and why
    for _ in range(2):
        fanny.press("next")
    fanny.press("reveal")
    fanny.press("next")
    room["karim"].press("reveal")
    fanny.press("next")
    room["karim"].write("learning", text="Prévenir l’équipe avant le couloir")
    fanny.press("reveal")
    fanny.press("next")
    assert "Renforcement" in fanny.page and HERS in unescape(helene.page)
    helene.press("mark", "Utile ici", mark="useful", id=learnt)
    fanny.press("close")


def third_meeting(meeting: Meeting, learnt: str) -> None:
    """Recalled once more, for Hélène's situation: Karim says that it serves here too."""
    room = gather(meeting, *WHO)
    fanny, karim = room["fanny"], room["karim"]
    assert "Reprise" in karim.page and DID not in unescape(karim.page)  # celebrated once
    assert "Fêtée à la séance 2" in unescape(page(signed_in("helene"), f"/cercles/{meeting.circle_id}/reussites/"))
    fanny.press("next")
    room["helene"].write("situation", title=THIRD, text="On m’annonce chaque semaine un travail de plus.")
    fanny.press("choose", situation=card(fanny.page, THIRD))
    fanny.press("next")
    assert "En commun" in around(unescape(karim.page), HERS, "</article>")
    karim.press("mark", "Utile ici", mark="useful", id=learnt)
    form, (_, name, value) = fanny.find("close")
    posted = {name: value, "reason": "Il est tard."} if name else {"reason": "Il est tard."}
    answer = fanny.client.post(fanny.address + form.action, form.fields | posted)
    assert answer.status_code == 302, answer.content.decode()[:800]


def counted(learnt: str) -> None:
    """How often it served and at which meetings, to whom is not said."""
    told = around(unescape(page(signed_in("claire"), "/apprentissages/")), HERS, "</li>")
    assert "A resservi 3 fois : séance 2" in told and "séance 3" in told  # once for a situation that was prepared
    assert "Karim" not in told and "Hélène" not in told
    assert {each.person.name for each in Help.objects.filter(learning=learnt)} == {"Karim", "Hélène"}


def ended(lake: Lake) -> None:
    """The bilan is the circle's, the book is one's own; both go with the words, at the charter's date."""
    circle = lake.circle
    post(signed_in("fanny"), f"/cercles/{circle.pk}/clore/")
    bilan = unescape(page(signed_in("helene"), f"/cercles/{circle.pk}/bilan/"))
    assert all(text in bilan for text in (FIRST, SECOND, THIRD, DID, GAVE, *LEARNT.values()))
    assert "a resservi 3 fois" in around(bilan, HERS, "</li>")
    hers, his = (page(signed_in(who), f"/cercles/{circle.pk}/mon-carnet/markdown/") for who in ("claire", "karim"))
    assert GAVE in hers and DID in hers and HERS in hers and LEARNT["karim"] not in hers
    assert "ta piste m’a lancée" in his and LEARNT["karim"] in his and HERS not in his
    assert signed_in("rose").get(f"/cercles/{circle.pk}/bilan/").status_code == 404
    Circle.objects.update(erase_on=timezone.localdate() - timedelta(days=1))
    call_command("tick", stdout=StringIO())
    for who in (*WHO, "fanny"):
        left = page(signed_in(who), f"/cercles/{circle.pk}/bilan/")
        assert not any(text in unescape(left) for text in (FIRST, DID, GAVE, HERS)), who


def test_what_the_first_meeting_taught_and_promised_serves_in_the_next_two():
    lake = Lake(*WHO)
    first, second, third = (lake.meeting(in_hours) for in_hours in (-3, 24 * 30, 24 * 60))
    first_meeting(lake, first)
    kept_from_a_letter(Commitment.objects.get())
    told_and_thanked(lake, Commitment.objects.get())
    _, learnt = prepared(lake)
    second_meeting(lake, second, learnt)

    third_meeting(third, learnt)
    counted(learnt)
    ended(lake)
