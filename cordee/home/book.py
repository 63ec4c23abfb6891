"""One's own book of a circle: what one brought and took from it, word for word, to keep when the circle's words go.

One outline, drawn as a PDF and as Markdown by :mod:`cordee.room.documents`. It holds what the person's own seats take
home (the leads they received, their sorting, their notes), what they promised and learnt, and what they prepared.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from cordee.accounts.models import Person, User
from cordee.circles.actions import situations
from cordee.circles.models import Circle, Meeting, Situation
from cordee.followup.models import Commitment, Learning, times_helped
from cordee.followup.queries import successes
from cordee.followup.queries.commitments import Promise, read
from cordee.followup.queries.learnings import Learnt, by_theme, read_learnings
from cordee.followup.queries.reading import persons
from cordee.home.phrases import LABELS
from cordee.room import belongings
from cordee.room.documents import Outline, OutlineEntry, OutlineRound, OutlineSection, clean, flat

STATES = sorted(Commitment.STATES, key=lambda state: state[0] != Commitment.KEPT)  # what was kept first


def books_of(user: User) -> QuerySet[Circle]:
    """The circles, left or not, of which they can still take a book."""
    been = Circle.objects.filter(memberships__person__in=persons(user), memberships__joined_at__isnull=False)
    return been.filter(wrapped_key__isnull=False, space__isnull=False).distinct().order_by("name", "pk")


def book(circle: Circle, person: Person) -> Outline:
    """This person's, in the reader's language. Raises :class:`crypto.Unreadable` where no word can be opened now."""
    circle.key()
    kept = [_promises(circle, person), _successes(circle, person), _thanks(circle, person), _learnings(circle, person)]
    chapters = [*kept, *_meetings(circle, person), _situations(circle, person)]
    written = [chapter for chapter in chapters if chapter["sections"]]
    return {
        "id": "book",
        "lang": (get_language() or "fr").split("-")[0],
        "title": _("Mon carnet"),
        "subtitle": f"{flat(circle.name)} · {flat(person.name)}",
        "audience": _("Pour vous seul·e : ce carnet contient votre tri et vos notes, que personne d’autre ne voit."),
        "notices": [
            *([] if written else [_("Rien n’a encore été gardé ici de ce cercle.")]),
            _("Fait le {day}. Sur le serveur, les mots du cercle deviennent illisibles le {erased}.").format(
                day=date_format(timezone.localdate(), "DATE_FORMAT"),
                erased=date_format(circle.erase_on, "DATE_FORMAT"),
            ),
        ],
        "rounds": written,
    }


# ---------------------------------------------------------------- its chapters


def _promises(circle: Circle, person: Person) -> OutlineRound:
    mine = Commitment.objects.filter(circle=circle, person=person, sealed__isnull=False).select_related("circle")
    promises = read(mine.order_by("made_at", "pk"))
    piles = {str(label).capitalize(): [p for p in promises if p.commitment.state == state] for state, label in STATES}
    sections = [_section(label, [_promise(promise) for promise in pile]) for label, pile in piles.items()]
    return _chapter(_("Mes engagements et ce qu’ils ont donné"), sections)


def _promise(promise: Promise) -> OutlineEntry:
    words, outcome, due = promise.words, promise.outcome, promise.commitment.due_on
    day, witness = date_format(due, "DATE_FORMAT") if due else "", words.get("witness", "")
    about = [_("pour le {day}").format(day=day) if day else ""]
    about += [_("témoin : {name}").format(name=witness) if witness else ""]
    told = [("", f"{words.get('if', '')}\n{words.get('then', '')}"), *_named(outcome, ("gave", "learnt"))]
    return _entry(told, about)


def _successes(circle: Circle, person: Person) -> OutlineRound:
    told = successes.read(successes.of_circle(circle).filter(commitment__person=person).order_by("told_at", "pk"))
    return _chapter(_("Mes réussites"), [_section(_day_of(each), [_success(each)]) for each in told])


def _success(told: successes.Told) -> OutlineEntry:
    thanked, word = told.success.thanked, told.words.get("word", "")
    thanks = _("Merci à {name}").format(name=thanked.name) if thanked else ""
    lines = [("", told.words.get(name, "")) for name in ("situation", "did", "gave")]
    return _entry(lines, [" : ".join(filter(None, (thanks, word)))] if thanked else [])


def _thanks(circle: Circle, person: Person) -> OutlineRound:
    """What others thanked them for, while they were in the circle to read it."""
    left = circle.memberships.filter(person=person).values_list("left_at", flat=True).first()
    found = successes.of_circle(circle).filter(thanked=person)
    found = found.filter(thanked_at__lte=left) if left else found
    told = successes.read(found.order_by("thanked_at", "pk"))
    return _chapter(_("On m’a remercié·e"), [_section(_day_of(each), [_thanked(each)]) for each in told])


def _thanked(told: successes.Told) -> OutlineEntry:
    lines = [("", told.words.get(name, "")) for name in ("word", "situation", "did", "gave")]
    return _entry(lines, [told.success.commitment.person.name])


def _day_of(told: successes.Told) -> str:
    return str(date_format(timezone.localtime(told.success.told_at), "DATE_FORMAT"))


def _learnings(circle: Circle, person: Person) -> OutlineRound:
    """Those they keep for themselves too."""
    mine = Learning.everything.filter(circle=circle, person=person, sealed__isnull=False).select_related("circle")
    learnt = read_learnings(mine.annotate(helped=times_helped()).order_by("learnt_at", "pk"))
    piles = [(flat(theme) or _("Sans thème"), list(map(_learning, some))) for theme, some in by_theme(learnt).items()]
    return _chapter(_("Mes apprentissages"), [_section(title, pile) for title, pile in piles])


def _learning(learnt: Learnt) -> OutlineEntry:
    again = ngettext("a resservi une fois", "a resservi {times} fois", learnt.helped).format(times=learnt.helped)
    about = [learnt.words.get("value", ""), again if learnt.helped else ""]
    about += [_("gardé pour vous seul·e") if learnt.learning.alone else ""]
    return _entry([("", learnt.words.get("text", ""))], about)


def _meetings(circle: Circle, person: Person) -> Iterable[OutlineRound]:
    """Of each round: as its client all that was given, and what one wrote oneself."""
    for meeting, told in belongings.taken_home(circle, person.pk):
        client = told.get("client", {})
        chapters = {**client, **_merged(told.get("mine", {}), client)}
        for chapter in (chapters[number] for number in sorted(chapters)):
            yield _chapter(f"{_day(meeting)} · {chapter['title']}", chapter["sections"], chapter["situation"])


def _merged(mine: Mapping[int, OutlineRound], client: Mapping[int, OutlineRound]) -> dict[int, OutlineRound]:
    """One's own words of each round, after what one received there; what is in both is said once."""
    found = {}
    for number, chapter in mine.items():
        received = client[number]["sections"] if number in client else []
        known = {section["kind"] for section in received}
        own = [section for section in chapter["sections"] if section["kind"] not in known]
        found[number] = _chapter(chapter["title"], [*received, *own], chapter["situation"])
    return found


