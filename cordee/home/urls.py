from django.urls import URLPattern, URLResolver, path

from cordee.home.views import data, home

app_name = "home"
urlpatterns: list[URLPattern | URLResolver] = [
    path("accueil/", home.home, name="home"),
    path("compte/mes-donnees/", data.data, name="data"),
    path("compte/mes-donnees/archive/", data.archive, name="archive"),
    path("compte/mes-donnees/effacer/", data.erase, name="erase"),
    path("compte/efface/", data.erased, name="erased"),
    path("compte/registre/", data.register, name="register"),
]
