"""What the page of a commitment posts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cordee.followup.discreet import Trace
from cordee.followup.links import ANSWERS
from cordee.followup.models import Commitment
from cordee.followup.queries import Wish

LONGEST = 2000  # characters
NAMES = dict(Commitment.STATES)


class Standing(forms.Form):
    """Where one stands with a commitment. No state is asked for: one may only say what it gave."""

    state = forms.ChoiceField(choices=[(state, NAMES[state]) for state in ANSWERS], required=False)
    gave = forms.CharField(label=_("Ce que cela a donné"), max_length=LONGEST, required=False)
    learnt = forms.CharField(label=_("Ce que j’ai appris"), max_length=LONGEST, required=False)
    remind_on = forms.DateField(label=_("Me le rappeler le"), required=False)

    def clean(self) -> dict[str, Any]:
        """Keep what was not posted at all as it was: a single button says a state and nothing else."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}


LONGEST_QUERY = 400  # characters
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


def wish_of(posted: Mapping[str, str]) -> Wish:
    """What the search asks for; a kind or a circle that is none is left out."""
    given = {name: posted.get(name, "").strip()[:LONGEST_QUERY] for name in ("text", "theme", "value")}
    kind, circle = posted.get("kind", ""), posted.get("circle", "")
    known = kind if kind in {"mine", "circles", "published"} else ""
    return Wish(**given, kind=known, circle=circle if circle.isdecimal() and len(circle) < 10 else "")
