"""The one ranking of recall: by words always, by meaning too where vectors are installed."""

from collections.abc import Mapping

from cordee.engine.recall import Match, best, blended, recall
from cordee.followup import vectors
from cordee.followup.shelf import CANDIDATES, Shelf


def ranked(shelf: Shelf, query: str, most: int, texts: Mapping[str, str]) -> list[str]:
    """The ids on the shelf that resemble the query, best first; by meaning too among ``texts`` (id -> text)."""
    found = dict(shelf.find(query, max(most, CANDIDATES)))
    near = vectors.near(query, {id_: texts[id_] for id_ in found if id_ in texts})
    return list(best(blended(found, near), most))


def matches(query: str, texts: Mapping[str, str], most: int = 5) -> list[Match]:
    """The texts of a circle that resemble the query, best first, each with the words that say why. In memory only."""
    found = {match.id: match for match in recall(query, texts, len(texts))}
    near = vectors.near(query, texts)
    scores = blended({id_: match.score for id_, match in found.items()}, near)
    return [found.get(id_, Match(id_, 0.0, ())) for id_ in best(scores, most)]
