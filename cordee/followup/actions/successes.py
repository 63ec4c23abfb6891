"""A kept commitment told to its circle."""

from collections.abc import Collection, Mapping
from secrets import token_urlsafe

from django.db import transaction
from django.utils import timezone

from cordee.accounts.models import Person
from cordee.circles.models import Meeting
from cordee.followup.models import Commitment, Success


def tell(commitment: Commitment, key: bytes, words: Mapping[str, str], thanked: Person | None) -> Success:
    """Told for the first time or anew: the latest holds, and is celebrated no second time.

    ``words``: situation, did, gave; word, which goes with the thanks.
    """
    with transaction.atomic():
        Commitment.objects.select_for_update().get(pk=commitment.pk)  # told from two devices, it is one
        success = Success.objects.filter(commitment=commitment).first()
        success = success or Success(id=f"success-{token_urlsafe(9)}", commitment=commitment)
        if (thanked.pk if thanked else None) != success.thanked_id:
            success.thanked, success.thanked_at = thanked, timezone.now() if thanked else None
        success.hold(key, {name: text for name, text in words.items() if text})
        success.save()
    return success


def celebrate(meeting: Meeting, ids: Collection[str]) -> None:
    """This meeting opened on these. Said again, or of another meeting later, the first holds."""
    shown = Success.objects.filter(pk__in=ids, commitment__circle=meeting.circle_id, celebrated=None)
    shown.update(celebrated=meeting)
