"""The methods that a circle may choose from: the protocols that are shipped, by their names."""

from collections.abc import Mapping
from functools import cache

from cordee.engine import reading


@cache
def methods() -> Mapping[str, str]:
    """File name → name; MENTOR first, since that is the one if nothing is said."""
    names = sorted((path.stem for path in reading.FOLDER.glob("*.toml")), key=lambda name: (name != "mentor", name))
    return {name: reading.read(reading.builtin(name)).name for name in names}
