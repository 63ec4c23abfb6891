"""What a refusal says to the person: what happened, and what to do."""

from django.utils.translation import gettext, gettext_noop

from cordee.engine.refusal import Refused
from cordee.live.tally import Tally

REFUSALS = {
    "stranger": gettext_noop("Cette place n’est plus ouverte. Demandez un nouveau lien à l’animateur·rice."),
    "revoked": gettext_noop("Cette place a été retirée. Parlez-en à l’animateur·rice."),
    "closed": gettext_noop("La séance est terminée : on n’écrit plus dans cette salle. Votre bilan reste lisible."),
    "not_facilitator": gettext_noop("Ce geste revient à l’animateur·rice."),
    "not_oneself": gettext_noop("Ce geste concerne quelqu’un d’autre que vous."),
    "no_such_seat": gettext_noop("Cette personne n’est pas dans la salle, ou en est partie."),
    "still_here": gettext_noop("L’écran de {name} est encore relié : seul·e {name} agit pour soi."),
    "no_device": gettext_noop("{name} n’a pas d’écran et ne peut pas animer."),
    "has_device": gettext_noop("{name} a son propre écran : ce choix lui revient."),
    "no_name": gettext_noop("Il manque votre prénom."),
    "name_too_long": gettext_noop("Ce prénom est trop long : {longest} caractères au plus."),
    "name_taken": gettext_noop(
        "Quelqu’un s’appelle déjà {name} ici. Ajoutez une initiale ; ou, si c’est vous, rouvrez votre lien personnel."
    ),
    "room_full": gettext_noop("La salle est pleine."),
    "bad_id": gettext_noop("Cet envoi est abîmé. Rechargez la page : votre texte est gardé."),
    "not_this_step": gettext_noop("Ce n’est plus le moment de l’écrire. Votre texte est gardé sur votre écran."),
    "not_your_role": gettext_noop("À cette étape, ce n’est pas votre rôle."),
    "not_your_turn": gettext_noop("C’est à {name} de parler. Votre texte est gardé pour votre tour."),
    "not_yours": gettext_noop("Seule la personne concernée peut le faire."),
    "empty_field": gettext_noop("Il manque : {field}"),
    "too_long": gettext_noop(
        "« {field} » est trop long : {length} caractères, {longest} au plus. Raccourcissez un peu."
    ),
    "bad_value": gettext_noop("« {field} » n’est pas compris. Choisissez une des réponses proposées."),
    "already_revealed": gettext_noop("Tout est déjà ouvert."),
    "not_open_yet": gettext_noop("Rien n’est encore ouvert : les thèmes se proposent sur ce que chacun peut lire."),
    "enough": gettext_noop("Vous en avez déjà {most}, c’est le plus qu’on puisse tenir. Modifiez-en un."),
    "in_use": gettext_noop("Le groupe travaille sur cette situation : elle ne peut pas être retirée maintenant."),
    "not_all_agree": gettext_noop("Attendez que chacun ait compris la demande : {names}."),
    "no_cards": gettext_noop("Il n’y a pas de cartes dans cette méthode."),
    "last_step": gettext_noop("C’est la dernière étape. Ouvrez une nouvelle consultation ou terminez la séance."),
    "first_step": gettext_noop("C’est la première étape."),
    "no_such_step": gettext_noop("Cette étape n’existe pas dans la méthode."),
    "gate": gettext_noop("La suite n’ouvre pas avant la fin de l’étape « {step} »."),
    "protected": gettext_noop("L’étape « {step} » ne se saute pas sans un mot : dites au groupe pourquoi."),
    "nothing_sealed": gettext_noop("Il n’y a rien à ouvrir à cette étape."),
    "no_floor": gettext_noop("Ici, chacun parle librement."),
    "not_in_ring": gettext_noop("Cette personne n’est pas dans ce tour de parole."),
    "no_such_situation": gettext_noop("Cette situation a été retirée."),
    "round_begun": gettext_noop(
        "La consultation de {name} est engagée. Ouvrez une nouvelle consultation pour une autre personne."
    ),
    "client_away": gettext_noop("{name} n’est pas là : choisissez une autre situation ou attendez son retour."),
    "client_twice": gettext_noop(
        "{name} a déjà été client·e, et {names} attend encore son tour. "
        "Si le groupe est d’accord, cochez-le et choisissez."
    ),
    "somebody_leads": gettext_noop("Quelqu’un anime déjà cette séance."),
    "too_early": gettext_noop("Attendez encore {minutes} min : la personne qui anime est peut-être en chemin."),
    "group_not_asked": gettext_noop("Demandez d’abord au groupe, puis cochez qu’il est d’accord."),
    "door_kept": gettext_noop("Dans la salle d’une séance, la porte reste gardée : vous ouvrez à chaque invité."),
    "meeting_cancelled": gettext_noop("Cette séance est annulée : sa salle n’ouvre pas."),
    "claimed": gettext_noop("Cette place est déjà rattachée à un autre compte."),
    "seated_twice": gettext_noop("Votre compte a déjà une place dans cette salle : entrez par elle."),
    "nothing_to_undo": gettext_noop("Il n’y a rien à annuler."),
    # What the transport refuses
    "origin": gettext_noop("Cet envoi ne vient pas de cette page. Rechargez-la."),
    "too_large": gettext_noop("Ce texte est trop long pour être envoyé."),
    "unavailable": gettext_noop("Le serveur n’a pas pu enregistrer. Votre texte est gardé ici et repartira tout seul."),
    "unkeepable": gettext_noop(
        "Ce texte contient un signe que le serveur ne sait pas garder. Retirez ce qui a été collé, puis renvoyez-le."
    ),
    "not_written": gettext_noop(
        "Le serveur n’a pas pu enregistrer ce geste. Rien n’est perdu : ce que vous aviez écrit est encore sur cette "
        "page. Attendez un peu, puis recommencez."
    ),
    "unknown": gettext_noop("Ce geste n’est pas connu de cette version. Rechargez la page."),
    "too_often": gettext_noop("Trop d’essais. Attendez quelques minutes, puis recommencez."),
    "no_such_code": gettext_noop("Aucune salle n’a ce code. Vérifiez-le auprès de l’animateur·rice."),
}


said = Tally(*REFUSALS)


def sentence(refused: Refused) -> str:
    """The refusal in the reader's language."""
    said.add(refused.reason)
    text = gettext(REFUSALS.get(refused.reason, REFUSALS["unknown"]))
    about = {
        key: gettext(value) if key in {"field", "step"} and value else value for key, value in refused.about.items()
    }
    return text.format_map(about)
