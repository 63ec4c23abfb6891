"""``{% may "circle.edit" circle as editable %}``: the same table as the views', for what a page offers."""

from typing import Any

from django import template

from cordee.accounts import rules

register = template.Library()


@register.simple_tag(takes_context=True)
def may(context: template.Context, ability: str, thing: Any = None) -> bool:
    return rules.may(context["request"].user, ability, thing)
