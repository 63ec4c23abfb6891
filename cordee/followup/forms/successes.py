"""What the page of a success posts."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cordee.accounts.models import Person
from cordee.followup.queries.successes import LONGEST


class Line(forms.CharField):
    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=LONGEST, widget=forms.Textarea({"rows": 2}), **given)


class Telling(forms.Form):
    """The three lines, and to whom the lead is owed; nobody need be named."""

    situation = Line(label=_("La situation"))
    did = Line(label=_("Ce que j’ai fait"))
    gave = Line(label=_("Ce que cela a donné"))
    thanked = forms.ChoiceField(label=_("Merci à…"), required=False)
    word = Line(label=_("Un mot pour cette personne"), required=False)

    def __init__(self, peers: Sequence[Person], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.peers = {str(person.pk): person for person in peers}
        names = [(pk, person.name) for pk, person in self.peers.items()]
        self.fields["thanked"].choices = [("", _("Personne en particulier")), *names]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("word") and not said.get("thanked"):
            self.add_error("thanked", _("Dites à qui va ce mot, ou effacez-le."))
        return said

    @property
    def thanked_peer(self) -> Person | None:
        return self.peers.get(self.cleaned_data["thanked"])
