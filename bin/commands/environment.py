"""The environment the commands run in: .venv, filled from pinned and hashed requirements, never the system's packages.

A stamp, written last, tells that .venv holds what the requirements say, so that a second start installs nothing.
A mark, written first, tells that an installation was interrupted, and the next start begins afresh.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from say import Sentence, tell

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
STAMP = VENV / ".cordee-installed"
MARK = VENV / ".cordee-installing"
LOG = VENV / "install.log"
SILENCE = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Connection refused",
    "Network is unreachable",
    "dns error",
    "error sending request",
    "client error (Connect)",
    "operation timed out",
)


class Unreachable(Sentence):
    """The network, or the package index, does not answer."""


def ready(kind: str) -> Path:
    """The Python of .venv, once it holds requirements/<kind>.txt. "dev" holds "base", so base is content with it.

    Raises Sentence when it cannot be installed.
    """
    if not installed(kind):
        check_writable(ROOT)
        with alone():
            # Another command may have installed it while this one waited.
            if not installed(kind):
                install("dev" if holds_test_tools() else kind)
    return PYTHON


def installed(kind: str) -> bool:
    try:
        found = STAMP.read_text().split()
    except OSError:
        return False
    return not MARK.exists() and any(found == [name, fingerprint(name)] for name in {kind, "dev"})


def fingerprint(kind: str) -> str:
    """Changes when the requirements or the Python underneath .venv do; empty when .venv has no working Python."""
    try:
        version = subprocess.run([PYTHON, "-V"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return hashlib.sha256(version + (REQUIREMENTS / f"{kind}.txt").read_bytes()).hexdigest()


def holds_test_tools() -> bool:
    """Whether .venv is a developer's: a newcomer's command must not take the test tools out of it."""
    return (VENV / "bin" / "pytest").exists() and not MARK.exists()


def install(kind: str) -> None:
    tell(
        "Installation de l'environnement (une seule fois, moins d'une minute)…",
        "Installing the environment (only once, less than a minute)…",
    )
    if MARK.exists() or not fingerprint(kind):
        make_venv()
    STAMP.unlink(missing_ok=True)
    MARK.touch()
    LOG.unlink(missing_ok=True)
    try:
        sync = [uv_of_venv(), "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON]
        logged([*sync, REQUIREMENTS / f"{kind}.txt"])
    except Unreachable:
        # Both installers download everything before they change anything: what was there still works.
        MARK.unlink()
        raise
    STAMP.write_text(f"{kind} {fingerprint(kind)}\n")
    MARK.unlink()


def make_venv() -> None:
    require_venv_module()
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir(exist_ok=True)
    MARK.touch()
    done = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Sentence(
            f"L'environnement {VENV} n'a pas pu être créé : {' '.join(reason)}",
            f"The environment {VENV} could not be made: {' '.join(reason)}",
        )


def require_venv_module() -> None:
    """Debian keeps venv's other half, ensurepip, in a package of its own."""
    if can_make_venvs():
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt_install([package])
    if not can_make_venvs():
        raise Sentence(
            f"Il manque à Python son module venv : lancez « apt-get install {package} » "
            "en administrateur, puis recommencez.",
            f'Python lacks its venv module: run "apt-get install {package}" as root, then start again.',
        )


def can_make_venvs() -> bool:
    return subprocess.run([sys.executable, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages, asking nothing and starting no service; needs root. False if it failed."""
    # Runlevel 1 is Debian's word to invoke-rc.d for "start no service": the tests start their own.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    tell(f"Installation de {' '.join(packages)}…", f"Installing {' '.join(packages)}…")
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode == 0


def uv_of_venv() -> Path:
    """The pinned uv, beside the packages and not among them, so that syncing them leaves it alone."""
    pinned = REQUIREMENTS / "uv.txt"
    folder = VENV / f"uv-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"
    uv = folder / "bin" / "uv"
    if not uv.exists():
        if subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode:
            logged([PYTHON, "-m", "ensurepip"])
        options = ["--quiet", "--disable-pip-version-check", "--retries=2", "--require-hashes", f"--target={folder}"]
        logged([PYTHON, "-m", "pip", "install", *options, "--requirement", pinned])
    return uv


def logged(command: list[str | Path]) -> None:
    """Run one step of the installation; raises a Sentence that tells a silent network from anything else."""
    done = subprocess.run(command, env=package_index(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with LOG.open("a") as log:
        log.write(done.stdout)
    if done.returncode == 0:
        return
    if any(sign in done.stdout for sign in SILENCE):
        raise Unreachable(
            "Les paquets n'ont pas pu être téléchargés, faute de réponse du réseau : "
            f"vérifiez la connexion (ou le miroir indiqué à pip), puis recommencez. Détails : {LOG}",
            "The packages could not be downloaded because the network does not answer: "
            f"check the connection (or the mirror pip is told to use), then start again. Details: {LOG}",
        )
    raise Sentence(
        f"Les paquets n'ont pas pu être installés ; la raison est à la fin de {LOG}.",
        f"The packages could not be installed; the reason is at the end of {LOG}.",
    )


def package_index() -> dict[str, str]:
    """The environment of pip and uv: uv does not read pip's settings, so it is told them."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    env = {name: value for name, value in os.environ.items() if name not in foreign}
    pip = pip_settings()
    told = {"UV_DEFAULT_INDEX": "index-url", "SSL_CERT_FILE": "cert", "HTTPS_PROXY": "proxy"}
    if "UV_INDEX_URL" in env or "UV_CONFIG_FILE" in env:
        del told["UV_DEFAULT_INDEX"]
    for variable, setting in told.items():
        if variable not in env and variable.lower() not in env and setting in pip:
            env[variable] = pip[setting]
    return env


def pip_settings() -> dict[str, str]:
    """Pip's settings by their bare name, in pip's own order of precedence: files, then the environment."""
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    lines = [line.partition("=") for line in listed.splitlines() if "=" in line]
    settings = {}
    for section in ("global.", "install.", ":env:."):
        for name, _, value in lines:
            if name.startswith(section):
                settings[name.removeprefix(section)] = value.strip("'\"")
    return settings


def check_writable(folder: Path, french: str = "changez ses droits", english: str = "change its rights") -> None:
    """Raises Sentence, with what to do, unless a file can be made in the folder, which is made if need be."""
    trial = folder / f".cordee-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise Sentence(
            f"Impossible d'écrire dans le dossier {folder} ({error.strerror}) : {french}, puis recommencez.",
            f"The folder {folder} cannot be written ({error.strerror}): {english}, then start again.",
        ) from error


@contextmanager
def alone() -> Iterator[None]:
    """One installation at a time in this folder; the lock is released by the system even after a kill."""
    handle = os.open(REQUIREMENTS, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
