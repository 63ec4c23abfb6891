"""What people type about circles and charters → values that the actions take. Errors say what was expected."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.accounts.models import Person, Space, server_zone
from cordee.circles.actions.circles import usual_date
from cordee.circles.methods import methods
from cordee.circles.models import UTMOST, Charter, Circle

SOONEST, LATEST = timedelta(days=30), timedelta(days=5 * 366)  # from today to the date of erasure
NOTICE = timedelta(days=14)  # that a new charter gives before it may erase
ZONES = (
    "Europe/Paris", "Europe/Brussels", "Europe/Luxembourg", "Europe/Zurich", "America/Martinique", "America/Guadeloupe",
    "America/Cayenne", "America/Miquelon", "America/Montreal", "Indian/Reunion", "Indian/Mayotte", "Pacific/Noumea",
    "Pacific/Tahiti", "Africa/Dakar", "Africa/Abidjan", "Africa/Casablanca", "Africa/Tunis", "Africa/Kinshasa",
)  # fmt: skip


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class EditCircle(forms.ModelForm):  # type: ignore[type-arg]
    """What can be changed at any time."""

    protocol = forms.ChoiceField(label=gettext_lazy("Méthode"))
    video_link = forms.CharField(
        label=gettext_lazy("Lien de visioconférence"),
        max_length=400,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        validators=[URLValidator(["https", "http"])],
        help_text=gettext_lazy("Celui du groupe, chez le fournisseur de son choix."),
        error_messages={"invalid": gettext_lazy("Collez l’adresse entière, qui commence par https://.")},
    )
    quorum = forms.IntegerField(
        label=gettext_lazy("Combien de présents au moins"),
        min_value=2,
        max_value=UTMOST,
        initial=4,
        help_text=gettext_lazy("Si moins de personnes viennent, l’animateur·rice est prévenu·e."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Fuseau horaire"),
        max_length=40,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text=gettext_lazy("Les heures des séances s’y lisent."),
    )

    class Meta:
        model = Circle
        fields = ("name", "purpose", "protocol", "place", "video_link", "quorum", "time_zone")
        labels = {
            "name": gettext_lazy("Nom du cercle"),
            "purpose": gettext_lazy("Pourquoi ce cercle"),
            "place": gettext_lazy("Lieu"),
        }
        widgets = {"purpose": forms.Textarea(attrs={"rows": 3})}

    zones = ZONES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["protocol"].choices = [  # type: ignore[attr-defined]
            (name, _(title)) for name, title in methods().items()
        ]

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone not in available_timezones():
            raise forms.ValidationError(_("Ce fuseau n’existe pas. Écrivez par exemple Europe/Paris."))
        return zone


class NewCircle(EditCircle):
    """And what is decided at the beginning: when its words are erased, and who facilitates."""

    erase_on = forms.DateField(
        label=gettext_lazy("Date d’effacement"),
        widget=Day(),
        help_text=gettext_lazy(
            "Ce jour-là, tout ce que le cercle a écrit devient illisible. La charte le dit à chacun."
        ),
    )
    facilitators = forms.CharField(
        label=gettext_lazy("Animateur·rice"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Un nom ou une adresse par ligne, tels que dans les personnes de l’espace."),
    )

    class Meta(EditCircle.Meta):
        fields = ("name", "purpose", "protocol", "place", "video_link", "quorum", "time_zone")

    def __init__(self, space: Space, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.space = space
        self.fields["erase_on"].initial = usual_date()
        self.fields["time_zone"].initial = server_zone()

    def clean_erase_on(self) -> date:
        return within(self.cleaned_data["erase_on"], SOONEST)

    def clean_facilitators(self) -> list[Person]:
        lines = [line.strip() for line in str(self.cleaned_data["facilitators"]).splitlines() if line.strip()]
        if len(lines) > UTMOST:
            raise forms.ValidationError(_("Dix personnes au plus : une par ligne."))
        return [self._person(line) for line in lines]

    def _person(self, said: str) -> Person:
        people = Person.objects.filter(space=self.space, left_at=None, erased_at=None)
        found = people.filter(email=said.lower())[:2] if "@" in said else people.filter(name__iexact=said)[:2]
        match list(found):
            case [person]:
                return person
            case []:
                raise forms.ValidationError(
                    _("« %(said)s » n’est pas dans les personnes de l’espace : vérifiez, ou ajoutez cette personne.")
                    % {"said": said}
                )
        raise forms.ValidationError(
            _("Plusieurs personnes s’appellent « %(said)s » : écrivez l’adresse e-mail à la place.") % {"said": said}
        )


class EditCharter(forms.ModelForm):  # type: ignore[type-arg]
    """A new version of the charter. ``erase_on`` gives everybody time to read it."""

    erase_on = forms.DateField(
        label=gettext_lazy("Date d’effacement"),
        widget=Day(),
        help_text=gettext_lazy(
            "Plus tôt : elle vaut dès qu’un membre la signe. Plus tard : elle ne vaut qu’une fois signée de tous."
        ),
    )

    class Meta:
        model = Charter
        fields = ("text", "scope", "erase_on")
        labels = {
            "text": gettext_lazy("Texte de la charte"),
            "scope": gettext_lazy("Qui est tenu au secret, et sur quoi"),
        }
        help_texts = {"text": gettext_lazy("Une ligne vide sépare deux paragraphes.")}
        widgets = {"text": forms.Textarea(attrs={"rows": 18}), "scope": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, circle: Circle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.circle = circle

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")

    def clean_erase_on(self) -> date:
        chosen: date = self.cleaned_data["erase_on"]
        return chosen if chosen == self.initial.get("erase_on") else within(chosen, NOTICE)


def within(chosen: date, soonest: timedelta) -> date:
    """The date, if it is neither too near nor too far. Raises ValidationError."""
    today = timezone.localdate()
    if chosen < today + soonest:
        raise forms.ValidationError(
            _("Choisissez une date à %(days)d jours d’ici au moins : chacun doit avoir le temps de lire.")
            % {"days": soonest.days}
        )
    if chosen > today + LATEST:
        raise forms.ValidationError(
            _("Choisissez une date à cinq ans d’ici au plus : des mots gardés sans fin pèsent.")
        )
    return chosen
