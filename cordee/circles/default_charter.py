"""The charter that a circle starts with: our own words, which its people change as they wish."""

from django.utils.translation import gettext as _


def scope() -> str:
    return _(
        "Tous les membres et l’animateur·rice, pendant le cercle et après ; "
        "sur tout ce qui est dit, écrit ou deviné en séance."
    )


def text() -> str:
    """Paragraphs separated by an empty line, in the reader's language."""
    return "\n\n".join(
        (
            _(
                "Nous nous réunissons pour nous aider, entre pairs, à partir de situations vraies. Chacun vient de "
                "son plein gré, et chacun est client au moins une fois."
            ),
            _(
                "Ce qui se dit ici reste ici. Je ne rapporte à personne, dedans ou dehors, ce qu’un autre a dit, "
                "écrit ou laissé deviner, ni sous son nom ni sans son nom. Ce que j’ai appris pour moi, je peux "
                "l’emporter. Si la loi m’oblige à parler (quelqu’un est en danger), je le dis d’abord à la personne "
                "concernée."
            ),
            _(
                "Personne ici n’est le supérieur d’un autre, directement ou par d’autres. Si un lien hiérarchique "
                "existe ou apparaît, nous le disons, et l’un des deux change de cercle."
            ),
            _(
                "Le client décide seul de ce qu’il fait de nos pistes. Nous ne jugeons, ne classons et n’évaluons "
                "personne. Chacun peut se taire, passer son tour, demander une pause."
            ),
            _(
                "Ni enregistrement, ni photo d’écran, ni transcription. L’organisation qui nous réunit sait quand "
                "nous nous réunissons et qui était là ; elle ne lit rien de ce qui s’écrit en séance."
            ),
            _(
                "Le logiciel garde, chiffrés avec une clé propre à ce cercle, les situations préparées, ce qui "
                "s’écrit en séance, nos engagements et nos apprentissages. À la date d’effacement écrite plus bas, "
                "cette clé est détruite : plus personne ne peut les relire. Restent nos noms, les dates, les "
                "présences et qui a été client."
            ),
            _(
                "Chacun peut quitter le cercle à tout moment, sans donner de raison. Ce que j’ai promis de taire, je "
                "le tais encore après mon départ."
            ),
            _(
                "Si cette charte change, chacun relit la nouvelle version et la signe avant d’entrer de nouveau en "
                "séance."
            ),
        )
    )
