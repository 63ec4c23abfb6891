"""Pictures of every step of a room: .venv/bin/python bin/commands/shots.py OUT_DIR [--only=STEP,…]

Plays a round with the demo's characters on a private server, and saves what each of them has before their eyes:
PNGs named step-moment-who-device.png. Pages are full length; the picture of the README is docs/images/salle.png.
"""

import argparse
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from cordee.engine import commands as c  # noqa: E402
from tests.browser.over_http import LiveRoom  # noqa: E402
from tests.characters import ACTS, FRENCH, play  # noqa: E402
from tests.conftest import Template  # noqa: E402

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
WALL = {"viewport": {"width": 1920, "height": 1080}}
SILENT = {"ressentis": "feeling", "suggestions": "suggestion", "ouvertures": "learning"}
EYES = [("claire", "phone", PHONE), ("karim", "phone", PHONE), ("fanny", "phone", PHONE), ("fanny", "desktop", DESKTOP)]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = which("chromium") or which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Photographer:
    """One page for each pair of eyes, kept open from the first step to the last."""

    def __init__(self, browser: Browser, room: LiveRoom, folder: Path) -> None:
        self.room, self.folder = room, folder
        self.pages: dict[str, Page] = {}
        for seat, device, options in [*EYES, ("screen", "wall", WALL)]:
            context = browser.new_context(locale="fr-FR", timezone_id="Europe/Paris", **options)
            page = self.pages[f"{seat}-{device}"] = context.new_page()
            page.goto(room.screen_url if seat == "screen" else room.places[seat])

    def take(self, moment: str, dark: bool = False) -> None:
        version = self.room.state.protocol.step(self.room.step).title
        for name, page in self.pages.items():
            page.locator("#strip .where strong", has_text=version).wait_for()
            page.wait_for_load_state()
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.evaluate("document.fonts.ready")
            page.wait_for_timeout(250)  # the last part of a move may still be on its way
            path = self.folder / f"{moment}{'-dark' * dark}-{name}.png"
            page.screenshot(path=path) if name.startswith("screen") else whole(page, path)


def whole(page: Page, path: Path) -> None:
    """The page in its full length, with the bars that stick to the bottom of the window at its end."""
    window = page.viewport_size or PHONE["viewport"]
    length = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": window["width"], "height": max(length, window["height"])})
    page.screenshot(path=path)
    page.set_viewport_size(window)


def tour(room: LiveRoom, photographer: Photographer, only: set[str]) -> None:
    for number, step in enumerate(ACTS, 1):
        if room.step != step:
            room.next()
        wanted = not only or step in only
        if wanted and step in {"choix", "recit", "traitement"}:
            photographer.take(f"{number}-{step}-0")
        if step in SILENT:
            half = f"{number}-{step}-1-silence" if wanted else ""
            in_silence(room, step, photographer, half)
        else:
            play(room, through=step)
        if wanted:
            photographer.take(f"{number}-{step}-2")
            if step in {"questions", "suggestions"}:
                photographer.take(f"{number}-{step}-2", dark=True)


def in_silence(room: LiveRoom, step: str, photographer: Photographer, half: str) -> None:
    """All write, then it is opened and three speak; ``half`` names the picture taken when half have written."""
    writers = room.members() if step == "ouvertures" else room.consultants()
    for seat in writers:
        if half and seat == writers[4]:
            photographer.take(half)
        room.write(seat, SILENT[step], FRENCH.body(room, seat, SILENT[step]))
    room.reveal()
    for _ in writers[:3]:
        room.pass_floor()


def quiet_pages(browser: Browser, room: LiveRoom, folder: Path) -> None:
    """The pages around a room, on a phone."""
    context = browser.new_context(locale="fr-FR", **PHONE)
    page = context.new_page()
    pages = {"home": "/", "new": "/salles/nouvelle/", "code": "/rejoindre/", "lost": "/place/inconnue/"}
    for name, path in {**pages, "catalogue": "/formations/", "missing": "/nulle-part/"}.items():
        page.goto(room.url + path)
        page.screenshot(path=folder / f"page-{name}.png", full_page=True)
    page.goto(room.join_url)
    page.screenshot(path=folder / "page-join.png", full_page=True)
    page.goto(room.places["claire"])
    page.goto(f"{room.url}/salle/{room.id}/bilan/")
    page.screenshot(path=folder / "page-record.png", full_page=True)


def sheets(browser: Browser, room: LiveRoom, folder: Path) -> None:
    """What unfolds on the facilitator's phone."""
    page = browser.new_context(locale="fr-FR", **PHONE).new_page()
    page.goto(room.places["fanny"])
    for name, button in {"hand": ".key.more", "invite": "[popovertarget=invite]", "mine": ".chip.me"}.items():
        page.locator(button).first.click()
        page.screenshot(path=folder / f"sheet-{name}-fanny-phone.png")
        page.keyboard.press("Escape")


def together(browser: Browser, folder: Path, moment: str, to: Path) -> None:
    """The picture of the README: the facilitator's desktop, and a phone before it."""
    images = {
        name: "data:image/png;base64," + b64encode((folder / f"{moment}-{name}.png").read_bytes()).decode()
        for name in ("fanny-desktop", "karim-phone")
    }
    page = browser.new_page(viewport={"width": 960, "height": 570})
    page.set_content(
        "<style>body{margin:0;height:760px;zoom:.75;background:#e9e4da;position:relative;overflow:hidden}"
        "div{position:absolute;overflow:hidden;border:1px solid #0003;box-shadow:0 12px 40px #0003}"
        "img{display:block;width:100%}"
        ".d{left:40px;top:40px;width:1000px;height:680px;border-radius:10px}"
        ".p{right:40px;top:120px;width:300px;height:620px;border-radius:26px;border:6px solid #222}</style>"
        f'<div class=d><img src="{images["fanny-desktop"]}"></div>'
        f'<div class=p><img src="{images["karim-phone"]}"></div>'
    )
    page.screenshot(path=to)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--only", default="", help="steps, separated by commas")
    options.add_argument("--readme", action="store_true", help="make docs/images/salle.png again")
    asked = options.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cordee-shots-")))
        server = stack.enter_context(Template(home, None).server())
        browser = stack.enter_context(chromium())
        room = LiveRoom(server.url)
        tour(room, Photographer(browser, room, asked.folder), set(filter(None, asked.only.split(","))))
        sheets(browser, room, asked.folder)
        room.do(c.Close(seat=room.leader))
        quiet_pages(browser, room, asked.folder)
        if asked.readme:
            together(browser, asked.folder, "3-questions-2", ROOT / "docs" / "images" / "salle.png")
        room.close()


if __name__ == "__main__":
    main()
