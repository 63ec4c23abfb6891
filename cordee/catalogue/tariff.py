"""A tariff as written, to exact prices. All or nothing: a single word we do not know leaves it unread."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from cordee.catalogue.wording import plain
from cordee.catalogue.workshop import Level

# The rates of French VAT, metropolitan and overseas (CGI, art. 278 to 281 nonies and 296), and exemption.
RATES = tuple(Decimal(rate) for rate in ("20", "10", "8.5", "5.5", "2.1", "0"))
_CENT = Decimal("0.01")

_ON_REQUEST = re.compile(r"(?:tarifs?|prix)?[ :]*(?:sur (?:devis|demande|mesure)|nous consulter|a definir)[ .!]*")
_FREE = re.compile(r"(?:tarifs?|prix|formation|atelier)?[ :]*(?:gratuite?s?|offerte?s?|0(?:[.,]00)? ?€)[ .!]*")
_TOKEN = re.compile(
    r"""
    (?P<rate> (?:\+\ ?)? (?:t\.?v\.?a\.?\ ?(?:au\ taux\ de|a|de|:)?\ ?(?P<percent>[0-9]{1,2}(?:[.,][0-9]{1,2})?)\ ?%
              | (?P<percent_first>[0-9]{1,2}(?:[.,][0-9]{1,2})?)\ ?%\ (?:de\ )?tva)
              (?:\ (?:en\ sus|incluse|comprise))? )
  | (?P<exempt> exonere(?:e|s|es)?\ de\ (?:tva|taxes?) | exoneration\ de\ tva | sans\ tva
              | non\ assujettie?\ a\ la\ tva
              | tva\ non\ applicable (?:,?\ (?:selon\ l['’])?art(?:icle|\.)?\ (?:261|293\ ?b)[^,;()]*)?
              | exonere(?:e|s|es)? )
  | (?P<amount> (?:(?:€|eur(?:os?)?)\ ?)?
              (?P<number> [0-9]{1,3}(?:[ .'’][0-9]{3})+(?:,[0-9]{1,2})?
                        | [0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{2}
                        | [0-9]{1,9}(?:[.,][0-9]{1,2})? )
              (?![0-9]|[.,'’][0-9]) (?:,-)? (?:\ ?(?:€|eur(?:os?)?(?![a-z])))? )
  | (?P<ht> (?:h\.?t\.?|hors[ -]taxes?)(?![a-z]) )
  | (?P<ttc> (?:t\.?t\.?c\.?|toutes\ taxes\ comprises)(?![a-z]) )
  | (?P<net> nets?(?:\ (?:de|sans)\ (?:taxes?|tva))?(?![a-z]) )
  | (?P<filler> [ ,;:=()\[\]|/–—-]+(?:(?:personne|pers\.?|participante?|stagiaire)(?![a-z]))?
              | (?:soit|ou|et|tarif|prix|individuel|inter|public
                |(?:par|la|le)\ (?:personne|participante?|stagiaire))(?![a-z]) )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Tariff:
    """Prices in euros and a VAT rate in percent, each ``None`` when unknown; ``code`` names what is to be reported."""

    ht: Decimal | None = None
    ttc: Decimal | None = None
    vat_rate: Decimal | None = None
    code: str = ""
    level: Level = "info"


def with_vat(ht: Decimal, rate: Decimal) -> Decimal:
    """The price including a VAT of ``rate`` percent, rounded to the cent as an invoice does."""
    return (ht * (100 + rate) / 100).quantize(_CENT, ROUND_HALF_UP)


def read_tariff(written: str) -> Tariff:
    """Prices and VAT rate of a tariff such as « 700 € HT soit 840 € TTC ». Never raises."""
    text = plain(written)
    if not text or _ON_REQUEST.fullmatch(text):
        return Tariff()
    if _FREE.fullmatch(text):
        return Tariff(Decimal("0.00"), Decimal("0.00"))
    tokens = _tokens(text)
    prices = _labelled([token for token in tokens if token[0] not in ("rate", "exempt")]) if tokens else None
    if not tokens or prices is None:
        return Tariff(code="tariff-unread", level="warning")
    if any(kind == "exempt" for kind, _ in tokens) and set(prices) == {""}:
        prices = {"net": prices[""]}
    if "" in prices:
        return Tariff(code="tariff-unlabelled", level="warning")
    stated = {_number(value) for kind, value in tokens if kind == "rate"}
    if "net" in prices or any(kind == "exempt" for kind, _ in tokens):
        stated.add(Decimal(0))
    if "net" in prices:
        # "700 € net" beside another price would be a third figure: the two must then be the same.
        prices = {"ht": prices["net"], "ttc": prices["net"], **{k: v for k, v in prices.items() if k != "net"}}
    return _checked(prices.get("ht"), prices.get("ttc"), stated)


def _checked(ht: Decimal | None, ttc: Decimal | None, stated: set[Decimal]) -> Tariff:
    if len(stated) > 1 or not stated <= set(RATES):
        return Tariff(ht, ttc, None, "tariff-inconsistent", "error")
    rate = next(iter(stated), None)
    if ht is not None and ttc is not None:
        possible = [r for r in RATES if with_vat(ht, r) == ttc and rate in (None, r)]
        if not possible:
            return Tariff(ht, ttc, None, "tariff-inconsistent", "error")
        # A few cents can fit several rates: then none is known.
        return Tariff(ht, ttc, possible[0]) if len(possible) == 1 else Tariff(ht, ttc, None, "tariff-rate-unknown")
    if ht is not None:
        return Tariff(ht, None, None, "tariff-without-ttc") if rate is None else Tariff(ht, with_vat(ht, rate), rate)
    assert ttc is not None
    if rate is not None:
        ht = (ttc * 100 / (100 + rate)).quantize(_CENT, ROUND_HALF_UP)
        if with_vat(ht, rate) == ttc:
            return Tariff(ht, ttc, rate)
    return Tariff(None, ttc, rate, "tariff-without-ht")


def _tokens(text: str) -> list[tuple[str, str]]:
    """The meaningful tokens of the text, or none at all when a part of it is not understood."""
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            return []
        at = match.end()
        groups = match.groupdict()
        kind = next(name for name in ("rate", "exempt", "amount", "ht", "ttc", "net", "filler") if groups[name])
        if kind != "filler":
            found.append((kind, groups["percent"] or groups["percent_first"] or groups["number"] or ""))
    return found


def _labelled(tokens: list[tuple[str, str]]) -> dict[str, Decimal] | None:
    """Each price under its label: one bare amount under "", or labels that all follow, or all precede, their amount."""
    kinds = [kind for kind, _ in tokens]
    if kinds == ["amount"]:
        return {"": _number(tokens[0][1])}
    if not tokens or len(tokens) % 2:
        return None
    pairs = list(zip(tokens[::2], tokens[1::2], strict=True))
    if kinds[0] != "amount":
        pairs = [(second, first) for first, second in pairs]
    if any(amount[0] != "amount" or label[0] == "amount" for amount, label in pairs):
        return None
    prices = {label[0]: _number(amount[1]) for amount, label in pairs}
    return prices if len(prices) == len(pairs) else None


def _number(text: str) -> Decimal:
    """An exact amount from its French, Swiss or English notation."""
    digits = re.sub(r"[ '’]", "", text)
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?", digits):
        digits = digits.replace(".", "")
    if "," in digits and "." in digits:
        digits = digits.replace(",", "")
    number = Decimal(digits.replace(",", "."))
    return number if number != number.quantize(_CENT) else number.quantize(_CENT)
