"""A whole session by plain forms, without JavaScript: two rounds of MENTOR, from the first name to the record."""

import re

import pytest
from django.test import Client

PEOPLE = ("Claire", "Karim", "Hélène", "Thomas")


class Browser:
    """One person's browser without JavaScript: it reads pages and posts their forms."""

    def __init__(self, path: str, name: str) -> None:
        self.client = Client(HTTP_HOST="testserver", HTTP_ORIGIN="http://testserver")
        self.name, self.sent = name, 0
        answer = self.client.post(path, {"name": name})
        assert answer.status_code == 302, answer.content.decode()
        self.room = answer["Location"]

    def page(self) -> str:
        answer = self.client.get(self.room)
        assert answer.status_code == 200
        return answer.content.decode()

    def post(self, do: str, **fields: str) -> int:
        named = {key.replace("body_", "body."): value for key, value in fields.items()}
        self.answer = self.client.post(f"{self.room}contributions", {"do": do, **named})
        return self.answer.status_code

    def act(self, do: str, **fields: str) -> None:
        assert self.post(do, **fields) == 302, re.findall(r'role="alert">(.*?)<', self.answer.content.decode())

    def write(self, kind: str, text: str = "", **fields: str) -> str:
        self.sent += 1
        id_ = f"{self.name}-{kind}-{self.sent:04d}".replace("é", "e").replace("è", "e")
        self.act("write", kind=kind, id=id_, **({"body_text": text} if text else {}), **fields)
        return id_


@pytest.fixture
def circle(db) -> dict[str, Browser]:
    fanny = Browser("/salles/nouvelle/", "Fanny")
    code = re.search(r"/s/(\w+)/", fanny.page())[1]
    return {"Fanny": fanny, **{name: Browser(f"/s/{code}/", name) for name in PEOPLE}}


def play(circle: dict[str, Browser], client: str, situation: str) -> None:
    """From the story to the learnings, the situation being chosen."""
    fanny, others = circle["Fanny"], [circle[name] for name in PEOPLE if name != client]
    one = circle[client]
    one.write("story", f"Le récit de {client}, en entier.")
    assert f"Le récit de {client}" in others[0].page()
    fanny.act("next")
    for other in others:
        question = other.write("question", f"Qu’est-ce que cela change pour toi, demande {other.name} ?")
        one.act("mark", id=question, mark="answered", on="1")
        other.act("pass_floor")
    fanny.act("next")
    assert fanny.post("next") == 409, "the gate is shut until the request is validated"
    request = one.write("request", f"Je voudrais que vous m’aidiez à trouver les mots, dit {client}.")
    assert one.post("mark", id=request, mark="validated", on="1") == 409
    for other in others:
        other.act("mark", id=request, mark="acknowledged", on="1")
    one.act("mark", id=request, mark="validated", on="1")
    fanny.act("next")
    silent(circle, others, "feeling", "Ce que je ressens")
    fanny.act("next")
    leads = silent(circle, others, "suggestion", "Une piste")
    fanny.act("next")
    for lead, choice in zip(leads, ("keep", "think", "leave"), strict=False):
        one.act("mark", id=lead, mark="sorted", value=choice)
    one.write("takeaway", f"{client} retient une chose.")
    one.write("commitment", body_if="Lundi matin", body_then=f"j’appelle, dit {client}", body_date="2027-01-11")
    assert f"{client} retient une chose" not in others[0].page()
    one.act("reveal")
    assert f"{client} retient une chose" in others[0].page()
    fanny.act("next")
    assert fanny.post("next") == 409, "the learnings are not skipped without a word"
    silent(circle, [one, *others], "learning", f"Du tour de {client}, j’apprends à nommer ce qui pèse")
    fanny.act("next")


def silent(circle: dict[str, Browser], writers: list[Browser], kind: str, text: str) -> list[str]:
    """Everyone writes, nobody reads; the facilitator opens, everybody reads."""
    written = [writer.write(kind, f"{text}, écrit {writer.name}.") for writer in writers]
    for reader in circle.values():
        page = reader.page()
        for writer in writers:
            assert (f"{text}, écrit {writer.name}." in page) == (reader is writer)
    circle["Fanny"].act("reveal")
    for reader in circle.values():
        assert all(f"{text}, écrit {writer.name}." in reader.page() for writer in writers)
    return written


def test_two_rounds_are_played_and_the_second_builds_on_the_first(circle):
    fanny, claire, karim = circle["Fanny"], circle["Claire"], circle["Karim"]
    first = claire.write("situation", body_title="Comment nommer ce qui pèse dans mon équipe ?")
    second = karim.write("situation", body_title="Comment nommer ce qui pèse avec mon associé ?")
    for name in PEOPLE:
        circle[name].write("vote", body_choice=first)
    fanny.act("choose", situation=first)
    fanny.act("next")
    play(circle, "Claire", first)
    fanny.act("choose", situation=second)
    recalled = re.search(r'id="r-([\w-]+)"', karim.page())
    assert recalled, "what was learnt comes up beside the next situation"
    karim.act("mark", id=recalled[1], mark="useful", on="1")
    fanny.act("next_round")
    assert "nommer ce qui pèse" in circle["Thomas"].page()
    play(circle, "Karim", second)
    fanny.act("close")
    assert claire.post("write", kind="note", id="trop-tard-0001", **{"body_text": "Trop tard."}) == 409
    assert "Trop tard." in claire.answer.content.decode(), "what was typed is given back"


def test_each_takes_home_what_is_theirs(circle):
    test_two_rounds_are_played_and_the_second_builds_on_the_first(circle)
    claire, thomas = circle["Claire"], circle["Thomas"]
    mine = claire.client.get(f"{claire.room}bilan/client.md").content.decode()
    assert "Le récit de Claire, en entier" in mine
    assert "Une piste, écrit Thomas" in mine
    assert thomas.client.get(f"{thomas.room}bilan/client.md").status_code == 404
    shared = thomas.client.get(f"{thomas.room}bilan/circle.md").content.decode()
    assert "j’apprends à nommer ce qui pèse" in shared
    pdf = claire.client.get(f"{claire.room}bilan/client.pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")
    assert Client().get(f"{claire.room}bilan/client.pdf").status_code == 404
