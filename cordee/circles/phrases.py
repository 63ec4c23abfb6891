"""What is said to people about who is in a circle: each finding says what it is and what to do."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cordee.circles.compose import Finding


def sentence(found: Finding) -> str:
    first, *others = found.names or ("",)
    said = {
        "value": found.value,
        "first": first,
        "second": others[0] if others else "",
        "names": listed(found.names),
    }
    return _finding(found) % said


def listed(names: Sequence[str]) -> str:
    """``Claire, Karim et Nadia``."""
    if len(names) < 2:
        return "".join(names)
    return _("%(all)s et %(last)s") % {"all": ", ".join(names[:-1]), "last": names[-1]}


def _finding(found: Finding) -> str:
    match found.kind:
        case "few":
            return _few(int(found.value))
        case "many":
            return _(
                "%(value)s participants : au-delà de huit, chacun parle trop peu. Pensez à deux cercles, ou à la liste "
                "d’attente."
            )
        case "unled":
            return _(
                "Personne n’anime ce cercle. Nommez un·e animateur·rice : sans elle ou lui, aucune salle ne s’ouvre."
            )
        case "organiser_leads":
            return _(
                "%(first)s organise cet espace et anime ce cercle, dont elle ou il lira donc la salle. Dites-le aux "
                "membres, ou nommez quelqu’un d’autre."
            )
        case "manages":
            return _("%(first)s est responsable hiérarchique de %(second)s. Placez l’un des deux dans un autre cercle.")
        case "manages_above":
            return _(
                "%(first)s est au-dessus de %(second)s dans la hiérarchie. Placez l’un des deux dans un autre cercle."
            )
        case "leader_manages":
            return _(
                "%(first)s anime ce cercle et est responsable hiérarchique de %(second)s. Confiez l’animation à "
                "quelqu’un d’autre."
            )
        case "leader_manages_above":
            return _(
                "%(first)s anime ce cercle et est au-dessus de %(second)s dans la hiérarchie. Confiez l’animation à "
                "quelqu’un d’autre."
            )
        case "team":
            return _("%(names)s sont de la même équipe (%(value)s). Séparez-les si un autre cercle le permet.")
        case "one_site":
            return _("Tous ceux dont le site est connu sont de %(value)s. Cherchez quelqu’un d’un autre site.")
        case "one_branch":
            return _("Tous ceux dont la branche est connue sont de %(value)s. Cherchez quelqu’un d’une autre branche.")
        case "one_level":
            return _(
                "Tous ceux dont le niveau est connu sont au même (%(value)s). Cherchez quelqu’un d’un autre niveau."
            )
    raise KeyError(found.kind)


def _few(count: int) -> str:
    if not count:
        return _("Personne encore ne participe. Ajoutez de cinq à huit personnes.")
    return ngettext(
        "%(value)s participant : à moins de cinq, les points de vue manquent. Ajoutez quelqu’un.",
        "%(value)s participants : à moins de cinq, les points de vue manquent. Ajoutez quelqu’un.",
        count,
    )
