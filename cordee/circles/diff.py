"""What changed between two texts, word by word, for somebody who has to sign again. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

PARAGRAPH = re.compile(r"\n{2,}")
WORD = re.compile(r"\n+|[^\S\n]+|[\w’']+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """``kind``: kept, removed, added."""

    kind: str
    text: str


def changes(before: str, after: str) -> list[Piece]:
    """Pieces of which those kept and added make ``after``, those kept and removed ``before`` (line ends aside)."""
    old, new = (WORD.findall(text.replace("\r\n", "\n")) for text in (before, after))
    # With autojunk (the default), a word that comes again and again anchors nothing: time stays small on any text.
    return list(_joined(_pieces(old, new)))


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            yield Piece("kept", "".join(old[a:b]))
            continue
        if a < b:
            yield Piece("removed", "".join(old[a:b]))
        if c < d:
            yield Piece("added", "".join(new[c:d]))


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """A space that stayed between two changed words is part of the change: words are read by groups."""
    waiting: dict[str, str] = {}
    gap = ""
    for piece in pieces:
        if piece.kind == "kept" and waiting and not piece.text.strip(" ") and not gap:
            gap = piece.text
            continue
        if piece.kind == "kept":
            yield from _flushed(waiting)
            waiting = {}
            yield Piece("kept", gap + piece.text)
            gap = ""
            continue
        for kind in ("removed", "added"):
            more = gap + (piece.text if piece.kind == kind else "")
            if more:
                waiting[kind] = waiting.get(kind, "") + more
        gap = ""
    yield from _flushed(waiting)
    if gap:
        yield Piece("kept", gap)


def _flushed(waiting: dict[str, str]) -> list[Piece]:
    return [Piece(kind, waiting[kind]) for kind in ("removed", "added") if kind in waiting]


def changed_paragraphs(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Only the paragraphs (between empty lines) in which something changed."""
    paragraphs: list[list[Piece]] = [[]]
    for piece in pieces:
        first, *others = PARAGRAPH.split(piece.text) if piece.kind == "kept" else [piece.text]
        paragraphs[-1].append(Piece(piece.kind, first))
        paragraphs += [[Piece(piece.kind, text)] for text in others]
    return [each for each in paragraphs if any(piece.kind != "kept" for piece in each)]
