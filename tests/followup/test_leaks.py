"""Who reads which word of what is kept: every character × every address × every place where a word could be stored.

Each text has a word of its own; ``READERS`` (tests/followup/world.py) says by hand who may read it. What is looked at
must show every word to those who may read it, so that each promise has something that could leak.
"""

import io
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session as BrowserSession
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from config.logs import Discreet
from cordee.circles.models import Circle
from cordee.engine.recall import terms
from cordee.followup import published
from cordee.followup.models import Learning, Publication
from cordee.home import export
from cordee.mail.models import Letter
from cordee.ops import archive, metrics
from cordee.room import documents
from cordee.room.sweep import Sweep
from tests import pdf
from tests.followup.world import (
    ALIKE,
    CIRCLE,
    DOORS,
    FAR,
    NEAR,
    READERS,
    SEALED,
    SPACE,
    TYPED,
    WHO,
    World,
    said,
    told,
    word,
)
from tests.people import address, signed_in, user
from tests.room.clean import clean_memory  # noqa: F401
from tests.room.test_sweep import living_words

pytestmark = pytest.mark.django_db


def searches(world: World) -> Iterator[tuple[str, dict[str, object]]]:
    """Everything that can be looked for, but for a text alone, which ``pages`` posts everywhere."""
    for kind in ("mine", "alone", "circles", "published"):
        yield "/apprentissages/", {"text": ALIKE, "kind": kind}
    for circle in world.named["circle"]:
        yield "/apprentissages/", {"text": ALIKE, "circle": circle}
    yield "/apprentissages/", {"theme": "fusion", "value": "fusion"}
    for space in world.named["space"]:
        yield f"/apprentissages/publies/{space}/", {"q": ALIKE}


def browser(who: str) -> Client:
    return signed_in(who) if who != "nobody" else Client(HTTP_ORIGIN="http://testserver")


def pages(world: World, who: str, never: set[tuple[str, str]] | None = None) -> Iterator[tuple[str, HttpResponse]]:
    """(address, answer) of all of follow-up, asked for and posted to, and of the doors to it.

    ``never``: what is neither asked for nor posted to (405) whoever comes; somebody has asked, and nobody asks again.
    """
    client, never = browser(who), set() if never is None else never
    everywhere = world.paths("cordee.followup")
    asked: list[tuple[str, str, dict[str, object]]] = [("GET", path, {}) for path in (*DOORS, *world.doors())]
    asked += [("GET", path, {}) for path in everywhere]
    asked += [("POST", path, {"do": "preview", "text": ALIKE, "next": "/"}) for path in everywhere]
    asked += [("POST", path, wish) for path, wish in searches(world)]
    for way, path, wish in asked:
        if (way, path) not in never:
            answer = client.post(path, wish) if way == "POST" else client.get(path)
            if answer.status_code == 405:
                never.add((way, path))
            yield f"{way} {path} {wish or ''}", answer


def read(answer: HttpResponse) -> str:
    printed = answer.headers["Content-Type"] == "application/pdf"
    return pdf.words(answer.content) if printed else answer.content.decode()


def beside(answer: HttpResponse) -> str:
    """What of an answer a browser's history, a proxy or a list of downloads keeps: its headers and its title."""
    title = re.search("<title>(.*?)</title>", read(answer), re.DOTALL)
    return f"{answer.headers}{title[0] if title else ''}"


def may_be_kept(answer: HttpResponse) -> bool:
    """Whether a browser or a proxy may keep what it shows."""
    how = answer.headers.get("Cache-Control", "")
    return answer.status_code == 200 and not ("no-store" in how and "private" in how)


@pytest.fixture
def world(settings, tmp_path, django_capture_on_commit_callbacks) -> World:
    settings.VAR_DIR, settings.VECTORS = tmp_path, False
    with django_capture_on_commit_callbacks(execute=True):
        return World()


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("some", [CIRCLE, NEAR, FAR])
def test_each_reads_on_all_pages_together_what_the_table_says_and_nothing_else(world, caplog, some):
    """And no word is where a browser or a proxy would keep it."""
    caplog.set_level(logging.INFO)
    wrong, never = [], set[tuple[str, str]]()
    for who in some.split():
        seen: dict[str, str] = {}
        for where, answer in pages(world, who, never):
            seen |= dict.fromkeys(told(read(answer)) - seen.keys(), where)
            wrong += [f"{name} is beside {where}" for name in told(beside(answer))]
            wrong += [f"{where} may be kept"] if may_be_kept(answer) else []
        allowed = {name for name, readers in READERS.items() if who in readers.split()}
        wrong += [f"{who} reads {name} by {where}" for name, where in seen.items() if name not in allowed]
        wrong += [f"{who} finds {name} nowhere" for name in allowed - seen.keys()]
    assert wrong == []
    assert not told(caplog.text)


