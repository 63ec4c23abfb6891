"""Real processes on a real database: racing, and killed."""

import signal
import subprocess
import sys
from time import monotonic, sleep
from typing import Any

from tests import services
from tests.mail.smtp import Postbox, postbox

WRITE = """
from cordee.mail import outbox
from cordee.mail.reader import Reader
for number in range(%d):
    outbox.post(f"k{number}", "x", Reader(f"p{number}@example.org", "P"), "s", "t", urgent=True)
"""
FREE = "from cordee.mail.models import Letter; Letter.objects.exclude(claimed_until=None).update(claimed_until=None)"


def environment(server: Any, box: Postbox) -> dict[str, str]:
    mail = {"CORDEE_MAIL_URL": f"smtp://127.0.0.1:{box.server_address[1]}", "CORDEE_MAIL_FROM": "cordee@example.org"}
    return {**server.env, **mail}


def manage(*words: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(services.ROOT / "manage.py"), *words]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def done(process: subprocess.Popen[bytes]) -> None:
    _out, said = process.communicate(timeout=services.PATIENCE)
    assert process.returncode == 0, said.decode()


def test_several_processes_send_each_letter_once(fresh_server):
    with postbox() as box:
        env = environment(fresh_server, box)
        done(manage("shell", "-c", WRITE % 40, env=env))
        for process in [manage("tick", env=env) for _ in range(3)]:
            done(process)
        assert len(box.taken) == len(set(box.reached)) == 40
        assert box.connections > 1


def test_killed_between_the_claim_and_the_sending_it_is_sent_later_and_once(fresh_server):
    with postbox(END="hang") as box:
        env = environment(fresh_server, box)
        done(manage("shell", "-c", WRITE % 2, env=env))
        victim = manage("tick", env=env)
        deadline = monotonic() + services.PATIENCE
        while not any(line.upper() == "DATA" for line in box.heard):
            assert monotonic() < deadline
            sleep(0.02)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        box.answers.clear()
        done(manage("tick", env=env))
        assert len(box.taken) == 1  # the other one: the claim still holds
        done(manage("shell", "-c", FREE, env=env))  # as five minutes would
        done(manage("tick", env=env))
        assert sorted(box.reached) == ["p0@example.org", "p1@example.org"]


def test_the_server_sends_by_itself(template):
    with postbox() as box:
        mail = {
            "CORDEE_MAIL_URL": f"smtp://127.0.0.1:{box.server_address[1]}",
            "CORDEE_MAIL_FROM": "cordee@example.org",
        }
        with template.server(**mail) as server:
            done(manage("shell", "-c", WRITE % 1, env=environment(server, box)))
            server.restart()
            deadline = monotonic() + services.PATIENCE
            while not box.taken:
                assert monotonic() < deadline
                sleep(0.1)
        assert box.reached == ["p0@example.org"]
