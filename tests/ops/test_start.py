"""Back soon after a fault: a server that starts loads nothing that no room waits for."""

import subprocess
import sys

from tests import services

LATER = {"markdown_it", "nh3", "yaml", "segno", "typst", "redis", "uvicorn.main", "django.db.migrations.executor"}
LATER |= {"fido2", "requests", "jwt", "oauthlib"}  # of who signs in by a passkey or by the organisation
CODE = """
import sys
import config.asgi
import config.urls
import cordee.room.urls, cordee.catalogue.views, cordee.web.views
from cordee.engine import hint
print("loaded", *sorted(sys.modules))
print("compiled", hint.rules.cache_info().currsize)
"""


def test_a_server_starts_without_what_only_some_pages_need(tmp_path):
    env = {"CORDEE_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings", "PATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=services.ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=services.PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert "cordee.room.stream" in loaded
    assert sorted(LATER & loaded) == []
    assert "compiled 0" in ran.stdout  # the rules of the private hint
