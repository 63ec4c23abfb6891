from django.urls import URLPattern, URLResolver, path

from cordee.followup import views

app_name = "followup"
urlpatterns: list[URLPattern | URLResolver] = [
    path("engagements/", views.commitments, name="commitments"),
    path("engagements/<str:commitment>/", views.commitment, name="commitment"),
    path("engagements/<str:commitment>/ou-j-en-suis/", views.answer, name="answer"),
    path("engagements/<str:commitment>/reponse/<str:token>/", views.one_tap, name="one_tap"),
    path("apprentissages/", views.learnings, name="learnings"),
    path("apprentissages/publies/<int:space>/", views.publications, name="published"),
    path("apprentissages/<str:learning>/publier/", views.publish, name="publish"),
    path("situations/<str:situation>/rappel/", views.recalled, name="recalled"),
]
