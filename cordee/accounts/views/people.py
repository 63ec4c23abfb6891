"""The people of a space, one by one or fifty a page."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cordee.accounts import access, actions, queries
from cordee.accounts.forms import Profile
from cordee.accounts.models import Person, Role, Space
from cordee.accounts.reading import COLUMNS, written
from cordee.accounts.rules import may, needs

A_PAGE = 50


@require_GET
@never_cache
@needs("people.see", access.space)
def people(request: HttpRequest, space: Space) -> HttpResponse:
    """Everybody of the space, found by name or address, filtered by site, branch and level."""
    wish = {name: request.GET.get(name, "")[:120] for name in ("q", *queries.FILTERS)}
    page = Paginator(queries.search(space, wish), A_PAGE).get_page(request.GET.get("page"))
    labels = {"site": _("Site"), "branch": _("Branche"), "level": _("Niveau")}
    filters = [(name, labels[name], values, wish[name]) for name, values in queries.choices(space).items() if values]
    asked = urlencode({name: value for name, value in wish.items() if value})
    context = {"space": space, "page": page, "wish": wish, "filters": filters, "asked": asked}
    return render(request, "accounts/people.html", context)


@require_GET
@never_cache
@needs("people.see", access.space)
def download(request: HttpRequest, space: Space) -> HttpResponse:
    """Everybody of the space as a file that can be corrected and given back."""
    return _file(_rows(space), "cordee-personnes.csv")


def _rows(space: Space):  # type: ignore[no-untyped-def]
    yield [_(title) for name, (title, _others, _most) in COLUMNS.items() if name != "first_name"]
    for person in queries.present(space).select_related("manager").order_by("name", "pk").iterator():
        manager = person.manager.email if person.manager else ""
        yield [
            person.name,
            person.email,
            person.organisation,
            person.site,
            person.branch,
            person.team,
            person.level,
            manager,
        ]


def _file(rows, name: str) -> HttpResponse:  # type: ignore[no-untyped-def]
    response = HttpResponse(written(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_http_methods(["GET", "POST"])
@never_cache
@needs("people.import", access.space)
def add(request: HttpRequest, space: Space) -> HttpResponse:
    form = Profile(request.POST or None, instance=Person(space=space), space=space, own=False)
    if request.method == "POST" and form.is_valid():
        person = form.save(commit=False)
        fields = {name: getattr(person, name) for name in Profile.Meta.fields}
        made = actions.add_person(space, **fields, manager=person.manager)
        return redirect("accounts:person", person=made.pk)
    context = {"form": form, "space": space}
    return render(request, "accounts/person_new.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@never_cache
@needs("person.see", access.person)
def person(request: HttpRequest, person: Person) -> HttpResponse:
    """A person of a space: what they say of themselves, read and corrected by them and by its organisers."""
    user = access.me(request)
    own = user.person_in(person.space_id) == person.pk
    if request.method == "POST" and not may(user, "person.edit", person):
        raise Http404
    form = Profile(request.POST or None, instance=person, space=person.space, own=own)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("accounts:person", person=person.pk)
    context = {
        "form": form,
        "person": Person.objects.select_related("space").get(pk=person.pk),
        "roles": set(person.roles.values_list("role", flat=True)),
        "own": own,
        "organises": may(user, "people.see", person.space),
    }
    return render(request, "accounts/person.html", context, status=400 if form.errors else 200)


@require_POST
@never_cache
@needs("person.roles", access.person)
def roles(request: HttpRequest, person: Person) -> HttpResponse:
    wished = set(request.POST.getlist("role")) & {Role.ORGANISER, Role.SPONSOR}
    if not actions.set_roles(person, wished):
        return _last(request, person)
    return redirect("accounts:person", person=person.pk)


@require_http_methods(["GET", "POST"])
@never_cache
@needs("person.leave", access.person)
def leave(request: HttpRequest, person: Person) -> HttpResponse:
    """Somebody leaves the space: asked once more, then done."""
    if request.method == "GET":
        return render(request, "accounts/person_leave.html", {"person": person})
    if not actions.leave_space(person):
        return _last(request, person)
    return redirect("accounts:people", space=person.space_id)


def _last(request: HttpRequest, person: Person) -> HttpResponse:
    error = _("C’est la seule personne qui organise cet espace. Nommez-en d’abord une autre.")
    return render(request, "accounts/person_leave.html", {"person": person, "error": error}, status=409)


@require_GET
@never_cache
@needs("people.import", access.space)
def model_file(request: HttpRequest, space: Space) -> HttpResponse:
    """A file to fill in: the titles, and two lines as an example."""
    titles = [_(title) for title, _others, _most in COLUMNS.values()]
    here = ["Atelier du Lac", "Annecy"]
    lines = [
        ["Rose", "", "rose@exemple.fr", *here, "Ressources humaines", "RH", "Direction", ""],
        ["Karim", "", "karim@exemple.fr", *here, "Production", "Atelier 2", "Chef d’équipe", "rose@exemple.fr"],
    ]
    return _file(iter([titles, *lines]), "cordee-modele.csv")
