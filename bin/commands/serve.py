"""bin/demo and bin/dev: from a fresh clone to a Cordée that answers, in one command."""

import argparse
import errno
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

import environment
from say import Sentence, either, run

HOSTS = "localhost,127.0.0.1,[::1]"  # what config/settings.py answers to when nothing is said


class Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Sentence(
            f"Option non comprise ({message}) : {self.prog} --help les montre toutes.",
            f"Option not understood ({message}): {self.prog} --help shows them all.",
        )


def main() -> int:
    name = sys.argv[1]
    options = parse(name, sys.argv[2:])
    port = port_number(options.port)
    address = lan_address() if options.lan else "127.0.0.1"
    bind = "0.0.0.0" if options.lan else "127.0.0.1"
    check_port_free(bind, port)
    var = Path(os.environ.get("CORDEE_VAR") or environment.ROOT / "var").absolute()
    environment.check_writable(
        var,
        "changez ses droits, ou indiquez un autre dossier de données avec CORDEE_VAR=/chemin/du/dossier",
        "change its rights, or name another data folder with CORDEE_VAR=/path/to/folder",
    )
    python = environment.ready("base")

    os.environ["PYTHONPATH"] = str(environment.ROOT)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["CORDEE_VAR"] = str(var)
    os.environ["CORDEE_URL"] = f"http://{address}:{port}/"
    if options.lan:
        os.environ["CORDEE_HOSTS"] = f"{os.environ.get('CORDEE_HOSTS', HOSTS)},{address}"
    if not os.environ.get("CORDEE_HTTPS"):
        os.environ.setdefault("CORDEE_MAIL_URL", "demo")  # letters are read at /courrier/boite/, none leaves
    if name == "dev":
        os.environ["CORDEE_DEBUG"] = "1"
    # exec: the server takes this process's place, so that Ctrl-C and kill reach it.
    os.execv(python, [str(python), str(Path(__file__).with_name("server.py")), name, bind, str(port)])


def parse(name: str, arguments: list[str]) -> argparse.Namespace:
    what = {
        "demo": either(
            "Installe Cordée dans ce dossier, charge la démonstration et la sert.",
            "Installs Cordée in this folder, loads the demo and serves it.",
        ),
        "dev": either(
            "Comme bin/demo, avec les erreurs à l'écran et le code rechargé à chaque changement.",
            "Like bin/demo, with errors shown and the code reloaded at each change.",
        ),
    }[name]
    data = either(
        "Les données sont dans var/ (ou CORDEE_VAR), la base est SQLite (ou DATABASE_URL).",
        "The data is in var/ (or CORDEE_VAR), the database is SQLite (or DATABASE_URL).",
    )
    options = Options(prog=f"bin/{name}", description=what, epilog=data, allow_abbrev=False, add_help=False)
    which = either("le port (8000 si rien n'est dit)", "the port (8000 if unsaid)")
    options.add_argument("--port", default="8000", metavar="N", help=which)
    options.add_argument(
        "--lan",
        action="store_true",
        help=either(
            "servir tout le réseau local, avec un QR code pour les téléphones",
            "serve the whole local network, with a QR code for phones",
        ),
    )
    options.add_argument("--help", "-h", action="help", help=either("montrer cette aide", "show this help"))
    return options.parse_args(arguments)


def port_number(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise Sentence(
        f"« {text} » n'est pas un port : donnez un nombre de 1 à 65535, par exemple --port 8001.",
        f'"{text}" is not a port: give a number from 1 to 65535, for example --port 8001.',
    )


def check_port_free(bind: str, port: int) -> None:
    with socket.socket() as trial:
        # As the server does: the last run's closed connections must not count as an occupant.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((bind, port))
            trial.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                other = port % 65535 + 1
                raise Sentence(
                    f"Le port {port} est déjà pris : libérez-le, ou choisissez-en un autre : --port {other}.",
                    f"Port {port} is already taken: stop what uses it, or choose another: --port {other}.",
                ) from error
            raise Sentence(
                f"Le port {port} ne peut pas être ouvert ({error.strerror}) : choisissez-en un autre avec --port 8000.",
                f"Port {port} cannot be opened ({error.strerror}): choose another with --port 8000.",
            ) from error


def lan_address() -> str:
    """This machine's address on the local network, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket only asks the routing table; 192.0.2.1 is reserved for documentation.
            probe.connect(("192.0.2.1", 9))
            address: str = probe.getsockname()[0]
        except OSError as error:
            raise Sentence(
                "Cette machine n'a pas d'adresse sur un réseau local : connectez-la, ou lancez sans --lan.",
                "This machine has no address on a local network: connect it, or start without --lan.",
            ) from error
    return address


run(main)
