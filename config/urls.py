"""Every address of the site but the two live ones, which live in cordee/live/asgi.py."""

from django.urls import include, path

urlpatterns = [
    path("", include("cordee.web.urls")),
    path("ateliers/", include("cordee.catalogue.urls")),
    path("", include("cordee.room.urls")),
    path("", include("cordee.home.urls")),
    path("", include("cordee.circles.urls")),
    path("", include("cordee.followup.urls")),
    path("", include("cordee.accounts.urls")),
    path("courrier/", include("cordee.mail.urls")),
    path("tableau/", include("cordee.dossier.urls")),
]
