"""Everything that remains of somebody: every column of every table, texts unsealed, and what others are shown."""

import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session as BrowserSession
from django.db import models

from cordee.circles import crypto
from cordee.circles.models import Circle, Reply, Situation, Turn
from cordee.circles.queries.meetings import about
from cordee.followup.models import Commitment, Learning, Success
from cordee.room.models import Draft, Entry, Session

# How each sealed column is opened: (circle of the row, what the text is about). A new one must be told here.
SEALED = {
    (Situation, "sealed"): lambda row: (row.circle, f"situation/{row.pk}"),
    (Turn, "sealed"): lambda row: (row.circle, row.about),
    (Commitment, "sealed"): lambda row: (row.circle, f"commitment/{row.pk}"),
    (Commitment, "sealed_outcome"): lambda row: (row.circle, f"commitment/{row.pk}/outcome"),
    (Success, "sealed"): lambda row: (row.commitment.circle, f"success/{row.pk}"),
    (Learning, "sealed"): lambda row: (row.circle, f"learning/{row.pk}"),
    (Reply, "sealed_reason"): lambda row: (row.meeting.circle, about(row.meeting_id, row.person_id)),
    (Entry, "sealed"): lambda row: (row.session.circle, f"{row.session_id}#{row.seq}"),
    (Draft, "sealed"): lambda row: (row.session.circle, f"{row.session_id}/{row.seat}/{row.kind}"),
    (Session, "links"): lambda row: (row.circle, f"{row.pk}/links"),
}
PLAIN = {(Circle, "wrapped_key"), ("Upload", "content")}


def everything_stored() -> Iterator[tuple[str, str]]:
    """(where, text) of every column of every row, sealed ones opened."""
    for model in apps.get_models():
        for row in model._base_manager.all():
            for field in model._meta.concrete_fields:
                value = getattr(row, field.attname)
                if value is not None:
                    yield f"{model.__name__}.{field.name} {row.pk}", _text(model, field, row, value)


def _text(model: Any, field: Any, row: Any, value: Any) -> str:
    if model is BrowserSession and field.name == "session_data":
        return json.dumps(row.get_decoded(), default=str)
    if not isinstance(field, models.BinaryField):
        return json.dumps(value, ensure_ascii=False, default=str)
    if {(model, field.name), (model.__name__, field.name)} & PLAIN:
        return bytes(value).decode("latin-1")
    circle, where = SEALED[model, field.name](row)
    return json.dumps(crypto.unseal(circle.key(), value, where), ensure_ascii=False)


def found(*needles: str) -> list[str]:
    """Where one of these is still stored, as it is written."""
    return [f"{where}: {text[:200]}" for where, text in everything_stored() if any(n in text for n in needles)]
