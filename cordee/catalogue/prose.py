"""The text of a page: Markdown, to HTML that is safe to show, with the lettered steps told apart."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape, unescape

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cordee.catalogue.workshop import Step

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_INLINE_TAGS = {"a", "abbr", "b", "br", "code", "del", "em", "i", "kbd", "mark", "q", "s", "small", "strong", "sub"}
_INLINE_TAGS |= {"sup", "u"}
_TAGS = _INLINE_TAGS | {
    "blockquote",
    "dd",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "img",
}
_TAGS |= {"li", "ol", "p", "pre", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "abbr": {"title"}}
_SILENT = {"script", "style", "iframe", "object", "svg", "math", "template", "noscript", "textarea", "title"}
_IMAGE = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')

# Gives the address at which the application serves an image of the catalogue, or None when it is not one.
ImageAddress = Callable[[str], str | None]


@dataclass(frozen=True)
class Prose:
    """Sanitised HTML before and after the steps, and the images that are not shown, each with its line in the text."""

    body: str
    steps: tuple[Step, ...]
    after: str
    refused_images: tuple[tuple[str, int], ...]


def read_prose(text: str, image_address: ImageAddress) -> Prose:
    """Render a page's text. Lines are counted from 0 within ``text``."""
    env: dict[str, object] = {}
    tokens = _MARKDOWN.parse(text, env)
    lines = _image_lines(tokens)
    _nest_headings(tokens)
    refused: dict[str, int] = {}

    def clean(part: list[Token]) -> str:
        def keep(tag: str, attribute: str, value: str) -> str | None:
            if tag != "img" or attribute != "src":
                return value
            address = image_address(value)
            if address is None:
                refused.setdefault(value, lines.get(value, _line_of(value, text)))
            return address

        html = str(_MARKDOWN.renderer.render(part, _MARKDOWN.options, env))
        return _without_missing_images(_sanitised(html, _TAGS, keep))

    start, end, steps = _find_steps(tokens, clean)
    return Prose(clean(tokens[:start]), steps, clean(tokens[end:]), tuple(refused.items()))


def _sanitised(html: str, tags: set[str], keep: Callable[[str, str, str], str | None] | None = None) -> str:
    return nh3.clean(
        html,
        tags=tags,
        clean_content_tags=_SILENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer",
    )


def _without_missing_images(html: str) -> str:
    """Put, in the place of an image left without address, the words that describe it."""

    def shown(match: re.Match[str]) -> str:
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        if "src" in attributes:
            return match[0]
        return escape(unescape(attributes.get("alt") or attributes.get("title") or ""))

    return _IMAGE.sub(shown, html)


def _nest_headings(tokens: list[Token]) -> None:
    """The page's title is its h1: whatever levels the text uses, from 5 for some, become h2, h3…"""
    used = sorted({token.tag for token in tokens if token.type == "heading_open"})
    nested = {tag: f"h{min(level, 6)}" for level, tag in enumerate(used, 2)}
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = nested[token.tag]


def _image_lines(tokens: list[Token]) -> dict[str, int]:
    lines: dict[str, int] = {}
    for block in tokens:
        line = block.map[0] if block.map else 0
        for token in block.children or []:
            if token.type in ("softbreak", "hardbreak"):
                line += 1
            elif token.type == "image":
                lines.setdefault(str(token.attrGet("src")), line)
    return lines


def _line_of(address: str, text: str) -> int:
    return text.count("\n", 0, max(text.find(address), 0))


def _find_steps(tokens: list[Token], clean: Callable[[list[Token]], str]) -> tuple[int, int, tuple[Step, ...]]:
    """Where the longest run of lettered lines starts and ends among the tokens, and its steps (two at least)."""
    best: tuple[int, int, list[list[Token]]] = (len(tokens), len(tokens), [])
    run: list[list[Token]] = []
    run_start = 0
    for start, end in _blocks(tokens):
        lettered = _lettered_lines(tokens[start:end])
        if not lettered:
            run = []
            continue
        if not run:
            run_start = start
        run = run + lettered
        if len(run) > len(best[2]) and len(run) >= 2:
            best = (run_start, end, run)
    return best[0], best[1], tuple(_step(line, clean) for line in best[2])


def _blocks(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    start = depth = 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield start, at + 1
            start = at + 1


def _lettered_lines(block: list[Token]) -> list[list[Token]]:
    """The lines of a paragraph or list that all tell a step, « **M** Matériaux : … »; none if one does not."""
    if block[0].type not in ("paragraph_open", "bullet_list_open", "ordered_list_open"):
        return []
    if any(token.level > 2 and token.type.endswith("_list_open") for token in block):
        return []
    lines: list[list[Token]] = []
    for inline in (token for token in block if token.type == "inline"):
        current: list[Token] = []
        for token in inline.children or []:
            if token.type in ("softbreak", "hardbreak"):
                lines, current = _with_line(lines, current), []
            else:
                current.append(token)
        lines = _with_line(lines, current)
        if not lines or not _letter(lines[0]):
            return []
    return lines


def _with_line(lines: list[list[Token]], line: list[Token]) -> list[list[Token]]:
    if _letter(line) or not lines:
        return [*lines, line]
    # A line broken by hand goes on with the step above it.
    return [*lines[:-1], [*lines[-1], Token("text", "", 0, content=" "), *line]]


def _letter(line: list[Token]) -> str:
    shown = [token for token in line if token.type != "text" or token.content]
    if len(shown) < 4 or [token.type for token in shown[:3]] != ["strong_open", "text", "strong_close"]:
        return ""
    letter = shown[1].content.strip()
    return letter if len(letter) == 1 and letter.isalpha() and letter.isupper() else ""


def _step(line: list[Token], clean: Callable[[list[Token]], str]) -> Step:
    shown = [token for token in line if token.type != "text" or token.content]
    letter, rest = _letter(line), shown[3:]
    name = ""
    if rest[0].type == "text":
        words, colon, after = rest[0].content.partition(":")
        if colon or len(rest) == 1:
            name = words if words[:1].isspace() or not words[:1].islower() else letter + words
            name = name.strip(" \t\u00a0\u202f-–—.")
            rest = [Token("text", "", 0, content=after.strip()), *rest[1:]]
    inline = Token("inline", "", 0, children=rest, content="")
    html = clean([inline]).strip()
    text = unescape(re.sub(r"<[^>]*>", "", html)).strip()
    return Step(letter, name, text, html)
