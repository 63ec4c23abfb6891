"""The charter: proposed by a facilitator, signed by each. No word is kept longer than its author signed for."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from cordee.accounts.models import Person
from cordee.circles.actions import letters
from cordee.circles.actions.locking import locked
from cordee.circles.models import Charter, Circle, Signature
from cordee.circles.queries.circles import charter_in_force, date_of_erasure
from cordee.circles.refused import Refused


def propose(circle: Circle, text: str, scope: str, erase_on: date) -> Charter:
    """A new version, in force at once and signed by nobody yet. Raises :class:`Refused`."""
    with transaction.atomic():
        circle = locked(circle)
        if circle.wrapped_key is None:
            raise Refused(_("Les mots de ce cercle sont effacés : sa charte ne peut plus changer."))
        version = charter_in_force(circle).version + 1
        charter = Charter.objects.create(circle=circle, version=version, text=text, scope=scope, erase_on=erase_on)
        _follow(circle)
        letters.ask_to_sign(charter)
    return charter


def sign(charter: Charter, person: Person) -> Signature:
    """Sign the version in force; signing twice is signing once. Raises :class:`Refused` for a former version."""
    with transaction.atomic():
        circle = locked(charter.circle, change=False)
        if charter_in_force(circle).pk != charter.pk:
            raise Refused(_("La charte vient de changer : relisez la nouvelle version avant de la signer."))
        signature, new = Signature.objects.get_or_create(charter=charter, person=person)
        if new:
            _follow(circle)
    return signature


def _follow(circle: Circle) -> None:
    """The circle is erased at the earliest date that a signer still counts on. See docs/adr/0010."""
    circle.erase_on = date_of_erasure(circle)
    circle.save(update_fields=["erase_on"])
