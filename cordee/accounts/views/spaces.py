"""Spaces, for who organises them, who sponsors them, and the operator who makes them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cordee.accounts import access, actions, queries
from cordee.accounts.forms import NewSpace, SpaceName, Values
from cordee.accounts.models import Space
from cordee.accounts.rules import may, needs


@require_GET
@never_cache
@needs("account.own")
def spaces(request: HttpRequest) -> HttpResponse:
    """The spaces of this person; to the operator, the names of all."""
    user = access.me(request)
    mine = Space.objects.filter(pk__in=user.spaces).order_by("name")
    every = Space.objects.order_by("name") if may(user, "space.create") else Space.objects.none()
    return render(request, "accounts/spaces.html", {"mine": mine, "every": every})


@require_http_methods(["GET", "POST"])
@never_cache
@needs("space.create")
def create(request: HttpRequest) -> HttpResponse:
    form = NewSpace(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wish = form.cleaned_data
        actions.create_space(wish["name"], wish["organiser"], wish["address"])
        return redirect("accounts:spaces")
    return render(request, "accounts/space_new.html", {"form": form}, status=400 if form.errors else 200)


@require_GET
@never_cache
@needs("space.see", access.space)
def space(request: HttpRequest, space: Space) -> HttpResponse:
    """A space in numbers, and for its organisers the way to its people."""
    return render(request, "accounts/space.html", {"space": space, "figures": queries.figures(space)})


@require_http_methods(["GET", "POST"])
@never_cache
@needs("space.edit", access.space)
def rename(request: HttpRequest, space: Space) -> HttpResponse:
    form = SpaceName(request.POST or None, instance=space)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("accounts:space", space=space.pk)
    page = {"form": form, "space": Space.objects.get(pk=space.pk)}
    return render(request, "accounts/space_name.html", page, status=400 if form.errors else 200)


@require_GET
@never_cache
@needs("values.see", access.space)
def values(request: HttpRequest, space: Space) -> HttpResponse:
    """What a space holds to, for all its people."""
    return render(request, "accounts/values.html", {"space": space, "values": queries.values(space)})


@require_http_methods(["GET", "POST"])
@never_cache
@needs("values.edit", access.space)
def edit_values(request: HttpRequest, space: Space) -> HttpResponse:
    form = Values(request.POST or None, initial={"names": "\n".join(queries.values(space))})
    if request.method == "POST" and form.is_valid():
        actions.set_values(space, form.cleaned_data["names"])
        return redirect("accounts:values", space=space.pk)
    page = {"form": form, "space": space}
    return render(request, "accounts/values_edit.html", page, status=400 if form.errors else 200)
