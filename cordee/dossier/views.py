"""Pages of the administrative plane."""

from datetime import date

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cordee.accounts import access
from cordee.accounts.models import Space
from cordee.accounts.rules import needs
from cordee.dossier import queries

A_PAGE = 50


@require_GET
@never_cache
@needs("board.see", access.space)
def board(request: HttpRequest, space: Space) -> HttpResponse:
    """Where the rooms of a day are (``?jour=2027-03-14``, today by default): steps, minutes, counts, and not a word."""
    day = _day(request.GET.get("jour", ""))
    page = Paginator(queries.meetings_of_day(space, day), A_PAGE).get_page(request.GET.get("page"))
    lines = queries.board(page.object_list)
    context = {
        "space": space,
        "day": day,
        "now": timezone.localtime(),
        "page": page,
        "lines": lines,
        "tally": queries.tally(lines),
    }
    return render(request, "dossier/board.html", context)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()
