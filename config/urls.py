"""Every address of the site but the two live ones, which live in cordee/live/asgi.py."""

from django.urls import include, path

urlpatterns = [
    path("", include("cordee.web.urls")),
    path("ateliers/", include("cordee.catalogue.urls")),
    path("", include("cordee.room.urls")),
]
