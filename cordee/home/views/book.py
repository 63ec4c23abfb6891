"""One's own book of a circle, to take home."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cordee.accounts.models import Person
from cordee.accounts.queries import person_of
from cordee.accounts.rules import SignedIn, needs
from cordee.circles import access, crypto
from cordee.circles.models import Circle
from cordee.home import book as books
from cordee.room import documents

TYPES = {"pdf": "application/pdf", "md": "text/markdown; charset=utf-8"}


@require_safe
@never_cache
@needs("book.take", access.circle)
def book(request: SignedIn, circle: Circle) -> HttpResponse:
    """What the book holds, until when it can be taken, and in which forms."""
    return _page(request, circle)


@require_safe
@never_cache
@needs("book.take", access.circle)
def pdf(request: SignedIn, circle: Circle) -> HttpResponse:
    return _download(request, circle, "pdf")


@require_safe
@never_cache
@needs("book.take", access.circle)
def markdown(request: SignedIn, circle: Circle) -> HttpResponse:
    return _download(request, circle, "md")


def _download(request: SignedIn, circle: Circle, kind: str) -> HttpResponse:
    person: Person | None = person_of(request.user, circle.space) if circle.space else None
    if not circle.wrapped_key or person is None:
        return redirect("home:book", circle.pk)
    try:
        told = books.book(circle, person)
        content = documents.printed(told) if kind == "pdf" else documents.written(told).encode()
    except crypto.Unreadable:
        return _page(request, circle, unreadable=True)
    except documents.DocumentError as error:  # a sentence for the reader, without a word of the book
        return _page(request, circle, error=str(error))
    answer = HttpResponse(content, content_type=TYPES[kind])
    answer["Content-Disposition"] = f'attachment; filename="carnet-{slugify(circle.name) or circle.pk}.{kind}"'
    return answer


def _page(request: SignedIn, circle: Circle, error: str = "", unreadable: bool = False) -> HttpResponse:
    page = {"circle": circle, "error": error, "unreadable": unreadable}
    return render(request, "home/book.html", page, status=503 if error or unreadable else 200)
