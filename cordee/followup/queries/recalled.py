"""The earlier learnings that resemble a situation being prepared: its circle's, one's own, its space's."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from cordee.accounts.models import User
from cordee.circles.actions import situations
from cordee.circles.models import Situation
from cordee.engine.recall import Match
from cordee.followup import published, ranking, vectors
from cordee.followup.models import Help, Learning, Publication
from cordee.followup.queries.learnings import Learnt, learnings_for, read_learnings

PREPARED = ("title", "text", "tried", "expected")  # what of a situation is compared
CIRCLE, SPACE = "learning", "publication"  # where one comes from, and what the page calls its id


@dataclass(frozen=True, slots=True)
class Recalled:
    """An earlier learning that resembles a situation: the words that say why, and whether it helps its author.

    It is the circle's (``learnt``) or published in the space (``publication``), which says of nobody that it is theirs.
    """

    why: tuple[str, ...]
    helps: bool
    learnt: Learnt | None = None
    publication: Publication | None = None


def recalled(user: User, situation: Situation) -> Sequence[Recalled]:
    """The most useful to it, at most five of both together, best first. Compared in memory only."""
    body = held.body if (held := situations.words(situation)) else {}
    wanted = "\n".join(body[name] for name in PREPARED if name in body)
    ours = {f"{CIRCLE} {learnt.learning.pk}": learnt for learnt in _of_circle(user, situation)}
    theirs = {f"{SPACE} {each.pk}": each for each in _of_space(user, situation, wanted)}
    texts = {id_: learnt.words["text"] for id_, learnt in ours.items()} | {i: each.text for i, each in theirs.items()}
    helped = {id_: learnt.helped for id_, learnt in ours.items()}
    helped |= {id_: published.helped(each) for id_, each in theirs.items()}
    found = ranking.matches(wanted, texts, helped=helped)
    told = [match for match in found if match.words or vectors.available()]  # not what shares a few letters only
    helping = set(Help.objects.filter(situation=situation).values_list("learning", flat=True))
    return [_recalled(match, ours.get(match.id), theirs.get(match.id), helping) for match in told]


def _recalled(match: Match, learnt: Learnt | None, shown: Publication | None, helping: set[str]) -> Recalled:
    learning = learnt.learning.pk if learnt else shown.learning_id if shown else ""
    return Recalled(match.words, learning in helping, learnt, shown)


def compared(user: User, situation: Situation) -> QuerySet[Learning]:
    """The learnings that may be recalled for it: its circle's, and those its author keeps for themselves alone."""
    return learnings_for(user).filter(Q(circle=situation.circle_id) | Q(alone=True))


def _of_circle(user: User, situation: Situation) -> Sequence[Learnt]:
    kept = read_learnings(compared(user, situation))
    return [learnt for learnt in kept if learnt.words.get("text")]


def _of_space(user: User, situation: Situation, wanted: str) -> Sequence[Publication]:
    """What others of the space published that resembles; what this circle did is there already, in its own words."""
    space = situation.circle.space
    if space is None or space.pk not in user.spaces or not wanted:
        return []
    return published.resembling(space, wanted, besides=situation.circle_id)
