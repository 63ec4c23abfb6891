"""What one takes home."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cordee.engine.record import Record, records_for
from cordee.room import access, actions, documents, store


@require_GET
@never_cache
def record(request: HttpRequest, room: str) -> HttpResponse:
    """What this person may take home, to read."""
    records = _records(request, room)
    downloads = [
        (f"{gettext(r.title)} ({kind})", reverse("room:download", args=[room, r.id, ext]))
        for r in records
        for kind, ext in (("PDF", "pdf"), ("Markdown", "md"))
    ]
    zone = timezone.get_current_timezone()
    html = mark_safe("".join(documents.html(r, zone) for r in records))
    context = {"records": records, "record_html": html, "downloads": downloads}
    owned = actions.is_owned(room, access.seated(request, room).seat)
    return render(request, "room/record.html", context | {"room": room, "owned": owned})


@require_GET
@never_cache
def download(request: HttpRequest, room: str, name: str, kind: str) -> HttpResponse:
    found = next((r for r in _records(request, room) if r.id == name), None)
    if found is None:
        raise Http404
    pdf = kind == "pdf"
    zone = timezone.get_current_timezone()
    try:
        content = documents.pdf_in_child(found, zone) if pdf else documents.markdown(found, zone).encode()
    except documents.DocumentError as error:  # a sentence for the reader, without a word of the record
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    response = HttpResponse(content, content_type="application/pdf" if pdf else "text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="cordee-{slugify(found.id)}.{kind}"'
    return response


def _records(request: HttpRequest, room: str) -> tuple[Record, ...]:
    key = access.seated(request, room)
    records = records_for(store.load(room).state, key.seat)
    if not records:
        raise Http404
    return records
