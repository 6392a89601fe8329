"""The README of a replication as sections of its page: facts, open questions, deviations."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from oldschool import paths
from oldschool.errors import ConfigError
from oldschool.report.site.links import relative

_HEADING = 3  # tokens: it opens, its text, it closes
_ABOUT = "About this replication"  # what stands before the first heading
_SCROLL = (
    '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="plain">\n'
)


@dataclass(frozen=True)
class Section:
    """A section under a heading of the second level.

    Attributes:
        title: the heading.
        anchor: its id, unique in the page.
        html: what stands under it.
    """

    title: str
    anchor: str
    html: str


def sections(folder: Path, page_dir: Path) -> list[Section]:
    """The sections of ``folder/README.md``, for a page that lies in ``page_dir``.

    Links to files lead there from the page, links to headings within it.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = folder / "README.md"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{paths.shown(path)}: cannot be read: {error}") from error
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", lambda *arguments: _SCROLL)
    markdown.add_render_rule("table_close", lambda *arguments: "</table></div>\n")
    tokens = markdown.parse(text)
    for token in tokens:
        for inner in token.children or ():
            _lead(inner, folder, page_dir)
    heads = [k for k, token in enumerate(tokens) if token.type == "heading_open"]
    tops = [k for k in heads if tokens[k].tag == "h2"]
    start = _HEADING if heads[:1] == [0] and tokens[0].tag == "h1" else 0
    ends = [*tops, len(tokens)]
    found = [_section(markdown, _ABOUT, tokens[start : ends[0]])]
    for first, following in itertools.pairwise(ends):
        title = "".join(part.content for part in tokens[first + 1].children or ())
        found.append(_section(markdown, title, tokens[first + _HEADING : following]))
    return [section for section in found if section.html]


def _section(markdown: MarkdownIt, title: str, tokens: Sequence[Token]) -> Section:
    env: dict[str, Any] = {}
    return Section(title, _anchor(title), markdown.renderer.render(tokens, markdown.options, env))


def _anchor(title: str) -> str:
    return f"notes-{_slug(title)}"


def _slug(title: str) -> str:
    """What follows ``#`` in a link to a heading of a Markdown file."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _lead(token: Token, folder: Path, page_dir: Path) -> None:
    """Make a relative link or image of the README lead from the page to the same file."""
    for key in ("href", "src"):
        target = token.attrGet(key)
        if not isinstance(target, str):
            continue
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        if parts.path:
            file = relative(folder / parts.path, page_dir)
            token.attrSet(key, parts._replace(path=file).geturl())
        elif parts.fragment:
            token.attrSet(key, f"#notes-{parts.fragment}")
