from django.urls import URLPattern, URLResolver, path

from cordee.home.views import book, data, home, successes

app_name = "home"
urlpatterns: list[URLPattern | URLResolver] = [
    path("accueil/", home.home, name="home"),
    path("engagements/<str:commitment>/reussite/", successes.success, name="success"),
    path("engagements/<str:commitment>/reussite/retirer/", successes.withdraw, name="withdraw_success"),
    path("compte/mes-donnees/", data.data, name="data"),
    path("compte/mes-donnees/archive/", data.archive, name="archive"),
    path("compte/mes-donnees/effacer/", data.erase, name="erase"),
    path("compte/efface/", data.erased, name="erased"),
    path("compte/registre/", data.register, name="register"),
    path("cercles/<int:circle>/mon-carnet/", book.book, name="book"),
    path("cercles/<int:circle>/mon-carnet/pdf/", book.pdf, name="book_pdf"),
    path("cercles/<int:circle>/mon-carnet/markdown/", book.markdown, name="book_markdown"),
]
