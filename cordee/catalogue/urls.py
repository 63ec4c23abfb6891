from django.urls import path

from cordee.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.workshop_list, name="list"),
    path("images/<path:path>", views.image, name="image"),
    path("<slug:slug>/", views.workshop_page, name="workshop"),
]
