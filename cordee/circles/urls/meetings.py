from django.urls import URLPattern, path

from cordee.circles.views import agenda, meetings, polls

addresses: list[URLPattern] = [
    path("cercles/<int:circle>/seances/", meetings.meetings, name="meetings"),
    path("cercles/<int:circle>/seances/planifier/", meetings.plan, name="plan"),
    path("cercles/<int:circle>/seances/disponibilites/", polls.propose, name="propose"),
    path("seances/<int:meeting>/", meetings.meeting, name="meeting"),
    path("seances/<int:meeting>/seance.ics", agenda.file, name="meeting_file"),
    path("seances/<int:meeting>/reponse/", meetings.reply, name="reply"),
    path("seances/<int:meeting>/changer/", meetings.move, name="move"),
    path("seances/<int:meeting>/annuler/", meetings.cancel, name="cancel"),
    path("seances/<int:meeting>/maintenir/", meetings.keep, name="keep"),
    path("seances/<int:meeting>/disponibilites/", polls.availability, name="availability"),
    path("seances/<int:meeting>/disponibilites/reponse/", polls.answer, name="answer"),
    path("seances/<int:meeting>/disponibilites/relance/", polls.remind, name="remind"),
    path("seances/<int:meeting>/disponibilites/choix/", polls.decide, name="decide"),
    # By the links of letters, and by calendars: without a session.
    path("seances/reponse/<str:token>/", meetings.reply_by_link, name="reply_by_link"),
    path("seances/disponibilites/<str:token>/", polls.availability_by_link, name="availability_by_link"),
    path("agenda/", agenda.agenda, name="agenda"),
    path("agenda/nouvelle-adresse/", agenda.renew, name="renew"),
    path("agenda/<str:token>.ics", agenda.feed, name="feed"),
]
