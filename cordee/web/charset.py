"""Forms come in UTF-8, or not at all."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

View = Callable[[HttpRequest], HttpResponse]


class Utf8Alone:
    """Middleware: 415 to a form that says it is written in anything else; no browser sends one from our pages.

    Django reads a form by whatever codec of Python it names: some are not for texts and raise, some make halves of
    characters that no page can then hold.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        named = (request.content_params or {}).get("charset", "utf-8")
        if named.lower() not in {"utf-8", "utf8"}:
            return render(request, "400.html", status=415)
        return self.get_response(request)
