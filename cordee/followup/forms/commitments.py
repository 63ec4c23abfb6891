"""What the page of a commitment posts."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cordee.followup.links import ANSWERS
from cordee.followup.models import Commitment

LONGEST = 2000  # characters

NAMES = dict(Commitment.STATES)


class Standing(forms.Form):
    """Where one stands with a commitment. No state is asked for: one may only say what it gave."""

    state = forms.ChoiceField(choices=[(state, NAMES[state]) for state in ANSWERS], required=False)
    gave = forms.CharField(label=_("Ce que cela a donné"), max_length=LONGEST, required=False)
    learnt = forms.CharField(label=_("Ce que j’ai appris"), max_length=LONGEST, required=False)
    remind_on = forms.DateField(label=_("Me le rappeler le"), required=False)

    def clean_remind_on(self) -> date | None:
        day: date | None = self.cleaned_data["remind_on"]
        if day and day < timezone.localdate():
            raise forms.ValidationError(_("Ce jour est passé : choisissez aujourd’hui ou plus tard, ou laissez vide."))
        return day

    def clean(self) -> dict[str, Any]:
        """Keep what was not posted at all, or not changed since its page was opened, as it is by now: a single button
        says a state and nothing else, and a page left open takes away no word written elsewhere."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.data and self._changed(name)}

    def _changed(self, name: str) -> bool:
        was = self.data.get(f"{name}_was")
        return was is None or was.split() != self.data[name].split()


class Sentence(forms.Form):
    """What may be added once a letter's link has said where one stands."""

    gave = forms.CharField(label=_("Ce que cela a donné"), max_length=LONGEST, required=False)
    learnt = forms.CharField(label=_("Ce que j’ai appris"), max_length=LONGEST, required=False)
