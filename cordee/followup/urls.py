from django.urls import URLPattern, URLResolver, path

from cordee.followup.views import balance, closing, commitments, learnings, publications, successes

app_name = "followup"
urlpatterns: list[URLPattern | URLResolver] = [
    path("cercles/<int:circle>/bilan/", closing.closing, name="closing"),
    path("cercles/<int:circle>/donner-recevoir/", balance.balance, name="balance"),
    path("cercles/<int:circle>/donner-recevoir/cacher/", balance.hide, name="hide_balance"),
    path("cercles/<int:circle>/donner-recevoir/montrer/", balance.show, name="show_balance"),
    path("engagements/", commitments.commitments, name="commitments"),
    path("engagements/<str:commitment>/", commitments.commitment, name="commitment"),
    path("engagements/<str:commitment>/ou-j-en-suis/", commitments.answer, name="answer"),
    path("engagements/<str:commitment>/reponse/<str:token>/", commitments.one_tap, name="one_tap"),
    path("cercles/<int:circle>/reussites/", successes.wall, name="successes"),
    path("apprentissages/", learnings.learnings, name="learnings"),
    path("apprentissages/pour-moi/<int:circle>/", learnings.keep_alone, name="keep_alone"),
    path("apprentissages/<str:kept>/partager/", learnings.share, name="share"),
    path("apprentissages/publies/<int:space>/", publications.publications, name="published"),
    path("apprentissages/<str:learning>/publier/", publications.publish, name="publish"),
    path("situations/<str:situation>/rappel/", learnings.recalled, name="recalled"),
]
