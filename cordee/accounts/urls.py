"""Addresses of accounts, spaces and people. Of allauth's own views none is here: what is not written does not exist."""

from django.urls import URLPattern, URLResolver, path

from cordee.accounts.views import account, lists, passkeys, people, sign_in, spaces

app_name = "accounts"
account_urls = [
    path("compte/", account.profile, name="profile"),
    path("compte/entree/", account.landing, name="landing"),
    path("compte/connexion/", sign_in.sign_in, name="sign_in"),
    path("compte/connexion/code/", sign_in.code, name="code"),
    path("compte/connexion/organisation/", sign_in.organisation, name="organisation"),
    path("compte/connexion/organisation/retour/", sign_in.organisation_back, name="organisation_back"),
    path("compte/connexion/cle/", passkeys.sign_in, name="passkey"),
    path("compte/connexion/cle/options/", passkeys.options, name="passkey_options"),
    path("compte/deconnexion/", sign_in.sign_out, name="sign_out"),
    path("compte/confirmer/", passkeys.confirm, name="confirm"),
    path("compte/appareils/", account.devices, name="devices"),
    path("compte/appareils/<int:session>/fermer/", account.end_session, name="end_session"),
    path("compte/appareils/tous/", account.sign_out_everywhere, name="sign_out_everywhere"),
    path("compte/cles/", passkeys.passkeys, name="passkeys"),
    path("compte/cles/nouvelle/", passkeys.add, name="passkey_new"),
    path("compte/cles/<int:key>/nom/", passkeys.rename, name="passkey_rename"),
    path("compte/cles/<int:key>/retirer/", passkeys.remove, name="passkey_remove"),
]
space_urls = [
    path("espaces/", spaces.spaces, name="spaces"),
    path("espaces/nouveau/", spaces.create, name="space_new"),
    path("espaces/<int:space>/", spaces.space, name="space"),
    path("espaces/<int:space>/nom/", spaces.rename, name="space_name"),
    path("espaces/<int:space>/valeurs/", spaces.values, name="values"),
    path("espaces/<int:space>/valeurs/changer/", spaces.edit_values, name="values_edit"),
    path("espaces/<int:space>/personnes/", people.people, name="people"),
    path("espaces/<int:space>/personnes/fichier/", people.download, name="people_file"),
    path("espaces/<int:space>/personnes/nouvelle/", people.add, name="person_new"),
    path("espaces/<int:space>/personnes/liste/", lists.give, name="list"),
    path("espaces/<int:space>/personnes/liste/modele/", people.model_file, name="list_model"),
    path("personnes/<int:person>/", people.person, name="person"),
    path("personnes/<int:person>/roles/", people.roles, name="roles"),
    path("personnes/<int:person>/depart/", people.leave, name="leave"),
]
urlpatterns: list[URLPattern | URLResolver] = [*account_urls, *space_urls]
