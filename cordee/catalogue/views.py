"""The catalogue as visitors see it."""

from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cordee.catalogue import queries


@require_safe
def workshop_list(request: HttpRequest) -> HttpResponse:
    categories = [(name, list(group)) for name, group in groupby(queries.workshops(), lambda found: found.category)]
    return render(request, "catalogue/list.html", {"categories": categories})


@require_safe
def workshop_page(request: HttpRequest, slug: str) -> HttpResponse:
    workshop = queries.workshop(slug)
    if workshop is None:
        raise Http404
    return render(request, "catalogue/workshop.html", {"workshop": workshop})


@require_safe
def image(request: HttpRequest, path: str) -> FileResponse:
    """An image of the catalogue folder, and nothing else of it."""
    from cordee.catalogue.reading import IMAGE_TYPES, safe_image

    found = safe_image(Path(settings.CATALOGUE_DIR), path)
    if found is None:
        raise Http404
    return FileResponse(
        found.open("rb"),
        content_type=IMAGE_TYPES[found.suffix.lower()],
        headers={"Cache-Control": "public, max-age=3600"},
    )