def _day(meeting: Meeting) -> str:
    said = _("Séance {number}").format(number=meeting.number)
    return f"{said}, {date_format(timezone.localtime(meeting.starts_at), 'DATE_FORMAT')}" if meeting.starts_at else said


def _situations(circle: Circle, person: Person) -> OutlineRound:
    mine = Situation.objects.filter(circle=circle, person=person, sealed__isnull=False).select_related("circle")
    sections = []
    for each in mine.order_by("created_at", "pk"):
        held = situations.words(each)
        body = held.body if held else {}
        told = [("", body.get("text", "")), *_named(body, ("tried", "expected"))]
        sections.append(_section(flat(body.get("title", "")) or _("Sans titre"), [_entry(told, [])] if body else []))
    return _chapter(_("Mes situations préparées"), sections)


# ---------------------------------------------------------------- how it is laid out


def _named(words: Mapping[str, str], names: Sequence[str]) -> list[tuple[str, str]]:
    return [(str(LABELS[name]), words.get(name, "")) for name in names]


def _chapter(title: str, sections: Iterable[OutlineSection], situation: str = "") -> OutlineRound:
    written = [section for section in sections if section["entries"]]
    return {"title": title, "situation": situation, "sections": written}


def _section(title: str, entries: list[OutlineEntry]) -> OutlineSection:
    return {"kind": "", "title": title, "entries": entries, "notice": ""}


def _entry(lines: Iterable[tuple[str, str]], about: Iterable[str]) -> OutlineEntry:
    told = [(label, clean(text)) for label, text in lines]
    return {
        "lines": [{"label": label, "text": text} for label, text in told if text],
        "meta": " · ".join(filter(None, map(flat, about))),
    }
