"""What somebody says of their letters."""

from datetime import time

from django import forms
from django.utils.translation import gettext_lazy as _

from cordee.mail import wishes
from cordee.mail.models import QUIET_FROM, QUIET_UNTIL, Wish


class WishForm(forms.Form):
    """Kinds are ticked when they are wanted: what one does without is what is left."""

    wanted = forms.MultipleChoiceField(choices=list(wishes.OPTIONAL.items()), required=False)
    digest = forms.BooleanField(required=False)
    quiet = forms.BooleanField(required=False)
    quiet_from = forms.TimeField(required=False, error_messages={"invalid": _("Écrivez une heure, par exemple 20:00.")})
    quiet_until = forms.TimeField(
        required=False, error_messages={"invalid": _("Écrivez une heure, par exemple 07:00.")}
    )

    @classmethod
    def of(cls, wish: Wish) -> "WishForm":
        return cls(
            {
                "wanted": [kind for kind in wishes.OPTIONAL if kind not in wish.without],
                "digest": wish.digest,
                "quiet": wish.quiet_from is not None,
                "quiet_from": wish.quiet_from or QUIET_FROM,
                "quiet_until": wish.quiet_until or QUIET_UNTIL,
            }
        )

    def keep(self, wish: Wish) -> None:
        said = self.cleaned_data
        others = set(wish.without) - set(wishes.OPTIONAL)
        wish.without = sorted(others | (set(wishes.OPTIONAL) - set(said["wanted"])))
        wish.digest = said["digest"]
        wish.quiet_from = self._hour(said["quiet_from"] or QUIET_FROM)
        wish.quiet_until = self._hour(said["quiet_until"] or QUIET_UNTIL)
        wish.save()

    def _hour(self, said: time) -> time | None:
        return said if self.cleaned_data["quiet"] else None
