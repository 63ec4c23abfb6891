"""People at their browsers: what they press, type and read, and what their console complains of."""

import re
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

from tests.conftest import LONG

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


class Person:
    """Somebody with a page of their own. ``complaints``: errors and refused resources that the page has met."""

    def __init__(self, context: "BrowserContext", name: str, address: str = "") -> None:
        self.name = name
        self.context = context
        self.complaints: list[str] = []
        self.page = self.open(address)

    def open(self, address: str = "") -> Page:
        """One more tab, which becomes theirs."""
        self.page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.name}: {error}"))
        if address:
            self.page.goto(address)
        return self.page

    def _console(self, message: ConsoleMessage) -> None:
        refused = "status of 409" in message.text  # a refusal is an answer, which the browser reports all the same
        if message.type in {"error", "warning"} and not refused:
            self.complaints.append(f"{self.name}: {message.text} ({message.location.get('url', '')})")

    # ---------------------------------------------------------------- coming in

    def join(self, address: str) -> None:
        """Through the invitation link, with a first name only."""
        self.page.goto(address)
        self.page.get_by_label("Votre prénom").fill(self.name)
        self.page.get_by_role("button", name="Entrer").click()
        self.is_live()

    def is_live(self) -> None:
        """Waits until the page's stream is open: from now on it follows by itself."""
        until(self.page, "document.getElementById('stage')?._htmx?.sse?.reader != null")

    # ---------------------------------------------------------------- writing

    def form(self, kind: str) -> Locator:
        return self.page.locator(f"#f-{kind}")

    def box(self, kind: str, name: str = "text") -> Locator:
        return self.page.locator(f"#f-{kind}-{name}")

    def write(self, kind: str, *text: str, **fields: str) -> None:
        """Fills the fields of a form and sends it; returns once the page shows that it was taken."""
        for name, value in {**({"text": text[0]} if text else {}), **fields}.items():
            self.fill(kind, name, value)
        self.send(kind)

    def fill(self, kind: str, name: str, value: str) -> None:
        box = self.box(kind, name)
        if box.count() == 0:  # a choice among pills
            self.form(kind).get_by_label(value, exact=True).check()
        elif box.evaluate("field => field.tagName") == "SELECT":
            box.select_option(label=value)
        else:
            box.fill(value)

    def send(self, kind: str) -> None:
        self.form(kind).locator(".send button").click()

    def card(self, text: str) -> Locator:
        return self.page.locator("article.card", has_text=text)

    def mark(self, text: str, label: str) -> None:
        """Puts a mark on the card that says this."""
        button = self.card(text).get_by_role("button", name=label, exact=True)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")

    def press(self, label: str, within: str = "body") -> None:
        self.page.locator(within).get_by_role("button", name=label, exact=True).click()

    # ---------------------------------------------------------------- leading

    def next(self, title: str) -> None:
        """The facilitator's next step, which everybody's strip then names."""
        self.page.locator("form.step button").click()
        self.at(title)

    def reveal(self, label: str) -> None:
        self.press(label)
        expect(self.page.get_by_role("button", name=label)).to_have_count(0)

    # ---------------------------------------------------------------- reading

    def at(self, title: str) -> None:
        expect(self.page.locator("#strip .where strong")).to_have_text(title)

    def reads(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator("#stage")).to_contain_text(text)

    def does_not_read(self, *texts: str) -> None:
        """Neither on the page, nor folded away in it, nor in a field."""
        whole = self.page.content()
        values = self.page.locator("textarea, input").evaluate_all("fields => fields.map(field => field.value)")
        found = [text for text in texts if text in whole or any(text in value for value in values)]
        assert not found, f"{self.name} can read {found}"

    @property
    def has_floor(self) -> bool:
        return self.page.locator("#ring figcaption .floor", has_text=self.name).count() == 1


def until(page: Page, condition: str, within: float = LONG) -> None:
    """Waits for an expression to hold. Playwright's own wait needs eval, which our pages forbid."""
    deadline = monotonic() + within / 1000
    while not holds(page, condition):
        assert monotonic() < deadline, f"not within {within} ms: {condition}"
        page.wait_for_timeout(30)


def holds(page: Page, condition: str) -> bool:
    """Whether it does now; no, in the instant in which one page gives way to another."""
    try:
        return bool(page.evaluate(condition))
    except Error as error:
        if "context was destroyed" not in error.message:
            raise
        return False


def stop_time(person: Person) -> None:
    """From now on time passes for this browser only when the test says so."""
    person.page.clock.install()
    hold_time(person)


def hold_time(person: Person) -> None:
    """The same, of a clock that the test has already taken over."""
    for ahead in (1, 2, 4, 8):  # seconds; a moment that has passed before it is said is refused
        with suppress(Error):
            return person.page.clock.pause_at(person.page.evaluate("Date.now()") / 1000 + ahead)
    raise AssertionError("its time could not be stopped")


def pass_time(person: Person, seconds: int) -> None:
    """So many seconds for this browser, two by two, in no time. While its page says ``unanswered``, it waits."""
    for _ in range(0, seconds, 2):
        person.page.clock.fast_forward(2_000)
        until(person.page, "!window.unanswered")


def pass_time_until(person: Person, seen: Callable[[], bool], most: int = 600) -> None:
    """Lets the browser's time pass until something is seen, or so many seconds of its clock are over."""
    for _ in range(0, most, 2):
        with suppress(Error):  # its page is just being reloaded
            if seen():
                return
            pass_time(person, 2)
    raise AssertionError(f"not within {most} s of the browser's clock")


def nobody_complains(*people: Person) -> None:
    complaints = [complaint for person in people for complaint in person.complaints]
    assert not complaints, "\n".join(complaints)


def code_of(address: str) -> str:
    found = re.search(r"/s/([\w-]+)/", address)
    assert found, address
    return found.group(1)
