from django.urls import URLPattern, path

from cordee.circles.views import charter, circles

addresses: list[URLPattern] = [
    path("cercles/", circles.mine, name="mine"),
    path("espaces/<int:space>/cercles/", circles.of_space, name="list"),
    path("espaces/<int:space>/cercles/nouveau/", circles.create, name="create"),
    path("espaces/<int:space>/cercles/en-nombres/", circles.numbers, name="numbers"),
    path("cercles/<int:circle>/", circles.circle, name="circle"),
    path("cercles/<int:circle>/modifier/", circles.edit, name="edit"),
    path("cercles/<int:circle>/clore/", circles.end, name="end"),
    path("cercles/<int:circle>/quitter/", circles.leave, name="leave"),
    path("cercles/<int:circle>/place/", circles.place, name="place"),
    path("cercles/<int:circle>/membres/", circles.composition, name="members"),
    path("cercles/<int:circle>/membres/<int:membership>/", circles.member, name="member"),
    path("cercles/<int:circle>/charte/", charter.charter, name="charter"),
    path("cercles/<int:circle>/charte/signer/", charter.sign, name="sign"),
    path("cercles/<int:circle>/charte/modifier/", charter.propose, name="new_charter"),
    path("cercles/<int:circle>/charte/<int:version>/", charter.version, name="charter_version"),
]
