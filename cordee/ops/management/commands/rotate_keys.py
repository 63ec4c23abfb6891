"""``manage.py rotate_keys``: wraps every circle's key again, with the newest key of the ring.

Texts are not touched: a circle's own key stays the same, so that rooms stay open meanwhile. Each circle is done on its
own, and only if nobody changed its key in between: the command can be stopped at any time and run again.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cordee.circles import crypto
from cordee.circles.models import Circle
from cordee.ops.readiness import ring_ids, said_plainly, unreadable, wrapping_id

AT_ONCE = 500
DONE, ALREADY, GONE = "done", "already", "gone"


class Command(BaseCommand):
    help = str(gettext_lazy("Rechiffre les clés des cercles avec la première clé de CORDEE_KEY_RING."))
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with said_plainly():
            ring = ring_ids()
            counts: Counter[str] = Counter()
            lost: Counter[str] = Counter()  # by the id of the key that is missing or is not the right one
            for pk in circles():
                try:
                    counts[rewrap(pk)] += 1
                except crypto.Unreadable:
                    lost[wrapping_of(pk)] += 1
            free = [name for name in ring[1:] if not wrapped_by(name)]
        self.report(ring[0], counts)
        for name in free:
            self.stdout.write(
                _(
                    "La clé « %(name)s » ne sert plus à aucun cercle. Quand tous les serveurs auront redémarré avec "
                    "la clé nouvelle, relancez cette commande, puis retirez l’ancienne de CORDEE_KEY_RING ; gardez-la "
                    "à l’abri tant que vos sauvegardes d’avant aujourd’hui peuvent servir."
                )
                % {"name": name}
            )
        if lost:
            raise CommandError("\n".join(unreadable(name, count, ring) for name, count in sorted(lost.items())))

    def report(self, newest: str, counts: Counter[str]) -> None:
        shown = {"newest": newest, **{state: counts[state] for state in (DONE, ALREADY, GONE)}}
        self.stdout.write(
            _(
                "Clé « %(newest)s » · cercles rechiffrés : %(done)d · déjà faits : %(already)d · "
                "effacés entre-temps : %(gone)d"
            )
            % shown
        )


def circles() -> Iterator[int]:
    """The circles that have a key, a page at a time: no cursor stays open while rows change."""
    last = 0
    while page := list(
        Circle.objects.filter(pk__gt=last, wrapped_key__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)[:AT_ONCE]
    ):
        yield from page
        last = page[-1]


def rewrap(pk: int) -> str:
    """Wrap this circle's key with the newest key, unless it is already. Raises :class:`crypto.Unreadable`."""
    while True:
        wrapped = Circle.objects.values_list("wrapped_key", flat=True).filter(pk=pk).first()
        if wrapped is None:
            return GONE
        key = crypto.unwrap(wrapped)
        if crypto.wrapped_by_newest(wrapped):
            return ALREADY
        # Compare and swap: a key destroyed, or wrapped by another process, in the meantime is left as it is.
        if Circle.objects.filter(pk=pk, wrapped_key=bytes(wrapped)).update(wrapped_key=crypto.wrap(key)):
            return DONE


def wrapping_of(pk: int) -> str:
    return wrapping_id(Circle.objects.values_list("wrapped_key", flat=True).filter(pk=pk).first())


def wrapped_by(name: str) -> bool:
    """Whether a circle's key is still wrapped by the key of this id."""
    keys = Circle.objects.filter(wrapped_key__isnull=False).values_list("wrapped_key", flat=True)
    return any(wrapping_id(wrapped) == name for wrapped in keys.iterator())
