"""What a problem is called on screen, and what its author can do about it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cordee.catalogue.workshop import Problem

LEVELS: dict[str, Promise] = {"error": _("erreur"), "warning": _("attention"), "info": _("note")}

_QUOTES = _("Mettez le texte entre guillemets droits, ou écrivez-le sur la ligne suivante, en retrait, après « >- ».")
_PRICES = _("Écrivez par exemple « 700 € HT soit 840 € TTC », « 700 € net de taxe », « Sur devis » ou « Gratuit ».")
_DAYS = _("Écrivez par exemple « 4 jours », « 2,5 jours », « une demi-journée » ou « 2 jours (14 h) ».")

# code → what was met, what to do.
_SENTENCES: dict[str, tuple[Promise, Promise]] = {
    "empty-file": (_("Le fichier est vide."), _("Écrivez la page, ou supprimez le fichier.")),
    "no-head": (
        _("La page ne commence pas par son en-tête."),
        _("Commencez le fichier par une ligne « --- », les champs (title, category…), puis une autre ligne « --- »."),
    ),
    "toml-head": (
        _("L’en-tête est écrit en TOML (« +++ »), qui n’est pas lu ici."),
        _("Réécrivez l’en-tête en YAML, entre deux lignes « --- »."),
    ),
    "unclosed-head": (
        _("L’en-tête ouvert ici n’est jamais fermé."),
        _("Ajoutez une ligne « --- » entre les champs et le texte de la page."),
    ),
    "head-without-keys": (
        _("L’en-tête ne contient pas de champs."),
        _("Écrivez un champ par ligne, sous la forme « title: Le titre »."),
    ),
    "control-character": (
        _("L’en-tête contient un caractère de contrôle (%(character)s)."),
        _("Effacez ce caractère invisible, par exemple en retapant la ligne."),
    ),
    "tab-in-head": (
        _("L’en-tête contient une tabulation, que YAML refuse."),
        _("Remplacez la tabulation par des espaces (deux par niveau)."),
    ),
    "colon-in-head": (_("Le texte d’un champ contient un deux-points qui le rend illisible."), _QUOTES),
    "open-quote": (
        _("Un guillemet ouvert ici n’est jamais fermé."),
        _('Fermez le guillemet ; dans un texte entre " ", écrivez \\" pour un guillemet.'),
    ),
    "broken-yaml-here": (
        _("L’en-tête n’est plus lisible à partir d’ici."),
        _("Vérifiez le retrait et les guillemets de cette ligne et de celle qui la précède."),
    ),
    "broken-yaml": (
        _("L’en-tête n’est pas lisible (%(detail)s)."),
        _("Vérifiez les retraits et les guillemets de l’en-tête."),
    ),
    "tangled-head": (
        _("L’en-tête est trop imbriqué pour être lu."),
        _("Retirez les renvois (« & » et « * ») et gardez deux niveaux de champs."),
    ),
    "not-utf-8": (_("Le fichier n’est pas encodé en UTF-8."), _("Enregistrez-le de nouveau en choisissant « UTF-8 ».")),
    "byte-order-mark": (
        _("Le fichier commence par une marque d’encodage (BOM), qui est ignorée."),
        _("Rien d’obligatoire ; « UTF-8 sans BOM » l’évite."),
    ),
    "windows-line-ends": (
        _("Les fins de ligne sont celles de Windows ; elles sont comprises."),
        _("Rien d’obligatoire ; un éditeur réglé sur « LF » les évite."),
    ),
    "misencoded": (
        _("Un texte semble mal encodé : « %(text)s » ; il est affiché tel quel."),
        _("Retapez le mot, puis enregistrez le fichier en UTF-8."),
    ),
    "invisible-character": (
        _("La ligne contient un caractère invisible (%(character)s)."),
        _("Rien d’obligatoire ; retaper les mots de la ligne le fait disparaître."),
    ),
    "repeated-key": (
        _("Le champ « %(key)s » est écrit deux fois ; « %(value)s », ligne %(dropped)s, n’est pas retenu."),
        _("Gardez un seul des deux."),
    ),
    "no-title": (
        _("La page n’a pas de titre : elle n’est pas publiée."),
        _("Ajoutez « title: Le titre » à l’en-tête."),
    ),
    "no-category": (
        _("La page n’a pas de catégorie : elle est rangée sous « Autres »."),
        _("Ajoutez « category: Ateliers », ou une autre catégorie."),
    ),
    "no-description": (
        _("La description est vide."),
        _("Une ou deux phrases dans « description » donnent envie de lire la suite."),
    ),
    "not-a-text": (
        _("Le champ « %(key)s » devrait être un texte ; il contient « %(value)s » et n’est pas affiché."),
        _QUOTES,
    ),
    "infobox-without-keys": (
        _("L’encadré « infobox » devrait contenir des champs ; il contient « %(value)s » et n’est pas affiché."),
        _("Écrivez dessous, en retrait de deux espaces, « heading: », « duration: », « public: »…"),
    ),
    "unclear-draft": (
        _("« draft: %(written)s » n’est ni oui ni non : la page n’est pas publiée."),
        _("Écrivez « draft: true » pour la cacher, « draft: false » pour la publier."),
    ),
    "unclear-weight": (
        _("Le poids « %(written)s » n’est pas un nombre entier ; il ne sert pas à ranger la page."),
        _("Écrivez par exemple « weight: 10 » ; les petits nombres viennent en tête."),
    ),
    "tariff-unread": (
        _("Le tarif « %(written)s » n’est pas compris ; il est affiché tel quel, sans prix exact."),
        _PRICES,
    ),
    "tariff-unlabelled": (
        _("Le tarif « %(written)s » ne dit pas s’il est hors taxe ou TTC ; il est affiché tel quel, sans prix exact."),
        _PRICES,
    ),
    "tariff-inconsistent": (
        _("Les prix et la TVA de « %(written)s » ne s’accordent pas ; le tarif est affiché tel quel."),
        _("Corrigez l’un des montants ou le taux. Taux possibles : 20, 10, 8,5, 5,5, 2,1 et 0 %%."),
    ),
    "tariff-inconsistent-expected": (
        _("Les prix et la TVA de « %(written)s » ne s’accordent pas ; le tarif est affiché tel quel."),
        _("Corrigez l’un des montants ou le taux. TTC attendu : %(expected)s."),
    ),
    "tariff-without-ht": (
        _("« %(written)s » ne donne pas de prix hors taxe, et le taux de TVA n’est pas connu."),
        _("Ajoutez le prix HT, ou le taux : « 840 € TTC (TVA 20 %%) »."),
    ),
    "tariff-without-ttc": (
        _("« %(written)s » ne donne pas de prix TTC, et le taux de TVA n’est pas connu."),
        _("Ajoutez le prix TTC, ou le taux : « 700 € HT (TVA 20 %%) »."),
    ),
    "tariff-rate-unknown": (
        _("Plusieurs taux de TVA conviennent à « %(written)s »."),
        _("Ajoutez le taux, par exemple « (TVA 20 %%) »."),
    ),
    "duration-unread": (
        _("La durée « %(written)s » n’est pas comprise ; elle est affichée telle quelle, sans nombre de jours."),
        _DAYS,
    ),
    "duration-repeated-word": (
        _("La durée « %(written)s » répète un mot ; elle compte pour %(days)s jour(s)."),
        _("Effacez le mot en trop : la durée est affichée telle quelle."),
    ),
    "duration-in-hours": (
        _("La durée « %(written)s » compte pour %(days)s jour(s), à raison de 7 heures par jour."),
        _("Si une journée dure autrement, écrivez aussi les jours : « 2 jours (12 h) »."),
    ),
    "duration-inconsistent": (
        _("Dans « %(written)s », les jours et les heures ne s’accordent pas ; %(days)s jour(s) sont retenus."),
        _DAYS,
    ),
    "remote-image": (
        _("L’image « %(address)s » est ailleurs : elle n’est ni téléchargée ni affichée."),
        _("Pour la montrer, déposez le fichier à côté de la page et écrivez son nom."),
    ),
    "missing-image": (
        _("L’image « %(address)s » n’est pas dans le catalogue ; son texte de remplacement est affiché."),
        _("Déposez à côté de la page un fichier de ce nom (png, jpg, gif, webp ou avif)."),
    ),
    "same-slug": (
        _("« %(other)s » a déjà l’adresse « %(slug)s » ; cette page en reçoit une autre, qui peut changer."),
        _("Donnez à l’un des deux fichiers un autre nom."),
    ),
    "huge-file": (_("Le fichier est trop grand (%(size)s octets)."), _("Une page ne dépasse pas un million d’octets.")),
    "not-a-file": (_("Ce n’est pas un fichier ordinaire."), _("Remplacez-le par un fichier texte, ou retirez-le.")),
    "broken-link": (
        _("Ce lien ne mène à aucun fichier, ou tourne en rond."),
        _("Remplacez le lien par le fichier lui-même, ou retirez-le."),
    ),
    "unreadable-file": (_("Le fichier ne peut pas être lu (%(detail)s)."), _("Donnez au service le droit de le lire.")),
    "linked-folder": (
        _("Ce dossier est un lien : les pages qu’il contient ne sont pas lues."),
        _("Remplacez le lien par le dossier lui-même."),
    ),
    "folder-named-as-page": (
        _("Ce dossier porte le nom d’une page."),
        _("Retirez « .md » du nom du dossier ; les pages qu’il contient sont lues."),
    ),
    "section-page": (
        _("C’est une page de rubrique, pas un atelier : elle n’est pas publiée."),
        _("Rien à faire ; pour en faire un atelier, donnez-lui un autre nom."),
    ),
}


def message(problem: Problem) -> str:
    """What was met, in one sentence, in the reader's language."""
    return str(_sentences(problem)[0]) % problem.values


def advice(problem: Problem) -> str:
    """What the author can do."""
    return str(_sentences(problem)[1]) % problem.values


def _sentences(problem: Problem) -> tuple[Promise, Promise]:
    expected = f"{problem.code}-expected"
    return _SENTENCES[expected if expected in _SENTENCES and "expected" in problem.values else problem.code]
