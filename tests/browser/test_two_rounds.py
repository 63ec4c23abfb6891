"""Eight people on phones, Fanny on a desktop and a shared screen play MENTOR twice, through what they see and press."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.people import Person, nobody_complains
from tests.characters import SITUATIONS
from tests.conftest import LONG

NAMES = ["Claire", "Karim", "Hélène", "Thomas", "Nadia", "Julien", "Aïcha", "Marc"]
REORGANISATION = SITUATIONS["claire"]["title"]
COLLEAGUE = SITUATIONS["karim"]["title"]
RECALLED = "Dire une limite à un ancien collègue, c’est déjà prendre soin de la relation."


class Group:
    """Everybody in the room. ``watchers``: a few whose pages are read at every step, the shared screen among them."""

    def __init__(self, fanny: Person, screen: Person, members: dict[str, Person]) -> None:
        self.fanny, self.screen, self.members = fanny, screen, members

    def __getitem__(self, name: str) -> Person:
        return self.members[name]

    @property
    def everyone(self) -> list[Person]:
        return [self.fanny, self.screen, *self.members.values()]

    def but(self, *names: str) -> list[Person]:
        return [person for person in self.everyone if person.name not in names]

    def next(self, title: str) -> None:
        self.fanny.next(title)
        for person in self.everyone:
            person.at(title)


@pytest.fixture
def group(own_server, phone, desktop) -> Group:
    fanny = opens_a_room(Person(desktop(), "Fanny"), own_server.url)
    screen = Person(desktop(), "écran", screen_link(fanny))
    screen.is_live()
    invitation = invitation_link(fanny)
    members = {name: Person(phone(), name) for name in NAMES}
    for person in members.values():
        person.join(invitation)
    return Group(fanny, screen, members)


def opens_a_room(fanny: Person, url: str) -> Person:
    fanny.page.goto(url)
    fanny.page.get_by_label("Votre prénom").fill("Fanny")
    fanny.page.get_by_role("button", name="Ouvrir une salle").click()
    fanny.is_live()
    return fanny


def invitation_link(fanny: Person) -> str:
    """The link under the QR code, as Fanny would read it out."""
    fanny.page.get_by_role("button", name="Inviter").click()
    expect(fanny.page.locator("#invite svg.qr")).to_be_visible()
    link = fanny.page.locator("#invite a", has_text="/s/").inner_text()
    fanny.page.locator("#invite .close").click()
    return link


def screen_link(fanny: Person) -> str:
    fanny.page.get_by_role("button", name="Inviter").click()
    link = fanny.page.get_by_role("link", name="Ouvrir l’écran partagé").get_attribute("href")
    fanny.page.locator("#invite .close").click()
    return link or ""


@pytest.mark.timeout(600)  # ten browsers at once, which a busy machine serves in turn
def test_a_circle_plays_mentor_twice_and_the_second_round_uses_what_the_first_taught(group: Group, tmp_path: Path):
    everyone_is_in_the_ring(group)
    situations_are_brought_and_one_is_chosen(group)
    first = Round(group, 1, "Claire", REORGANISATION, "Karim")
    first.is_played()
    renforcement_chooses_the_next(group)

    expect(group.fanny.page.locator("#strip .where")).to_contain_text("consultation 2")
    for person in group.everyone:
        person.at("Récit")
        person.reads(COLLEAGUE)
    recalled = group["Hélène"].page.locator(".recalled article.card", has_text=RECALLED)
    expect(recalled).to_contain_text("En commun")
    expect(group.screen.page.locator(".recalled")).to_contain_text(RECALLED)

    Round(group, 2, "Karim", COLLEAGUE, "Claire").is_played()
    the_meeting_closes(group)
    records_are_taken_home(group, tmp_path)
    nobody_complains(*group.everyone)


def everyone_is_in_the_ring(group: Group) -> None:
    for person in group.everyone:
        for name in ["Fanny", *NAMES]:
            expect(person.page.locator("#ring li", has_text=name)).to_have_count(1)


# ---------------------------------------------------------------- M


def situations_are_brought_and_one_is_chosen(group: Group) -> None:
    group.fanny.at("Matériaux")
    for name in ("Claire", "Karim"):
        brought = SITUATIONS[name.lower()]
        group[name].write("situation", brought["text"], title=brought["title"], nature="un problème")
    for person in group.everyone:
        person.reads(REORGANISATION, COLLEAGUE)

    for name in NAMES[:-1]:
        group[name].card(REORGANISATION).get_by_role("button", name="Je vote").click()
        expect(group[name].card(REORGANISATION).get_by_role("button", name="Votre voix")).to_be_visible()
    expect(group.fanny.card(REORGANISATION)).not_to_contain_text("voix")  # not before all have voted
    group["Marc"].card(COLLEAGUE).get_by_role("button", name="Je vote").click()
    for person in (group.fanny, group["Nadia"], group.screen):
        expect(person.card(REORGANISATION).locator(".votes")).to_have_text("7 voix")
        expect(person.card(COLLEAGUE).locator(".votes")).to_have_text("1 voix")

    group.fanny.page.locator("form.step button").click()  # the gate: nobody is client yet
    expect(group.fanny.page.locator("form.step .said")).to_contain_text("La suite n’ouvre pas")
    group.fanny.card(REORGANISATION).get_by_role("button", name="Choisir").click()
    for person in group.everyone:
        expect(person.card(REORGANISATION).locator(".flag")).to_have_text("Choisie")
    group.next("Récit")


# ---------------------------------------------------------------- E, N, T, O


class Round:
    """One situation taken from the story to the learnings. What is written says in which round and by whom."""

    def __init__(self, group: Group, number: int, client: str, situation: str, reviewer: str) -> None:
        self.group, self.number, self.situation = group, number, situation
        self.client = group[client]
        self.consultants = [person for name, person in group.members.items() if name != client]
        self.first, self.second = self.consultants[:2]
        self.others = group.but(client)

    def said(self, what: str, person: Person) -> str:
        return f"{what} de {person.name}, consultation {self.number}"

    def is_played(self) -> None:
        self.story()
        self.questions()
        self.request()
        self.in_silence("Ressentis", "Ressenti", "feeling", "Ouvrir les ressentis", self.consultants)
        self.in_silence("Pistes", "Piste", "suggestion", "Ouvrir les pistes", self.consultants)
        self.treatment()
        self.learnings()

    def story(self) -> None:
        story = self.said("Récit", self.client)
        self.client.write("story", story)
        for person in self.others:
            person.reads(story)
            expect(person.form("story")).to_have_count(0)
        self.group.next("Questions")

    def questions(self) -> None:
        for person in self.consultants:
            expect(person.page.locator("#ring figcaption .floor")).to_have_text(f"Parole : {person.name}")
            waiting = next(other for other in self.consultants if other is not person)
            expect(waiting.form("question").locator(".send button")).to_be_disabled()
            asked = self.said("Qu’est-ce qui compte ici ? Question", person)
            person.write("question", asked)
            for other in (self.client, waiting, self.group.screen, self.group.fanny):
                other.reads(asked)
            self.client.mark(asked, "Répondu")
            person.press("J’ai parlé, je passe la parole")
        touching = self.said("Question", self.first)
        self.client.mark(touching, "Ça me touche")
        for other in (self.first, self.second, self.group.screen):
            expect(other.card(touching)).to_contain_text("Ça me touche")
            expect(other.card(touching)).to_contain_text("Répondu")
        self.group.next("Demande")

    def request(self) -> None:
        request = f"Je voudrais que vous m’aidiez à préparer la suite, consultation {self.number}"
        self.client.write("request", request)
        for person in self.others:
            person.reads(request)
        self.next_is_refused()
        for person in self.consultants[:-1]:
            person.mark(request, "J’ai compris")
        validate = self.client.card(request).get_by_role("button", name="C’est bien ma demande")
        validate.click()
        refusal = f"Attendez que chacun ait compris la demande : {self.consultants[-1].name}"
        expect(self.client.card(request).locator(".said")).to_contain_text(refusal)
        self.next_is_refused()
        self.consultants[-1].mark(request, "J’ai compris")
        expect(self.client.card(request)).to_contain_text(self.consultants[-1].name)
        self.client.mark(request, "C’est bien ma demande")
        expect(self.group.fanny.page.locator("form.step.shut")).to_have_count(0)
        self.group.next("Ressentis")

    def next_is_refused(self) -> None:
        fanny = self.group.fanny
        fanny.page.locator("form.step button").click()
        expect(fanny.page.locator("form.step .said")).to_contain_text("La suite n’ouvre pas")
        fanny.at("Demande")

    def in_silence(self, title: str, what: str, kind: str, reveal: str, writers: list[Person]) -> None:
        """Everyone writes for themselves, then all is opened, then each in turn."""
        for person in writers:
            person.write(kind, self.said(what, person))
            expect(person.card(self.said(what, person))).to_contain_text("Vous seul·e le voyez")
        with_fanny = title == "Ouvertures"  # she may learn too, and is counted
        counted = f"{len(writers) + (with_fanny and self.number == 1)} / {len(writers) + with_fanny}"
        expect(self.group.screen.page.locator("#ring .count")).to_contain_text(counted)
        for person in self.group.everyone:
            mine = {self.said(what, person)}
            person.does_not_read(*({self.said(what, other) for other in writers} - mine))
        self.group.fanny.reveal(reveal)
        for person in self.group.everyone:
            person.reads(*[self.said(what, other) for other in writers])
        for person in writers:
            expect(person.page.locator("#ring figcaption .floor")).to_have_text(f"Parole : {person.name}")
            person.press("J’ai parlé, je passe la parole")
        expect(self.group.fanny.page.locator("#ring figcaption .floor")).to_have_text(f"Parole : {writers[0].name}")
        if title != "Ouvertures":
            self.group.next({"Ressentis": "Pistes", "Pistes": "Traitement"}[title])

    def treatment(self) -> None:
        client = self.client
        kept = self.said("Piste", self.first)
        for person, sorting in zip(self.consultants, ["Je garde", "J’y réfléchis", "Je laisse"] * 3, strict=False):
            client.mark(self.said("Piste", person), sorting)
        takeaway, promise = (
            self.said("Ce que je retiens", client),
            self.said("je demande une heure, engagement", client),
        )
        client.write("takeaway", takeaway)
        expect(client.card(takeaway)).to_be_visible()
        client.write(
            "commitment", **{"if": "Quand lundi viendra", "then": promise}, date="2026-12-04", witness=self.second.name
        )
        expect(client.card(promise)).to_contain_text(f"Témoin : {self.second.name}")
        for person in self.others:
            person.reads(kept)
            person.does_not_read(takeaway, promise)
        self.nobody_else_sees_the_sorting()
        client.press("Montrer au groupe")
        for person in self.others:
            person.reads(takeaway, promise, "Quand lundi viendra")
        self.nobody_else_sees_the_sorting()
        self.group.next("Ouvertures")

    def nobody_else_sees_the_sorting(self) -> None:
        expect(self.client.page.locator(".m-sorted [aria-pressed=true]")).to_have_count(len(self.consultants))
        for person in self.others:
            person.does_not_read("Je garde", "J’y réfléchis", "Je laisse", "m-sorted")

    def learnings(self) -> None:
        members = list(self.group.members.values())
        if self.number == 1:
            self.group.fanny.write("learning", RECALLED)
            expect(self.group.fanny.card(RECALLED)).to_be_visible()
            for person in self.group.but("Fanny"):
                person.does_not_read(RECALLED)
        self.in_silence("Ouvertures", "Apprentissage", "learning", "Ouvrir les apprentissages", members)
        theme = self.first.card(self.said("Apprentissage", self.second)).locator(".m-theme")
        theme.locator("input[name=value]").fill("Oser demander")
        theme.get_by_role("button", name="OK").click()
        for person in (self.client, self.group.fanny):
            theme = person.card(self.said("Apprentissage", self.second)).locator(".m-theme input[name=value]")
            expect(theme).to_have_value("Oser demander")
        expect(self.group.screen.card(self.said("Apprentissage", self.second))).to_contain_text("Oser demander")
        self.group.next("Renforcement")


# ---------------------------------------------------------------- R


def renforcement_chooses_the_next(group: Group) -> None:
    group.fanny.card(COLLEAGUE).get_by_role("button", name="Choisir").click()
    for person in (group.fanny, group["Karim"], group.screen):
        expect(person.card(COLLEAGUE).locator(".flag")).to_have_text("Choisie")
    helps = group["Hélène"].page.locator(".recalled article.card", has_text=RECALLED)
    helps.get_by_role("button", name="Utile ici").click()
    for person in (group["Hélène"], group["Karim"], group.fanny, group.screen):
        marked = person.page.locator(".recalled article.card", has_text=RECALLED).locator(".m-useful")
        expect(marked).to_contain_text("Utile ici")
    group.fanny.page.locator("form.step button").click()


# ---------------------------------------------------------------- the end


def the_meeting_closes(group: Group) -> None:
    more = group.fanny.page.locator(".key.more")
    if more.is_visible():
        more.click()
    group.fanny.press("Terminer la séance", within="#sheet")
    for person in group.but("écran"):
        person.reads("La séance est terminée")
        expect(person.page.locator("#notice a", has_text="Voir le bilan")).to_be_visible()
    group.screen.reads("La séance est terminée")


def records_are_taken_home(group: Group, folder: Path) -> None:
    claire, marc = group["Claire"], group["Marc"]
    for person in (claire, marc):
        person.page.locator("#notice a", has_text="Voir le bilan").click()
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Ce que vous emportez")
        record = person.page.locator("article.record")
        expect(record).to_contain_text("Je voudrais que vous m’aidiez à préparer la suite, consultation 1")
        expect(record).to_contain_text("Piste de Hélène, consultation 1")
        expect(record).to_contain_text("Apprentissage de Aïcha, consultation 2")
    with claire.page.expect_download(timeout=2 * LONG) as started:
        claire.page.locator(".downloads a", has_text="PDF").first.click()
    started.value.save_as(folder / "bilan.pdf")
    assert (folder / "bilan.pdf").read_bytes().startswith(b"%PDF")
    text = marc.page.locator("article.record").inner_text()
    assert "Je laisse" not in text and "J’y réfléchis" not in text
