"""What is said of counts."""

from collections.abc import Mapping

from django.utils.translation import ngettext


def written(counts: Mapping[str, int]) -> list[str]:
    """kind → how many, as sentences in the order of a round; kinds that are not named here come last, together."""
    said = {
        "situation": ngettext("%d situation", "%d situations", counts.get("situation", 0)),
        "story": ngettext("%d récit", "%d récits", counts.get("story", 0)),
        "question": ngettext("%d question", "%d questions", counts.get("question", 0)),
        "request": ngettext("%d demande", "%d demandes", counts.get("request", 0)),
        "feeling": ngettext("%d ressenti", "%d ressentis", counts.get("feeling", 0)),
        "suggestion": ngettext("%d piste", "%d pistes", counts.get("suggestion", 0)),
        "takeaway": ngettext("%d synthèse", "%d synthèses", counts.get("takeaway", 0)),
        "commitment": ngettext("%d engagement", "%d engagements", counts.get("commitment", 0)),
        "learning": ngettext("%d apprentissage", "%d apprentissages", counts.get("learning", 0)),
    }
    rest = sum(times for kind, times in counts.items() if kind not in said)
    found = [sentence % counts[kind] for kind, sentence in said.items() if counts.get(kind)]
    return [*found, *([ngettext("%d autre texte", "%d autres textes", rest) % rest] if rest else [])]
