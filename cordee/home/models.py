"""The register of what was erased, for who answers for the data: when, why and how much; never who."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Erasure(models.Model):
    WISH, LEFT, UNUSED = "wish", "left", "unused"
    KINDS = (
        (WISH, _("à la demande de la personne")),
        (LEFT, _("personne partie depuis longtemps")),
        (UNUSED, _("compte inutilisé depuis longtemps")),
    )

    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=8, choices=KINDS)
    counts = models.JSONField(default=dict)  # what -> how many

    class Meta:
        indexes = [models.Index(fields=["-at"], name="erasure_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
