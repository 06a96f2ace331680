"""Web pages as text and as tables of cells.

Belongs here: decoding, completeness, rows and columns. Not here: what any page says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import lxml.html
from lxml.etree import LxmlError

from jgb_assets.sources.base import LOOK, Snapshot, Source
from jgb_assets.sources.japanese import normal, plain

MAX_BYTES = 256_000
# Elements that a browser sets apart from what is around them.
APART = frozenset(
    (
        *("p", "div", "li", "ul", "ol", "dl", "dt", "dd", "td", "th", "tr", "table", "caption", "title", "br", "hr"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "pre", "option", "center", "section", "article", "header", "footer"),
        *("nav", "main", "aside", "address", "blockquote", "form"),
    )
)
UNREAD = ("script", "style", "noscript", "template", "sup", "sub")  # a raised figure is a note's, not the number's
HEADINGS = ("title", "h1", "h2", "h3")
STRUCK = ("del", "s", "strike")
BORDER = "|"
MAX_SPAN = 100
MAX_COLUMNS = 200  # of the widest table that is read; spans upon spans would fill the memory
# What is left of a page without these; one that is never closed takes the rest of the page with it, as in a browser.
UNSEEN = re.compile(rb"<!--.*?(?:-->|\Z)|<script.*?(?:</script>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """The text of a table's cell, after NFKC, with single spaces, and where its links lead."""

    text: str
    links: tuple[str, ...] = ()


class Page:
    """A web page that arrived whole.

    Raises:
        SourceRejected: it is empty, too large, not UTF-8, no HTML, too deeply nested to be read, or cut short.
    """

    def __init__(self, source: Source, file: Snapshot) -> None:
        body = file.body
        if not body.strip():
            raise source.rejected(file, place="the whole file", expected="a page", found="an empty body", remedy=LOOK)
        if len(body) > MAX_BYTES:
            raise source.rejected(
                file, place="the whole file", expected=f"up to {MAX_BYTES:,} bytes", found=f"{len(body):,}", remedy=LOOK
            )
        parser = lxml.html.HTMLParser(encoding="utf-8")
        try:
            body.decode("utf-8")
            root = lxml.html.document_fromstring(body, parser=parser)
        except UnicodeDecodeError as error:
            raise source.rejected(
                file, place=f"byte {error.start + 1}", expected="UTF-8", found=error.reason, remedy=LOOK
            ) from error
        except (LxmlError, ValueError) as error:
            raise source.rejected(
                file, place="the whole file", expected="a web page", found=f"{error}", remedy=LOOK
            ) from error
        for fatal in parser.error_log.filter_from_fatals():  # beyond 255 elements within each other it reads no further
            raise source.rejected(
                file,
                place=f"line {fatal.line}",
                expected="a page that is read to its end",
                found=fatal.message,
                remedy=LOOK,
            )
        lower = UNSEEN.sub(b"", body.lower())
        if not re.search(rb"<[a-z]", lower):
            raise source.rejected(
                file, place="the whole file", expected="a web page", found=repr(body[:40]), remedy=LOOK
            )
        if lower.count(b"<html") > 1:
            raise source.rejected(
                file, place="the whole file", expected="one page", found="several in one file", remedy=LOOK
            )
        for tag in (b"table", b"html"):
            if (opened := lower.count(b"<" + tag)) > (closed := lower.count(b"</" + tag)):
                raise source.rejected(
                    file,
                    place="the end of the page",
                    expected=f"each {tag.decode()} closed",
                    found=f"{opened} opened, {closed} closed: cut short",
                    remedy=LOOK,
                )
        if struck := ["".join(element.itertext()) for element in root.iter(*STRUCK)]:
            raise source.rejected(
                file, place="the text", expected="none struck out", found=repr(struck[0][:80]), remedy=LOOK
            )
        self._source, self._file, self._root = source, file, root

    @cached_property
    def text(self) -> str:
        """All text, after NFKC, with single spaces."""
        return _spaced("".join(_pieces(self._root)))

    @cached_property
    def plain(self) -> str:
        """All text without any whitespace."""
        return plain(self.text)

    @cached_property
    def headings(self) -> str:
        """The text of the title and of the headings: what the page calls itself."""
        outermost = (one for one in self._root.iter(*HEADINGS) if next(one.iterancestors(*HEADINGS), None) is None)
        return _spaced(" ".join("".join(_pieces(element)) for element in outermost))

    @cached_property
    def bordered(self) -> str:
        """All text without any whitespace, with a border between blocks and between cells."""
        blocks = map(plain, "".join(_pieces(self._root, BORDER)).split(BORDER))
        return BORDER.join(block for block in blocks if block)

    @cached_property
    def tables(self) -> list[list[list[Cell]]]:
        """The innermost tables as rows of cells; a cell that spans rows or columns stands in each.

        Raises:
            SourceRejected: a row has more than ``MAX_COLUMNS`` cells.
        """
        innermost = (one for one in self._root.iter("table") if next(one.iterdescendants("table"), None) is None)
        return [self._rows(table) for table in innermost]

    def _rows(self, table: lxml.html.HtmlElement) -> list[list[Cell]]:
        rows: list[list[Cell]] = []
        hanging: dict[int, tuple[int, Cell]] = {}  # column -> last row, cell
        part = None
        for number, element in enumerate(table.iter("tr")):
            if element.getparent() is not part:  # no cell reaches from a table's head into its body
                part, hanging = element.getparent(), {}
            row: list[Cell] = []
            _hang(row, hanging, number)
            for child in element.iterchildren("td", "th"):
                links = tuple(link.get("href", "") for link in child.iter("a") if link.get("href"))
                cell = Cell(_spaced("".join(_pieces(child))), links)
                for _ in range(_span(child, "colspan")):
                    hanging[len(row)] = (number + _span(child, "rowspan") - 1, cell)
                    row.append(cell)
                _hang(row, hanging, number)
                if len(row) > MAX_COLUMNS:
                    raise self._source.rejected(
                        self._file,
                        place=f"row {number + 1} of a table",
                        expected=f"up to {MAX_COLUMNS} cells",
                        found="more",
                        remedy=LOOK,
                    )
            rows.append(row)
        return rows


def _pieces(element: lxml.html.HtmlElement, border: str = " ") -> Iterator[str]:
    """The text of an element that a reader sees, blocks apart."""
    ahead: list[lxml.html.HtmlElement | str] = [element]  # no recursion: each step would go through all levels above
    while ahead:
        piece = ahead.pop()
        if isinstance(piece, str):
            yield piece
        elif isinstance(piece.tag, str) and piece.tag not in UNREAD:  # a comment has no name
            space = (" " if piece.tag == "br" else border) if piece.tag in APART else ""
            yield space + (piece.text or "")
            ahead.append(space)
            for child in piece.iterchildren(reversed=True):
                ahead += [child.tail or "", child]


def _hang(row: list[Cell], hanging: dict[int, tuple[int, Cell]], number: int) -> None:
    """Put the cells of rows above that reach down to here where they stand."""
    while len(row) in hanging and hanging[len(row)][0] >= number:
        row.append(hanging[len(row)][1])


def _span(element: lxml.html.HtmlElement, name: str) -> int:
    value = element.get(name, "1").strip().lstrip("0")
    if not re.fullmatch("[0-9]+", value):
        return 1
    return int(value) if len(value) <= 2 else MAX_SPAN


def _spaced(text: str) -> str:
    return " ".join(normal(text).split())
