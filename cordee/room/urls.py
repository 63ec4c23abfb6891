from django.urls import path, re_path

from cordee.room import views

app_name = "room"
urlpatterns = [
    path("salles/nouvelle/", views.new, name="new"),
    path("rejoindre/", views.code, name="code"),
    path("s/<str:code>/", views.join, name="join"),
    path("place/<str:token>/", views.place, name="place"),
    path("salle/<str:room>/", views.stage, name="stage"),
    path("salle/<str:room>/contributions", views.act, name="act"),
    path("salle/<str:room>/maintenant", views.now, name="now"),
    path("salle/<str:room>/brouillon", views.draft, name="draft"),
    path("salle/<str:room>/indice", views.private_hint, name="hint"),
    path("salle/<str:room>/code", views.renew, name="renew"),
    path("salle/<str:room>/sortir", views.leave, name="leave"),
    path("salle/<str:room>/rattacher/", views.claim, name="claim"),
    path("salle/<str:room>/ma-place/", views.mine, name="mine"),
    path("seances/<int:meeting>/salle/", views.meeting, name="meeting"),
    path("salle/<str:room>/bilan/", views.record, name="record"),
    re_path(r"^salle/(?P<room>[\w-]+)/bilan/(?P<name>[\w-]+)\.(?P<kind>pdf|md)$", views.download, name="download"),
    path("ecran/<str:room>/", views.screen, name="screen"),
    path("ecran/<str:room>/maintenant", views.now, {"screen": True}, name="screen-now"),
]
