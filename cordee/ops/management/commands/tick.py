"""``manage.py tick``: the recurring work, once. Made for cron; two at a time do no harm, each act being done once."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.accounts.actions import forget_old as forget_sign_ins
from cordee.circles import crypto
from cordee.circles.actions import meetings
from cordee.followup import published
from cordee.home import retention
from cordee.mail import actions as mail
from cordee.mail import postman
from cordee.ops import clock, recurring, recurring_letters
from cordee.ops.readiness import said_plainly
from cordee.room import actions, harvest, limits, store
from cordee.room.models import Draft

DRAFT_DAYS = 2  # a meeting closed by mistake may be opened again: what was being typed waits that long


class Command(BaseCommand):
    help = str(gettext_lazy("Fait une fois le travail récurrent (à lancer par cron, toutes les heures par exemple)."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--trust-clock", action="store_true", help=_("l’horloge est juste, bien qu’elle ait sauté"))

    def handle(self, *args: Any, **options: Any) -> None:
        with said_plainly():
            clock.require_believable(options["trust_clock"])
            counts = {"harvested": harvest.left_over(), "erased": actions.erase_due(), "drafts": clear_old_drafts()}
            meetings.tell_doubts()
            limits.forget_old()
            retention.run()
            forget_sign_ins()
            recurring_letters.write()
            published.keep_shelves()
            letters = postman.round_()
            letters["erased"] = mail.erase_old()
        recurring.done(recurring.TICK)
        self.stdout.write(_("Cercles effacés : %(erased)d · brouillons oubliés : %(drafts)d") % counts)
        if letters.total():
            said = _(
                "Lettres parties : %(sent)d · non parties : %(dead)d · en attente : %(later)d · oubliées : %(erased)d"
            )
            later = letters["later"] + letters["held"] + letters["blocked"]
            told = {"sent": letters["sent"], "dead": letters["dead"], "later": later, "erased": letters["erased"]}
            self.stdout.write(said % told)


def clear_old_drafts() -> int:
    """Throw away what nobody will finish typing: old drafts of rooms that are closed. How many."""
    old = Draft.objects.filter(saved_at__lt=timezone.now() - timedelta(days=DRAFT_DAYS))
    return sum(old.filter(session=room).delete()[0] for room in _closed(old.values_list("session", flat=True)))


def _closed(rooms: Any) -> Iterator[str]:
    for room in sorted(set(rooms)):
        try:
            closed = store.load(room).state.course.closed
        except (crypto.Unreadable, store.NoSuchRoom):
            continue  # a key is missing (doctor says which), or another process has just taken the room away
        store.forget(room)
        if closed:
            yield room
