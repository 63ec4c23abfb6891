"""What the page of a publication posts, and how it says what it warns of."""

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cordee.followup.discreet import Trace
from cordee.followup.forms.commitments import LONGEST

TOLD = {
    "person": _("une personne du cercle"),
    "organisation": _("votre organisation, ou le cercle"),
    "mail": _("une adresse de courrier"),
    "link": _("une adresse de site"),
    "phone": _("un numéro de téléphone"),
    "account": _("un compte"),
    "title": _("une personne, peut-être"),
    "firm": _("une entreprise"),
    "number": _("un nombre, une date"),
    "acronym": _("un sigle"),
    "capital": _("un nom propre, peut-être"),
}


def not_publishable(text: str) -> str:
    """Why this text cannot be published; "" when it can."""
    if not text:
        return gettext("Il n’y a rien à publier : écrivez d’abord le texte.")
    if len(text) > LONGEST:
        return gettext("C’est trop long : 2 000 caractères au plus. Votre texte est encore là.")
    return ""


def pieces(text: str, traces: Sequence[Trace]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it could tell who."""
    found, at = list[tuple[str, bool]](), 0
    for trace in traces:
        found += [(text[at : trace.start], False), (text[trace.start : trace.end], True)]
        at = trace.end
    return [(piece, told) for piece, told in [*found, (text[at:], False)] if piece]
