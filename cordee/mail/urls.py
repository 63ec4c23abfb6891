from django.urls import path

from cordee.mail import views

app_name = "mail"
urlpatterns = [
    path("", views.letters, name="letters"),
    path("<int:letter>/reessayer/", views.again, name="again"),
    path("preferences/", views.preferences, name="wishes"),
    path("stop/<str:token>/", views.stop, name="stop"),
    path("reprendre/<str:token>/", views.resume, name="resume"),
    path("boite/", views.mailbox, name="mailbox"),
    path("boite/<int:letter>/", views.one, name="one"),
    path("boite/<int:letter>/html/", views.one_html, name="html"),
    path("boite/<int:letter>/invite.ics", views.one_calendar, name="calendar"),
]
