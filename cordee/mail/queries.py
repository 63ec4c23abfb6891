"""What the operator is shown of the outbox: addresses, kinds, reasons; never what a letter says."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cordee.mail import delivery
from cordee.mail.models import Letter

# By class, class and code, or the beginning of a code; the longest that fits.
REASONS = {
    "expired": _("elle n’a pas pu partir à temps"),
    "Unaddressable": _("ce n’est pas une adresse"),
    "SMTPRecipientsRefused": _("le serveur de courrier refuse cette adresse"),
    "SMTPRecipientsRefused/550": _("cette adresse n’existe pas, ou ne reçoit pas de nous"),
    "SMTPRecipientsRefused/552": _("la boîte est pleine"),
    "SMTPRecipientsRefused/452": _("la boîte est pleine"),
    "SMTPDataError": _("le serveur de courrier refuse le contenu"),
    "SMTPNotSupportedError": _("le serveur de courrier ne sait pas écrire à cette adresse"),
    "SMTPAuthenticationError": _("le serveur de courrier refuse notre mot de passe"),
    "SMTPSenderRefused": _("le serveur de courrier refuse notre adresse d’expéditeur (CORDEE_MAIL_FROM)"),
    "SMTPServerDisconnected": _("le serveur de courrier a raccroché"),
    "ConnectionRefusedError": _("le serveur de courrier ne répond pas"),
    "TimeoutError": _("le serveur de courrier ne répond pas"),
    "gaierror": _("le nom du serveur de courrier n’existe pas"),
    "SSLCertVerificationError": _("le certificat du serveur de courrier n’est pas le bon"),
}
ELSE = _("le serveur de courrier n’a pas voulu")


@dataclass(frozen=True, slots=True)
class Outbox:
    """``late_since``: since when the oldest letter that should have left has been waiting. ``error``: its reason."""

    waiting: int
    dead: int
    late_since: datetime | None
    error: str


def outbox() -> Outbox:
    late = delivery.waiting().aggregate(since=Min("due_at"))["since"]
    error = delivery.waiting().exclude(error="").order_by("due_at").values_list("error", flat=True).first() or ""
    waiting = Letter.objects.filter(sent_at=None, dead_at=None).count()
    return Outbox(waiting, dead().count(), late if late and late < timezone.now() else None, error)


def dead() -> QuerySet[Letter]:
    """Letters that will not leave by themselves, the latest first; not those that were not wished."""
    return Letter.objects.exclude(dead_at=None).exclude(error="unwanted").order_by("-dead_at", "-pk")


def reason(error: str) -> str | Promise:
    """What a class and code of an error mean."""
    return REASONS.get(error) or REASONS.get(error.partition("/")[0]) or ELSE
