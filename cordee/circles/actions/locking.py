"""What changes a circle holds it first."""

from django.utils.translation import gettext as _

from cordee.circles.models import Circle
from cordee.circles.refused import Refused


def locked(circle: Circle, *, change: bool = True) -> Circle:
    """The circle as it is now, held until the transaction ends, so that two requests never share its last place.

    SQLite holds the whole database from the transaction's first word (IMMEDIATE). Raises :class:`Refused` when the
    circle has ended.
    """
    now = Circle.objects.select_for_update().get(pk=circle.pk)
    if change and now.ended_at:
        raise Refused(_("Ce cercle est clos : on peut le relire, plus le changer."))
    return now
