from django.urls import URLPattern, path

from cordee.circles.views import situations as views

addresses: list[URLPattern] = [
    path("cercles/<int:circle>/situations/", views.of_circle, name="situations"),
    path("cercles/<int:circle>/situations/nouvelle/", views.begin, name="new_situation"),
    path("situations/<str:situation>/", views.situation, name="situation"),
    path("situations/<str:situation>/brouillon", views.draft, name="situation_draft"),
]
