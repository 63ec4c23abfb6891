"""Which forms' words the server has taken: the next page tells the browser, which kept them until then (web/keep.js).

A form names what it keeps in its field ``kept``, which the script alone adds. A form is taken when its answer leads on
to another page; one that is refused is shown again. Who was not signed in any more is led on too, to sign in: nothing
was taken. The names are of forms and things ("success-42"), never a word.
"""

import re
from collections.abc import Callable

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

TAKEN = "taken_words"  # in a session: names, until a page has told them
MOST = 20  # names that wait to be told
NAME = re.compile(r"[\w-]{1,100}")
LEADS_ON = {302, 303}


class Taken:
    """Middleware: notes what was taken in the session of who sent it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and response.status_code in LEADS_ON and request.user.is_authenticated:
            names = NAME.findall(request.POST.get("kept", ""))
            if names:
                request.session[TAKEN] = [*request.session.get(TAKEN, []), *names][-MOST:]
        return response


def told(request: HttpRequest) -> str:
    """The names taken since the last page of this session, with spaces between them; told once."""
    session = getattr(request, "session", None)
    return " ".join(session.pop(TAKEN)) if session is not None and TAKEN in session else ""


def owner(account: Model) -> str:
    """What stands on a device for whose words it keeps: no address, no number, of this server alone."""
    return salted_hmac("cordee.web.words", f"{account.__class__.__name__} {account.pk}").hexdigest()[:20]
