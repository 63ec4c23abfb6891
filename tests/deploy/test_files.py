"""The files of deploy/ agree with the project: what they copy, run and set exists, and systemd understands them."""

import base64
import re
import shutil
import subprocess

import pytest
import yaml

from tests import services
from tests.services import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.iterdir() if path.suffix in {".service", ".timer"})


def explained() -> set[str]:
    page = (ROOT / "docs/exploitation.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def test_every_file_that_the_image_copies_exists():
    copied = re.findall(r"^COPY (?!--from)(.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in copied for source in line.split()[:-1]]
    assert "config" in sources and "requirements/base.txt" in sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_every_variable_that_is_set_is_explained():
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text())
    names = {name for one in compose["services"].values() for name in one.get("environment", {})}
    for name in ("Dockerfile", *UNITS):
        names |= set(re.findall(r"\b(CORDEE_[A-Z_]+)=", (DEPLOY / name).read_text()))
    assert {"CORDEE_VAR", "DATABASE_URL"} <= names
    others = {"SITE", "CORDEE"}  # read by deploy/Caddyfile
    assert {name for name in names - others if not name.startswith("POSTGRES_")} <= explained()


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret():
    text = (DEPLOY / "Dockerfile").read_text()
    assert "USER cordee" in text and "--require-hashes" in text and "/healthz" in text
    assert not re.search(r"(SECRET|PASSWORD|KEY_RING)", text)


def test_what_the_engine_is_given_to_build_from_holds_what_is_copied_and_no_key():
    """The list of ``Dockerfile.dockerignore``: everything is left out but what it names."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    copied = re.findall(r"^COPY (?!--from)(.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copied for source in line.split()[:-1]}
    assert "*" in lines and {line[1:] for line in lines if line.startswith("!")} == sources


def test_the_proxy_of_compose_reads_our_own_file_and_its_names_are_there():
    caddy = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]["caddy"]
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in caddy["volumes"]
    assert set(re.findall(r"\{\$(\w+):", (DEPLOY / "Caddyfile").read_text())) == set(caddy["environment"])


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_a_service_is_confined(name):
    text = (DEPLOY / name).read_text()
    for line in (
        "User=cordee",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=\n",
        "UMask=0077",
    ):
        assert line in text, line
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    rated = ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(DEPLOY / name)]
    done = subprocess.run(rated, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_every_command_of_the_services_exists():
    ran = {word for name in UNITS for word in re.findall(r"manage\.py (\w+)", (DEPLOY / name).read_text())}
    assert {"tick", "backup"} <= ran
    assert all((ROOT / f"cordee/ops/management/commands/{word}.py").exists() for word in ran)


def test_a_server_that_refuses_to_start_says_why_and_is_not_started_again_for_ever(tmp_path):
    """Its database holds a circle of another key ring. What fails otherwise, or is killed, is started again."""
    server = services.Server(tmp_path, f"sqlite:///{tmp_path}/cordee.sqlite3")
    server.manage("migrate", "-v0")
    server.manage("shell", "-v0", "-c", "from cordee.room.actions import open_room; open_room('Fanny')")
    (tmp_path / "cordee_key_ring").write_text("k9:" + base64.urlsafe_b64encode(bytes(32)).decode())
    done = subprocess.run(server.command, env=server.env, capture_output=True, text=True, timeout=60)
    assert "CORDEE_KEY_RING" in done.stdout + done.stderr
    unit = (DEPLOY / "cordee.service").read_text()
    assert "Restart=always" in unit
    assert f"RestartPreventExitStatus={done.returncode}\n" in unit