def test_who_organises_pays_or_operates_finds_no_word_of_a_circle_at_any_address(world):
    walked = set(world.paths("cordee.followup"))  # above
    asked = [path for path in world.paths("cordee") if "deconnexion" not in path and path not in walked]
    assert len(asked) > 80
    for who in ("rose", "marc", "operator"):
        client = browser(who)
        found = {path: told(client.get(path).content.decode()) for path in asked}
        assert {path: words for path, words in found.items() if words - {"published"}} == {}


def test_what_one_types_is_answered_to_oneself_and_kept_nowhere(world, caplog):
    caplog.set_level(logging.DEBUG)
    claire = browser("claire")
    asked = {
        "search": ("/apprentissages/", {"text": word("search")}),
        "preview": (f"/apprentissages/{world.learnt.pk}/publier/", {"do": "preview", "text": word("preview")}),
        "gaveupon": (
            f"/engagements/{world.promised.pk}/ou-j-en-suis/",
            {"gave": word("gaveupon"), "remind_on": "demain"},
        ),
    }
    for name in TYPED:
        answer = claire.post(*asked[name])
        assert name in told(answer.content.decode()), "it is answered"
        assert "?" not in answer.request["PATH_INFO"] + answer.request["QUERY_STRING"]
    kept = {"log": caplog.text, "database": raw_database(), "cache": remembered(), "files": files(world)}
    for where, text in kept.items():
        assert not told(text) & set(TYPED), where


# ---------------------------------------------------------------- what is stored


def raw_database() -> str:
    """Every byte that the database holds, in every table, as it is stored; sessions are opened."""
    rows = [str(one.get_decoded()) for one in BrowserSession.objects.all()]
    if connection.vendor == "sqlite":
        return "\n".join((*rows, connection.connection.serialize().decode("latin-1")))
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [_with_bytes(row) for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def _with_bytes(row: str) -> str:
    """A row as PostgreSQL writes it, with its bytes told as characters."""
    return re.sub(r"\\x((?:[0-9a-f]{2})+)", lambda found: bytes.fromhex(found[1]).decode("latin-1"), row)


def remembered() -> str:
    return repr(getattr(cache, "_cache", {}))


def files(world: World) -> str:
    folder = Path(published._folder()).parent
    return "\n".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())


def letters() -> str:
    return repr(list(Letter.objects.values()))


def backup() -> Mapping[str, str]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        archive._fill(zipped)
    with zipfile.ZipFile(file) as zipped:
        return {name: zipped.read(name).decode("latin-1") for name in zipped.namelist()}


def test_no_sealed_word_is_stored_in_clear(world):
    signed_in("claire").get("/apprentissages/")
    stored = raw_database()
    assert told(stored) == {"published", "elsewherepublished"}
    assert Learning.objects.get(pk=world.learnt.pk).words(world.circle.key())["value"] == said("value")


def test_a_cache_a_letter_and_a_metric_hold_none(world):
    call_command("tick", stdout=StringIO())
    list(pages(world, "claire"))
    written = set(Letter.objects.values_list("kind", "to"))
    assert {("commitment_due", address("claire")), ("commitment_due", address("helene"))} <= written
    assert {("witnessed_kept", address("helene")), ("thanks_wait", address("karim"))} <= written
    assert told(letters() + remembered() + metrics.shown()) == set()


def test_a_backup_holds_the_published_words_alone_and_its_index_none(world):
    parts = backup()
    assert told("".join(parts.values())) == {"published", "elsewherepublished"}
    assert told(parts["manifest.json"] + "".join(parts)) == set()


def test_shelves_hold_the_words_of_what_is_published_and_of_nothing_else(world, django_capture_on_commit_callbacks):
    held = files(world)
    for name in ("published", "elsewherepublished"):
        assert stems(name) & set(held.split()), "its words are there"
    others = {name: stems(name) - stems("published") for name in SEALED}
    assert {name for name, own in others.items() if any(stem in held for stem in own)} == set()
    with django_capture_on_commit_callbacks(execute=True):
        published.withdraw(Publication.objects.filter(pk=world.shown.pk))
    assert not [stem for stem in stems("published") - stems("elsewherepublished") if stem in files(world)]
    assert "zqpublished" not in raw_database() or connection.vendor == "sqlite"


