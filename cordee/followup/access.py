"""Find what an address names, or 404. Who may see it is said in :mod:`cordee.accounts.rules`."""

from django.shortcuts import get_object_or_404

from cordee.followup.models import Commitment, Learning


def commitment(commitment: str) -> Commitment:
    kept = Commitment.objects.select_related("circle__space", "person__user", "witness")
    return get_object_or_404(kept, pk=commitment, circle__space__isnull=False, person__erased_at=None)


def learning(learning: str) -> Learning:
    return get_object_or_404(Learning.objects.select_related("circle__space"), pk=learning, circle__space__isnull=False)


def kept(kept: str) -> Learning:
    """One that somebody keeps for themselves alone."""
    alone = Learning.everything.filter(alone=True, circle__space__isnull=False).select_related("circle__space")
    return get_object_or_404(alone, pk=kept)
