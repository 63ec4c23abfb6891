"""Settings. Everything an operator may change comes from the environment; see docs/exploitation.md."""

from base64 import urlsafe_b64encode
from email.utils import formataddr
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from urllib.parse import quote

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("CORDEE_VAR", str(BASE_DIR / "var")))

DEBUG = env.flag("CORDEE_DEBUG", False)
SECRET_KEY = env.secret("CORDEE_SECRET_KEY", VAR_DIR, lambda: token_urlsafe(50))
# The key ring wraps the circles' keys: "id:base64url of 32 bytes", newest first, separated by commas.
KEY_RING = env.secret("CORDEE_KEY_RING", VAR_DIR, lambda: "k1:" + urlsafe_b64encode(token_bytes(32)).decode())
ALLOWED_HOSTS = env.words("CORDEE_HOSTS", "localhost,127.0.0.1,[::1]")
HTTPS = env.flag("CORDEE_HTTPS", False)
URL = env.address("CORDEE_URL", "http://127.0.0.1:8000")  # where this site is, for the links in letters

INSTALLED_APPS = [
    "cordee.dossier",
    "cordee.home",
    "cordee.room",
    "cordee.followup",
    "cordee.circles",
    "cordee.catalogue",
    "cordee.accounts",
    "cordee.mail",
    "cordee.web",
    "cordee.ops",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "csp",
    "django_htmx",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Here and not in the proxy: it pads each page with random bytes, so that a page's size tells nothing of the private
    # links in it to who can write a card on it and watch the line (BREACH). Streams do not come through here.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "cordee.web.charset.Utf8Alone",
    "cordee.web.unavailable.Unavailable",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "cordee.web.words.Taken",
    "cordee.accounts.middleware.Visitor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
TEMPLATE_LOADERS = ["django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": TEMPLATE_LOADERS if DEBUG else [("django.template.loaders.cached.Loader", TEMPLATE_LOADERS)],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{quote(str(VAR_DIR / 'cordee.sqlite3'))}")
DATABASES = {"default": env.database(DATABASE_URL)}
# How nodes wake each other: "local" (one process), "notify" (PostgreSQL), or a redis:// address.
BUS = env.text("CORDEE_BUS", "local" if DATABASE_URL.startswith("sqlite") else "notify")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("CORDEE_TIME_ZONE", "Europe/Paris")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
# What open pages compare themselves with; by default it changes with the version and with the files browsers keep.
RELEASE = env.text("CORDEE_RELEASE", "")
WHITENOISE_ALLOW_ALL_ORIGINS = False  # nobody else has a use for our styles and scripts
# A file that somebody gives stays in memory: nothing of it is written on a disk. See cordee/live/asgi.py for its size.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
CATALOGUE_DIR = Path(env.text("CORDEE_CATALOGUE", str(BASE_DIR / "content" / "formations")))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "accounts:profile"
LOGOUT_REDIRECT_URL = "/"
# allauth holds the pieces (sessions, passkeys, OpenID Connect); the pages, the codes and the limits are ours.
ACCOUNT_ADAPTER = "cordee.accounts.adapters.Accounts"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an account is made by who has proved the address
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # cordee/accounts/limits.py counts in the database, for all nodes
MFA_ADAPTER = "cordee.accounts.adapters.Passkeys"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
SOCIALACCOUNT_ADAPTER = "cordee.accounts.oidc.Organisation"
# The organisation's own door: its name on the button, its issuer, and what it knows us by.
OIDC = env.all_or_none("CORDEE_OIDC_NAME", "CORDEE_OIDC_URL", "CORDEE_OIDC_CLIENT_ID", "CORDEE_OIDC_CLIENT_SECRET")
OIDC_NAME = env.text("CORDEE_OIDC_NAME", "").strip()
OIDC_URL = env.issuer("CORDEE_OIDC_URL")
# Who signs in is known by the issuer and their subject there: another issuer is other people.
OIDC_ID = f"oidc-{sha256(OIDC_URL.encode()).hexdigest()[:12]}"
# For whose addresses the provider speaks; empty: for whatever it says to have verified.
OIDC_DOMAINS = env.words("CORDEE_OIDC_DOMAINS", "")
if OIDC:
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
    OIDC_APP = {
        "provider_id": OIDC_ID,
        "name": OIDC_NAME,
        "client_id": env.text("CORDEE_OIDC_CLIENT_ID", "").strip(),
        "secret": env.text("CORDEE_OIDC_CLIENT_SECRET", "").strip(),
        "settings": {"server_url": OIDC_URL, "oauth_pkce_enabled": True},
    }
    SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [OIDC_APP]}}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A browser takes a cookie of this prefix from this very host alone, over HTTPS alone: no neighbour can plant one.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
SESSION_COOKIE_AGE = 30 * 86_400
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}langue"
if HTTPS:
    # That we are asked over HTTPS is what uvicorn says of the proxies that it trusts: no header is believed here.
    SECURE_SSL_REDIRECT = env.flag("CORDEE_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = 31_536_000
    # Both bind other sites of the same domain, for a year and more: their owner's choice.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("CORDEE_HSTS_SUBDOMAINS", False)
    SECURE_HSTS_PRELOAD = env.flag("CORDEE_HSTS_PRELOAD", False)
    env.strict_transport("CORDEE_HSTS_SUBDOMAINS", "CORDEE_HSTS_PRELOAD")
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # the two above
# Whom to write to about a weakness: served as /.well-known/security.txt, and nothing when empty.
SECURITY_CONTACT = env.contact("CORDEE_SECURITY_CONTACT")

# Recall and themes by meaning too, where sentence vectors are installed (pip install cordee[vectors]).
VECTORS = env.flag("CORDEE_VECTORS", True)

# How long somebody who left their space, or an account that nobody signs in to, is remembered.
KEEP_MONTHS = env.number("CORDEE_KEEP_MONTHS", 24, least=1)

# How letters leave, and whom they are from. See cordee/mail/roads.py.
MAIL = env.mail("CORDEE_MAIL_URL", HTTPS, ALLOWED_HOSTS)
MAIL_FROM = env.sender("CORDEE_MAIL_FROM", needed=MAIL["road"] in {"smtp", "file"})
DEFAULT_FROM_EMAIL = formataddr(MAIL_FROM)

# What shows this process's measures to who has it; nothing is shown when empty. See cordee/ops/metrics.py.
METRICS = env.token("CORDEE_METRICS")

LOG_FORMAT = env.text("CORDEE_LOG_FORMAT", "text")
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured(f"CORDEE_LOG_FORMAT={LOG_FORMAT!r} is not understood. Write text or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.Discreet", "format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "config.logs.OneObject"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json" if LOG_FORMAT == "json" else "line"}
    },
    # uvicorn's own handlers would print the messages of exceptions.
    "loggers": {
        # Django's own handlers, in debug, would too.
        "django": {"handlers": [], "level": "INFO"},
        "uvicorn": {"handlers": ["console"], "propagate": False},
        "uvicorn.error": {"propagate": True},
        "uvicorn.access": {"level": "WARNING", "propagate": True},  # who looks at what, and when, is nobody's business
    },
    "root": {"handlers": ["console"], "level": env.text("CORDEE_LOG_LEVEL", "WARNING")},
}
