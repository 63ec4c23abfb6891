from django.urls import path, re_path

from cordee.room.views import acts, doors, places, records, stage

app_name = "room"
urlpatterns = [
    path("salles/nouvelle/", doors.new, name="new"),
    path("rejoindre/", doors.code, name="code"),
    path("s/<str:code>/", doors.join, name="join"),
    path("place/<str:token>/", doors.place, name="place"),
    path("salle/<str:room>/", stage.stage, name="stage"),
    path("salle/<str:room>/contributions", acts.act, name="act"),
    path("salle/<str:room>/maintenant", stage.now, name="now"),
    path("salle/<str:room>/brouillon", acts.draft, name="draft"),
    path("salle/<str:room>/indice", acts.private_hint, name="hint"),
    path("salle/<str:room>/code", acts.renew, name="renew"),
    path("salle/<str:room>/sortir", acts.leave, name="leave"),
    path("salle/<str:room>/rattacher/", places.claim, name="claim"),
    path("salle/<str:room>/ma-place/", places.mine, name="mine"),
    path("seances/<int:meeting>/salle/", places.meeting, name="meeting"),
    path("salle/<str:room>/bilan/", records.record, name="record"),
    re_path(r"^salle/(?P<room>[\w-]+)/bilan/(?P<name>[\w-]+)\.(?P<kind>pdf|md)$", records.download, name="download"),
    path("ecran/<str:room>/", stage.screen, name="screen"),
    path("ecran/<str:room>/maintenant", stage.now, {"screen": True}, name="screen-now"),
]
