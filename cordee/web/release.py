"""Which release serves: an open page that was made by another reloads itself, and an archive says what made it."""

import tomllib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage


@cache
def version() -> str:
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


@cache
def release() -> str:
    """``CORDEE_RELEASE``, or else the version and the digest of the files a browser keeps. The same on every node."""
    files = getattr(staticfiles_storage, "manifest_hash", "")  # none while developing
    return settings.RELEASE or f"{version()}-{files}"
