"""While the database cannot be read or written: a page that says so, gives back what was typed, and sends it again."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

AGAIN_AFTER = 10  # seconds
MOST_WRITING = 4  # of the eight threads that serve pages: the others go on reading
STUCK = 1.0  # seconds after which a write is taken for one that waits for the database
log = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponse]


class Narrows:
    """At most ``most`` pass at once. One comes after the other, but behind one that is stuck nobody waits."""

    def __init__(self, most: int, stuck: float) -> None:
        self.most, self.stuck = most, stuck
        self._since: dict[int, float] = {}  # who is inside, and since when
        self._changed = threading.Condition()

    def enter(self) -> bool:
        """Whether this thread may pass; it calls :meth:`leave` then."""
        with self._changed:
            while len(self._since) >= self.most:
                left = self.stuck - (monotonic() - min(self._since.values()))
                if left <= 0:
                    return False
                self._changed.wait(left)
            self._since[threading.get_ident()] = monotonic()
            return True

    def leave(self) -> None:
        with self._changed:
            del self._since[threading.get_ident()]
            self._changed.notify()


class Unavailable:
    """Middleware: 503 in the reader's language when a view meets a database that does not work, or must not wait."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self.narrows = Narrows(MOST_WRITING, STUCK)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return self._answer(request)
        if not self.narrows.enter():
            return unavailable(request)
        try:
            return self._answer(request)
        finally:
            self.narrows.leave()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # One opened while the database was read-only would stay so: the next request opens another.
        if response.status_code == 503 and not connection.in_atomic_block:
            connection.close()
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Error):
            return None
        # The type and the place alone: a message could hold what somebody typed.
        log.error("A page met a database that does not work: %s", type(error).__name__)
        return unavailable(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The 503 answer: to the room's script a short one, to a person a page with a form that holds what was typed."""
    if "X-Cordee" in request.headers:
        answer: HttpResponse = JsonResponse(
            {"reason": "unavailable", "sentence": _("Le serveur n’a pas pu enregistrer.")}
        )
        answer.status_code = 503
    else:
        posted = [(name, value) for name, values in request.POST.lists() for value in values]
        typed = [(name, value) for name, value in posted if name.startswith("body.") or name in {"name", "code"}]
        hidden = [pair for pair in posted if pair not in typed]
        context = {"typed": typed, "hidden": hidden, "posted": request.method == "POST"}
        answer = render(request, "web/503.html", context, status=503)
    answer["Retry-After"] = str(AGAIN_AFTER)
    answer["Cache-Control"] = "no-store"
    return answer
