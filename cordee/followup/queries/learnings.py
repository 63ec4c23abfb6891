"""What pages read and look for of what was learnt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from cordee.accounts.models import Space, User, Value
from cordee.circles.models import Circle, Meeting
from cordee.engine.recall import plain
from cordee.followup import published, ranking
from cordee.followup.models import Help, Learning, Publication, times_helped
from cordee.followup.queries.reading import Keys, circles_in, persons
from cordee.followup.shelf import CANDIDATES

Row = TypeVar("Row", Learning, Publication)
LOOKED_AT, FOUND = 1000, 50  # learnings that a search reads, the latest first, and shows at most


@dataclass(frozen=True, slots=True)
class Learnt:
    learning: Learning
    words: dict[str, str]

    @property
    def helped(self) -> int:
        """How often somebody said that it helped again."""
        return getattr(self.learning, "helped", 0)

    @property
    def helped_at(self) -> Sequence[Meeting]:
        """The meetings of its circle at which it helped; elsewhere, and for whose situation, is not said."""
        said: Sequence[Help] = getattr(self.learning, "at_meetings", ())
        meetings = [help_.meeting for help_ in said if help_.meeting]
        return list(dict.fromkeys(meeting for meeting in meetings if meeting.circle_id == self.learning.circle_id))


def learnings_for(user: User) -> QuerySet[Learning]:
    """Theirs, those they keep for themselves too, and those of the circles they are in now, the latest first."""
    seen = Q(person__in=persons(user)) | Q(circle__in=circles_in(user), alone=False)
    found = Learning.everything.filter(seen, sealed__isnull=False, circle__wrapped_key__isnull=False)
    shown = found.select_related("circle", "person", "publication", "meeting").annotate(helped=times_helped())
    at_meetings = Help.objects.filter(meeting__isnull=False).select_related("meeting").order_by("meeting__number")
    return shown.prefetch_related(Prefetch("helps", at_meetings, to_attr="at_meetings")).order_by("-learnt_at", "pk")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for among learnings; an empty one is not asked for. ``kind``: mine, alone, circles, published."""

    text: str = ""
    theme: str = ""
    value: str = ""
    kind: str = ""
    circle: str = ""  # an id
    since: date | None = None  # learnt, or published, on that day or later
    until: date | None = None  # on that day or earlier

    def in_time(self, moment: datetime) -> bool:
        day = timezone.localtime(moment).date()
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


def searched(user: User, wish: Wish) -> Sequence[Learnt]:
    """Of the latest learnings that they may read, those that fit: the most resembling first. In memory only."""
    if wish.kind == "published":
        return []
    seen = learnings_for(user)
    seen = seen.filter(person__in=persons(user)) if wish.kind == "mine" else seen
    seen = seen.filter(alone=True) if wish.kind == "alone" else seen
    seen = seen.exclude(alone=True) if wish.kind == "circles" else seen
    seen = seen.filter(circle=int(wish.circle)) if wish.circle else seen
    seen = _within(seen, "learnt_at", wish)
    fitting = [each for each in read_learnings(seen[:LOOKED_AT]) if _fits(each.words, wish)]
    if not wish.text:
        return fitting[:FOUND]
    known = {learnt.learning.pk: learnt for learnt in fitting}
    texts = {id_: learnt.words.get("text", "") for id_, learnt in known.items()}
    return [known[match.id] for match in ranking.matches(wish.text, texts, FOUND)]


def _within(found: QuerySet[Row], moment: str, wish: Wish) -> QuerySet[Row]:
    found = found.filter(**{f"{moment}__gte": _midnight(wish.since)}) if wish.since else found
    return found.filter(**{f"{moment}__lt": _midnight(wish.until + timedelta(days=1))}) if wish.until else found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def shown(spaces: Iterable[Space], wish: Wish) -> Sequence[Publication]:
    """What these spaces publish that fits, the most resembling first, or the latest where no word is looked for and
    nothing else is asked; a theme, a value and a circle are never told."""
    if wish.kind not in {"", "published"} or wish.theme or wish.value or wish.circle:
        return []
    if not wish.text:
        latest = published.of_all(spaces) if wish.kind else Publication.objects.none()
        return list(_within(latest, "published_at", wish)[: published.FOUND])
    found = [each for space in spaces for each in published.resembling(space, wish.text, CANDIDATES)]
    return [each for each in found if wish.in_time(each.published_at)][: published.FOUND]


def labels(user: User) -> tuple[Sequence[str], Sequence[str]]:
    """The themes and the values that the learnings they may read bear, and the values of their spaces, in the order of
    the alphabet. One word written in two ways is there once, as the space writes it."""
    read = read_learnings(learnings_for(user).prefetch_related(None)[:LOOKED_AT])
    themes, values = ([each.words[name] for each in read if each.words.get(name)] for name in ("theme", "value"))
    known = Value.objects.filter(space__in=user.spaces).values_list("name", flat=True)
    by_word = {plain(name): name for name in (*values, *known)}
    by_theme = {plain(name): name for name in reversed(themes)}
    return [by_theme[word] for word in sorted(by_theme)], [by_word[word] for word in sorted(by_word)]


def by_theme(learnt: Iterable[Learnt]) -> Mapping[str, Sequence[Learnt]]:
    """theme → learnings, as they came; a theme is written as it first was, and those without one come last."""
    found: dict[str, list[Learnt]] = {}
    for each in sorted(learnt, key=lambda each: not each.words.get("theme")):
        found.setdefault(plain(each.words.get("theme", "")), []).append(each)
    return {some[0].words.get("theme", ""): some for some in found.values()}


def _fits(words: Mapping[str, str], wish: Wish) -> bool:
    """Theme and value as they are written, or a part of them; case and accents do not matter."""
    return plain(wish.theme) in plain(words.get("theme", "")) and plain(wish.value) in plain(words.get("value", ""))


def circles_of(user: User) -> QuerySet[Circle]:
    """Those whose learnings they may read."""
    mine = Q(learnings__person__in=persons(user)) | Q(pk__in=circles_in(user))
    found = Circle.objects.filter(mine, space__isnull=False, wrapped_key__isnull=False)
    return found.distinct().order_by("name", "pk")


def running_circles(user: User) -> QuerySet[Circle]:
    """Those they are in now, whose words can be kept."""
    found = Circle.objects.filter(pk__in=circles_in(user), space__isnull=False, wrapped_key__isnull=False)
    return found.order_by("name", "pk")


def read_learnings(learnings: Iterable[Learning]) -> Sequence[Learnt]:
    keys = Keys()
    return [Learnt(each, each.words(keys.of(each))) for each in learnings]
