"""A list of people: given, looked at in numbers, then confirmed. What is confirmed is read and compared anew."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cordee.accounts import access, limits, lists
from cordee.accounts.models import Space, User
from cordee.accounts.reading import LARGEST, read
from cordee.accounts.rules import needs
from cordee.web import incidents

MOST_SHOWN = 50  # faults of a list on its page


@require_http_methods(["GET", "POST"])
@never_cache
@needs("people.import", access.space)
def give(request: HttpRequest, space: Space) -> HttpResponse:
    """Give a file, and see what it would change."""
    user = access.me(request)
    if request.method == "GET":
        return render(request, "accounts/list.html", {"space": space})
    if "confirm" in request.POST:
        return _confirm(request, space, user)
    given = request.FILES.get("file")
    error = ""
    if limits.count("import", str(user.pk)) > limits.LIMITS["import"][0]:
        incidents.noticed("too_often", request)
        error = _("Trop de listes en une heure. Réessayez plus tard.")
    elif given is None:
        error = _("Choisissez un fichier.")
    elif (given.size or 0) > LARGEST:
        error = _("Ce fichier dépasse 5 Mo. Coupez la liste en plusieurs fichiers.")
    if error or given is None:
        return render(request, "accounts/list.html", {"space": space, "error": error}, status=400)
    content = given.read()
    made = lists.plan(space, read(content))
    if made.can_be_done:
        lists.keep(space, user, content)
    return _shown(request, space, made, 200 if made.can_be_done else 400)


def _confirm(request: HttpRequest, space: Space, user: User) -> HttpResponse:
    reading = lists.kept(space, user)
    if reading is None:
        error = _("Cette liste n’attend plus. Choisissez le fichier à nouveau.")
        return render(request, "accounts/list.html", {"space": space, "error": error}, status=409)
    made = lists.import_people(space, reading)
    if not made.can_be_done:  # the space changed since
        return _shown(request, space, made, 409)
    lists.throw_away(space, user)
    return redirect("accounts:people", space=space.pk)


def _shown(request: HttpRequest, space: Space, made: lists.Plan, status: int) -> HttpResponse:
    context = {"space": space, "plan": made, "faults": made.faults[:MOST_SHOWN], "more": len(made.faults) - MOST_SHOWN}
    return render(request, "accounts/list_preview.html", context, status=status)
