"""A disk that loses its power, from a trace of what a server wrote: what it holds then, if only what was fsynced stays.

A write is on the disk once an fsync of its file, begun after it, has returned; a name, once an fsync of its folder has.
Of the others, none is there, or (``chance``) any sector of any of them, as a disk that writes in its own order leaves
them. SQLite's index (``-shm``) is left out: it is made again.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

SECTOR = 512  # bytes that a disk writes whole
CALLS = "openat,pwrite64,fsync,fdatasync,ftruncate,unlink"
STRACE = ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "4000000", "-ttt", "-T", "-e", "signal=none"]
STRACE += ["-e", f"trace={CALLS}"]

_LINE = re.compile(r"(\d+) +(\d+\.\d+) (?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")
_HEX = r"((?:\\x[0-9a-f]{2})*)"
_ON_FILE = re.compile(rf'\d+<{_HEX}>(?:, (?:"{_HEX}", \d+, )?(\d+))?')
_NAMED = re.compile(rf'(?:AT_FDCWD[^,]*, )?"{_HEX}"(, \S*O_CREAT)?')
_TOOK = re.compile(r"= (-?\d+).*<(\d+\.\d+)>$")


def why_no_trace() -> str:
    """Why nothing can be traced here; empty when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed; bin/test installs it"
    tried = subprocess.run([*STRACE, "-o", "/dev/null", "true"], capture_output=True, timeout=60)
    return "this machine lets nobody trace" if tried.returncode else ""


@dataclass(frozen=True)
class Call:
    """A call that succeeded. Times are in seconds since the epoch; ``data`` of a write, ``number`` its offset."""

    began: float
    ended: float
    name: str
    path: str
    data: bytes = b""
    number: int = 0


def calls(trace: Path, folder: Path) -> list[Call]:
    """What was done to the files of that folder, and to the folder itself, in the order in which it began."""
    begun: dict[str, tuple[float, str]] = {}
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        if not (match := _LINE.fullmatch(line)):
            continue
        pid, at, resumed, name, rest = match.groups()
        if rest.endswith("<unfinished ...>"):
            begun[pid] = float(at), rest
            continue
        took = _TOOK.search(rest)
        if not took or took[1] == "-1":
            continue
        if resumed:
            began, arguments = begun.pop(pid)
            ended = float(at)
        else:
            began, arguments = float(at), rest
            ended = began + float(took[2])
        call = _call(began, ended, resumed or name, arguments)
        if call and folder in (Path(call.path), Path(call.path).parent) and not call.path.endswith("-shm"):
            found.append(call)
    return sorted(found, key=lambda call: call.began)


def _call(began: float, ended: float, name: str, arguments: str) -> Call | None:
    if name in {"openat", "unlink"}:
        named = _NAMED.match(arguments)
        if not named or (name == "openat" and not named[2]):
            return None
        return Call(began, ended, "create" if name == "openat" else "unlink", _bytes(named[1]).decode())
    on = _ON_FILE.match(arguments)
    if not on:
        return None
    plain = {"pwrite64": "write", "fsync": "sync", "fdatasync": "sync", "ftruncate": "truncate"}[name]
    return Call(began, ended, plain, _bytes(on[1]).decode(), _bytes(on[2] or ""), int(on[3] or 0))


def _bytes(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", ""))


class File:
    """One file of the disk: what it held before, and what was done to it since."""

    def __init__(self, before: bytes = b"") -> None:
        self.before = before
        self.done: list[Call] = []

    def at(self, cut: float, chance: Random | None) -> bytes:
        """What is read of it after a cut at that time."""
        safe = last_sync(self.done, cut)
        held = bytearray(self.before)
        for call in self.done:
            if call.name != "sync" and (call.ended <= safe or (chance and call.began < cut)):
                _apply(held, call, None if call.ended <= safe else chance)
        return bytes(held)


def last_sync(done: list[Call], cut: float) -> float:
    """What had ended by this time is on the disk: when the last sync began that had returned before the cut."""
    return max((call.began for call in done if call.name == "sync" and call.ended <= cut), default=0.0)


def _apply(held: bytearray, call: Call, chance: Random | None) -> None:
    if call.name == "truncate":
        if chance is None or chance.random() < 0.5:
            del held[call.number :]
            held.extend(bytes(call.number - len(held)))
        return
    for start in range(0, len(call.data), SECTOR):
        if chance is None or chance.random() < 0.5:
            at, sector = call.number + start, call.data[start : start + SECTOR]
            held.extend(bytes(max(0, at - len(held))))
            held[at : at + len(sector)] = sector


class Disk:
    """A folder of a disk, from what it held before and the calls that followed."""

    def __init__(self, folder: Path, before: dict[str, bytes], done: list[Call]) -> None:
        now = {str(folder / name): File(held) for name, held in before.items()}
        # Which file each name led to, and since when; a name whose folder was not synced may be as it was.
        self.names: dict[str, list[tuple[float, File | None]]] = {name: [(0.0, file)] for name, file in now.items()}
        self.folder = str(folder)
        self.syncs = [call for call in done if call.path == self.folder]
        for call in done:
            if call.name == "create" and call.path not in now:
                now[call.path] = File()
                self.names.setdefault(call.path, []).append((call.ended, now[call.path]))
            elif call.name == "unlink" and call.path in now:
                del now[call.path]
                self.names[call.path].append((call.ended, None))
            elif call.path in now and call.name in {"write", "truncate", "sync"}:
                now[call.path].done.append(call)

    def at(self, cut: float, chance: Random | None = None) -> dict[str, bytes]:
        """The files after a cut at that time, by their names in the folder."""
        safe, left = last_sync(self.syncs, cut), {}
        for path, led in self.names.items():
            until = cut if chance and chance.random() < 0.5 else safe
            files = [file for since, file in led if since <= until]
            if files and files[-1] is not None:
                left[Path(path).name] = files[-1].at(cut, chance)
        return left

    def whole(self) -> dict[str, bytes]:
        """The files had the power stayed."""

        class Sure(Random):
            def random(self) -> float:
                return 0.0

        return self.at(float("inf"), Sure())
