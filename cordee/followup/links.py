"""Links with which a letter's reader says in one tap where a commitment stands, without signing in.

A link says one state of one commitment, shows no word of it, changes nothing until its page's button is pressed, and
opens nothing after ``DAYS``, nor once its author has made their former links void.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from cordee.followup.models import Commitment

DAYS = 60
ANSWERS = (Commitment.KEPT, Commitment.TRIED, Commitment.ADAPTED, Commitment.LET_GO)


def answers(commitment: Commitment) -> Mapping[str, str]:
    """State -> the path of the page that gives this answer. The commitment's person and user are read."""
    return {state: reverse("followup:one_tap", args=[commitment.pk, token(commitment, state)]) for state in ANSWERS}


def token(commitment: Commitment, state: str) -> str:
    return _signer(commitment).sign(state)


def state_of(commitment: Commitment, token: str) -> str:
    """The answer that this token gives; "" for one that is forged, of another commitment, expired or made void."""
    try:
        state = _signer(commitment).unsign(token, max_age=timedelta(days=DAYS))
    except BadSignature:
        return ""
    return state if state in ANSWERS else ""


def _signer(commitment: Commitment) -> TimestampSigner:
    user = commitment.person.user
    epoch = user.links_epoch if user else 0
    return TimestampSigner(salt=f"cordee.followup/{commitment.pk}/{commitment.person_id}/{epoch}", sep=".")
