"""What people fill in: their account, a person of a space, a space. Errors say what was expected."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.accounts import lists, queries
from cordee.accounts.models import Person, Space, User, Value
from cordee.engine.recall import plain

NO_PLACES = ("Etc/", "posix/", "right/")
ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(NO_PLACES))


class Account(forms.ModelForm):  # type: ignore[type-arg]
    """Who somebody is everywhere on this server."""

    name = forms.CharField(label=gettext_lazy("Votre prénom"), max_length=60)
    language = forms.ChoiceField(label=gettext_lazy("Langue"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=gettext_lazy("Fuseau horaire"))

    class Meta:
        model = User
        fields = ("name", "language", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted({*ZONES, self.instance.time_zone})
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in zones]  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs["autocomplete"] = "given-name"


class Profile(forms.ModelForm):  # type: ignore[type-arg]
    """A person of a space. Whom they mean by their manager is found by name or address, and chosen among equals."""

    manager_said = forms.CharField(label=gettext_lazy("Responsable"), required=False, max_length=254)
    manager_is = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Person
        fields = ("name", "email", "organisation", "site", "branch", "team", "level", "needs")

    def __init__(self, *args: Any, space: Space, own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.space, self.own = space, own
        self.meant: list[Person] = []  # whom to choose from, when several have that name
        if self.instance.user_id or own:
            del self.fields["email"]  # what somebody signs in with is not for another to change
        manager = self.instance.manager
        self.initial.setdefault("manager_said", manager.name if manager else "")
        self.fields["needs"].widget.attrs["rows"] = 3

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        others = Person.objects.filter(space=self.space, email=email).exclude(pk=self.instance.pk)
        if email and others.exists():
            raise forms.ValidationError(_("Quelqu’un a déjà cette adresse dans cet espace."))
        return str(email)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said = cleaned.get("manager_said", "").strip()
        if not said:
            self.instance.manager = None
        elif not (self.instance.manager and self.instance.manager.name == said and not cleaned.get("manager_is")):
            self._choose(said, cleaned.get("manager_is"))
        return cleaned

    def _choose(self, said: str, chosen: int | None) -> None:
        if len(said) < 3:
            return self.add_error("manager_said", _("Écrivez trois lettres au moins de son nom."))
        meant = queries.managers_named(self.space, said)
        meant = [one for one in meant if one.pk == chosen] or meant
        if not meant:
            self.add_error("manager_said", _("Personne de ce nom dans cet espace."))
        elif len(meant) > 10:
            self.add_error("manager_said", _("Plus de dix personnes ont ce nom : écrivez-le en entier."))
        elif len(meant) > 1:
            self.meant = meant
            self.add_error("manager_said", _("Plusieurs personnes ont ce nom : laquelle ?"))
        elif self.instance.pk and lists.would_loop(self.instance, meant[0]):
            self.add_error("manager_said", _("Cette personne est la même, ou dépend déjà d’elle."))
        else:
            self.instance.manager = meant[0]


class NewSpace(forms.Form):
    name = forms.CharField(label=gettext_lazy("Nom de l’espace"), max_length=120)
    organiser = forms.CharField(label=gettext_lazy("Nom de l’organisateur·rice"), max_length=120)
    address = forms.EmailField(label=gettext_lazy("Son adresse e-mail"), max_length=254)

    def clean_address(self) -> str:
        return str(self.cleaned_data["address"]).lower()


class SpaceName(forms.ModelForm):  # type: ignore[type-arg]
    name = forms.CharField(label=gettext_lazy("Nom de l’espace"), max_length=120)

    class Meta:
        model = Space
        fields = ("name",)


class Values(forms.Form):
    """The values of a space, one a line, in their order: a list of names, each once; empty, it takes all away."""

    names = forms.CharField(
        label=gettext_lazy("Une valeur par ligne"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def clean_names(self) -> list[str]:
        names = [" ".join(line.split()) for line in self.cleaned_data["names"].splitlines() if line.strip()]
        if len(names) > Value.MOST:
            found = {"most": Value.MOST, "found": len(names)}
            raise forms.ValidationError(
                _("%(most)d valeurs au plus ; il y en a %(found)d. Retirez des lignes.") % found
            )
        seen: set[str] = set()
        for name in names:
            if len(name) > Value.LONGEST:
                said = {"name": name[:20], "longest": Value.LONGEST}
                raise forms.ValidationError(_("« %(name)s… » est trop long : %(longest)d caractères au plus.") % said)
            if plain(name) in seen:
                raise forms.ValidationError(_("« %(name)s » est écrit deux fois.") % {"name": name})
            seen.add(plain(name))
        return names
