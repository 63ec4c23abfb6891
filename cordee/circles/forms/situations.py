"""What the page of a situation posts, and the boxes it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from cordee.circles.actions.situations import FIELDS, LONGEST_TEXT, LONGEST_TITLE


@dataclass(frozen=True, slots=True)
class Box:
    """A field of the page. ``lines``: 1 for one line; 0 for a choice."""

    name: str
    label: object
    help: object = ""
    lines: int = 1
    longest: int = LONGEST_TEXT
    choices: Mapping[str, object] = field(default_factory=dict)


NATURES = {"probleme": _("un problème"), "preoccupation": _("une préoccupation"), "projet": _("un projet")}
URGENCIES = {
    "now": _("à traiter maintenant"),
    "soon": _("dans les semaines qui viennent"),
    "later": _("cela peut attendre"),
}
BOXES = (
    Box("nature", _("C’est plutôt…"), lines=0, choices=NATURES),
    Box("title", _("Votre situation en une question"), _("Comment…"), lines=2, longest=LONGEST_TITLE),
    Box(
        "text",
        _("Racontez en une dizaine de lignes"),
        _("Les faits, les personnes, ce qui est en jeu pour vous."),
        lines=9,
    ),
    Box("tried", _("Ce que j’ai tenté"), lines=3),
    Box("expected", _("Ce que j’attends du groupe"), lines=3),
    Box("urgency", _("Pour vous, c’est…"), lines=0, choices=URGENCIES),
)


def body(posted: Mapping[str, str]) -> dict[str, str]:
    """What was typed; a choice that is none of ours is left out."""
    known = {box.name: box.choices for box in BOXES if box.choices}
    found = {name: posted.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    return {name: text for name, text in found.items() if text in known.get(name, (text,))}


def moment(posted: Mapping[str, str]) -> float | None:
    """When it was typed, in seconds since the epoch, as the page's script says; ``None`` where it says nothing."""
    try:
        at = float(posted.get("typed", ""))
    except ValueError:
        return None
    return at if 0 < at < 1e11 else None


SENTENCES = {
    "untitled": _("Il manque la question : « Comment… ». Écrivez-la, puis apportez votre situation."),
    "title_too_long": _("La question est trop longue pour la carte de la salle : 160 caractères au plus."),
    "too_long": _(
        "C’est trop long pour la carte de la salle (4 000 caractères en tout) : raccourcissez, rien n’est perdu."
    ),
    "too_much": _("C’est trop long pour être enregistré : raccourcissez, vos mots sont encore dans la page."),
    "erased": _("La date de la charte est passée : les mots de ce cercle sont effacés."),
    "treated": _("Cette situation a été traitée : elle ne change plus."),
    "no_meeting": _("Aucune séance n’est prévue : gardez-la ici, vous l’apporterez quand la date sera fixée."),
    "unsure": _("Cochez la case pour effacer : rien n’a été effacé."),
}
UNKNOWN = _("Cela n’a pas été possible.")


def sentence(reason: str) -> str:
    """What is said of a reason of cordee/circles/actions/situations.py."""
    return str(SENTENCES.get(reason, UNKNOWN))
