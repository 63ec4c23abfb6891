from django.conf.urls.i18n import urlpatterns as language
from django.urls import path

from cordee.web import views

urlpatterns = [
    path("", views.home, name="home"),
    path(".well-known/security.txt", views.security_txt, name="security"),
    *language,
]
