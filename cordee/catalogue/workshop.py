"""What a page of the catalogue becomes: a workshop, and the problems met while reading it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Level = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Problem:
    """Something its author should know about a page. ``phrases`` turns the code into a sentence and an advice.

    ``error``: the page is not published, or says something false. ``warning``: something is shown only as
    written. ``info``: nothing to do, unless the author meant otherwise. Lines are counted from 1.
    """

    file: str
    line: int
    level: Level
    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One line of a method told by its letters. ``html`` is sanitised and holds what follows the name."""

    letter: str
    name: str
    text: str
    html: str


@dataclass(frozen=True)
class Workshop:
    """An offer of the catalogue. Texts are as the author wrote them; figures are exact or ``None``.

    Prices are in euros with two decimals, ``vat_rate`` in percent, durations in days. ``body`` and ``after``
    are sanitised HTML: what stands before and after the steps. ``extra`` keeps every key we do not know.
    """

    file: str
    slug: str
    title: str
    category: str
    goals: str
    description: str
    image: str
    image_url: str | None
    tariff_label: str
    tariff: str
    price_ht: Decimal | None
    price_ttc: Decimal | None
    vat_rate: Decimal | None
    duration: str
    duration_days: Decimal | None
    public: str
    prerequisites: str
    draft: bool
    tags: tuple[str, ...]
    weight: int | None
    extra: Mapping[str, Any]
    body: str
    steps: tuple[Step, ...]
    after: str

    @property
    def published(self) -> bool:
        return bool(self.title) and not self.draft


@dataclass(frozen=True)
class Page:
    """One file of the folder. ``workshop`` is ``None`` when nothing could be read of it."""

    file: str
    slug: str
    workshop: Workshop | None
    problems: tuple[Problem, ...]
