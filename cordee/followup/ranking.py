"""The one ranking of recall: by words always, by meaning too where vectors are installed."""

from collections.abc import Mapping

from cordee.engine.recall import Index, Match, best, blended, raised, shared, terms
from cordee.followup import vectors
from cordee.followup.shelf import CANDIDATES, Shelf


def ranked(shelf: Shelf, query: str, most: int, texts: Mapping[str, str]) -> list[str]:
    """The ids on the shelf that resemble the query, best first; by meaning too among ``texts`` (id -> text)."""
    found = dict(shelf.find(query, max(most, CANDIDATES)))
    near = vectors.near(query, {id_: texts[id_] for id_ in found if id_ in texts})
    return list(best(blended(found, near), most))


def matches(
    query: str, texts: Mapping[str, str], most: int = 5, helped: Mapping[str, int] | None = None
) -> list[Match]:
    """The texts of a circle that resemble the query, best first, each with the words that say why. In memory only.

    ``helped``: id -> how often it helped again; such a text gains a little.
    """
    index, wanted = Index(texts), terms(query)
    by_words = index.scores(query)
    found = best(raised(blended(by_words, vectors.near(query, texts)), helped or {}), most)
    return [Match(id_, round(by_words.get(id_, 0.0), 4), shared(wanted, texts[id_], index.rarity)) for id_ in found]
