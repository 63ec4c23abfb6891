"""``{% when meeting as at %}``: when a meeting or a date proposed is, on the clock of who reads the page."""

from typing import Any

from django import template

from cordee.circles.models import Meeting, Slot
from cordee.circles.when import When
from cordee.circles.when import when as said

register = template.Library()


@register.simple_tag(takes_context=True)
def when(context: template.Context, thing: Meeting | Slot) -> When | None:
    """Nothing for a meeting without a date. The page's context holds ``circle`` and ``zone``, the reader's."""
    if thing.starts_at is None or thing.ends_at is None:
        return None
    return said(thing.starts_at, thing.ends_at, context["circle"].time_zone, context["zone"])


@register.filter
def at(mapping: Any, key: Any) -> Any:
    """The value of this key, or nothing."""
    return mapping.get(key, "")