def stems(name: str) -> set[str]:
    """What an index of the text would hold of its word; 4-grams too short to be of it alone are left out."""
    return {term for term in terms(word(name)) if len(term) > 6}


# ---------------------------------------------------------------- what one takes home


def test_an_archive_holds_ones_own_words_and_no_others(world):
    for who in (*SPACE.split(), "octave", "operator"):
        with zipfile.ZipFile(io.BytesIO(export.archive(user(who)))) as zipped:
            taken = told("".join(zipped.read(name).decode() for name in zipped.namelist()))
        assert taken == MINE.get(who, set()), who


CLAIRES = {"situationtitle", "situationtext", "learnt", "theme", "value", "if", "then", "witness", "gave", "gavelearnt"}
SUCCESS = {"successsituation", "successdid", "successgave", "thanks"}
MINE = {
    "claire": CLAIRES | SUCCESS | {"keptthen", "alonehers", "published"},
    "karim": {"thanks", "turntitle", "turntext", "alonehis"},  # which were said to him; what he brought
    "helene": {"witnessed"},
    "julien": {"formerlearnt", "formerthen"},
    "aicha": {"othercircle"},
    "octave": {"elsewherelearnt", "elsewherepublished"},
}


def test_a_book_holds_ones_own_words_and_what_was_said_to_oneself_and_nobody_has_anothers(world, monkeypatch):
    monkeypatch.setattr(documents, "printed", documents._compile)  # here: a child is tried in tests/home/test_book.py
    inside = dict.fromkeys(("claire", "karim", "helene", "fanny", "julien"), world.circle)
    inside |= {"aicha": world.other.circle, "octave": world.elsewhere.circle}
    for who in WHO:
        client = browser(who)
        own = MINE.get(who, set()) - {"published", "elsewherepublished"}
        for circle, form in product(Circle.objects.all(), ("markdown", "pdf")):
            answer = client.get(f"/cercles/{circle.pk}/mon-carnet/{form}/")
            his = own | SUCCESS if who == "karim" else own
            assert told(read(answer)) == (his if inside.get(who) == circle else set()), (who, circle.name, form)
            assert not told(beside(answer)) and not may_be_kept(answer), (who, form)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("module", ["commitments", "learnings", "publications"])
def test_a_page_that_breaks_tells_no_word_to_its_reader_nor_to_the_log(world, module, monkeypatch, caplog):
    def broken(_request, _template, page):
        shown = [page.get(name) for name in ("mine", "learnings", "publications", "promise")]
        raise ValueError(repr([getattr(each, "text", each) for part in shown for each in (part or ())]))

    monkeypatch.setattr(f"cordee.followup.views.{module}.render", broken)
    client = browser("claire")
    client.raise_request_exception = False
    path = {"commitments": "/engagements/", "learnings": "/apprentissages/"}.get(module)
    answer = client.get(path or f"/apprentissages/publies/{world.space.pk}/")
    assert answer.status_code == 500 and told(answer.content.decode()) == set()
    discreet = "\n".join(Discreet("{message}", style="{").format(record) for record in caplog.records)
    assert "ValueError" in discreet and told(discreet) == set()
    for record in caplog.records:
        record.exc_text = None
    assert told("\n".join(logging.Formatter().format(record) for record in caplog.records)), "a plain log shows some"


# ---------------------------------------------------------------- once the key is destroyed


def test_once_the_key_is_destroyed_no_object_in_memory_holds_a_word(world):
    sweep = Sweep()
    sweep.settle(*sweep.look())
    list(pages(world, "claire"))
    assert living_words(BACKWARDS)
    world.circle.destroy_key()
    sweep.settle(*sweep.look())
    assert living_words(BACKWARDS) == []


def test_once_the_key_is_destroyed_what_is_published_alone_is_still_read(world):
    world.circle.destroy_key()
    for who in ("claire", "julien"):
        seen = set().union(*(told(read(answer)) for _, answer in pages(world, who)))
        assert seen == {"published"}, who


def test_the_world_has_everything_that_can_be_kept(world):
    """A new table of follow-up has its words here."""
    assert {model.__name__ for model in apps.get_app_config("followup").get_models()} == KEPT


BACKWARDS = "zqtnraelremrofqz"  # this file must not be what is found
KEPT = {"Commitment", "Success", "Learning", "Help", "Publication"}
