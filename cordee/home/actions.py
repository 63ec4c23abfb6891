"""A success told, told anew or withdrawn: on the circle's wall, and in the rooms that were told of it."""

from collections.abc import Mapping

from django.db import transaction

from cordee.accounts.models import Person
from cordee.followup.actions import successes
from cordee.followup.models import Commitment, Success
from cordee.followup.queries.successes import card, read
from cordee.room import belongings


def tell(commitment: Commitment, key: bytes, words: Mapping[str, str], thanked: Person | None) -> None:
    with transaction.atomic():
        success = successes.tell(commitment, key, words, thanked)
        belongings.said_anew(commitment.circle_id, success.pk, card(read([success])[0]))


def withdraw(commitment: Commitment) -> None:
    """Gone from the wall and from every room. Twice is once."""
    with transaction.atomic():
        for success in Success.objects.select_for_update().filter(commitment=commitment):
            belongings.said_anew(commitment.circle_id, success.pk, None)
            success.delete()
