"""How a publisher's file is damaged: by bytes, by lines and cells, by tags, by records of a workbook.

Every mutant follows from its seed alone. Belongs here: the damage. Not here: which files, and what must then hold.
"""

import io
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import xlrd
import xlwt
from build_bundle import Sheets
from xlwt.CompoundDoc import XlsDoc

Mutation = Callable[[bytes, Random], bytes]

# What a cell must never be taken for: limits of types and of calendars, other scripts' digits, other files' words.
_WORDS = """\
- -- ― － n.a. N/A NaN nan inf -inf Infinity 1e309 1e-400 -0 0 0.0 0.000 00 007 +1 1. .5 1_000 0x10 1,000 1,00 ,5 12.3456
-1 -0.001 15.001 99.99 100 130 1e5 32767 32768 65536 2147483647 2147483648 -2147483649 9223372036854775807
9223372036854775808 9007199254740993 ９ １２ ９９．９ ٣ ⅷ ② ¹ ½ ▲1.0 △0.5 −1 1/2 1.0/2.0 #N/A #REF! TRUE None null * ※
1/1/0000 0000/1/1 1/1/9999 12/31/9999 9999/12/31 2/30/2026 2026/2/30 2026/2/29 02/29/2023 2026-02-30 1974/9/23 2099/12/31
R999.1.1 R99.12.31 R0.1.1 H31.5.1 S64.1.8 S1.1.1 H1.1.7 令和999年1月1日 令和0年1月1日 令和元年5月1日 平成999年12月31日
昭和1年1月1日 令和8年2月30日 令和8年13月1日 0000-01 9999-12 2099-12 2020-01 0000 9999 2026 Jan Dec 0000CY 9999年4月～10000年3月
Date Country 基準日 回号 Total Japan <html> <td> </table> <!-- &nbsp; &#0; &#x110000; " "" "," ' = =1/0 @ % ％ 円 兆 0円 999999兆円"""
TOKENS = (
    *_WORDS.split(),
    "",
    " ",
    "\u3000",
    "\x00",
    "\r",
    "\t",
    "\x1a",
    "\x0b",
    "\x85",
    "\u2028",
    "\ufeff",
    "9" * 40,
    "9" * 400,
    "9" * 5000,
    "1" * 70_000,
)
SPANS = ("0", "-1", "2", "7", "100", "101", "65535", "9" * 30, "x", "٣", "")
LONG = 3_000  # repetitions of what is repeated


def mutant(body: bytes, mutations: Sequence[Mutation], rng: Random) -> bytes:
    """``body`` after one, two or three mutations; never ``body`` itself."""
    damaged = body
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        damaged = rng.choice(mutations)(damaged, rng)
    while damaged == body:
        damaged = flip(damaged, rng)
    return damaged


# --- bytes ------------------------------------------------------------------------------------------------------


def _range(body: bytes, rng: Random) -> tuple[int, int]:
    """A short range as a rule, now and then a long one."""
    start = rng.randrange(len(body) + 1)
    return start, min(len(body), start + rng.choice((1, 1, 2, 4, 16, 64, 512, len(body))))


def flip(body: bytes, rng: Random) -> bytes:
    damaged = bytearray(body or b" ")
    for _ in range(rng.choice((1, 1, 2, 8))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def overwrite(body: bytes, rng: Random) -> bytes:
    start, end = _range(body, rng)
    size = min(end - start, 64)
    filling = rng.choice((rng.randbytes(size), b"\x00" * size, b"\xff" * size, b"9" * size, b" " * size))
    return body[:start] + filling + body[start + size :]


def insert(body: bytes, rng: Random) -> bytes:
    start, _ = _range(body, rng)
    added = rng.choice(
        (
            rng.randbytes(rng.choice((1, 3, 40))),
            b"\x00",
            b"\r",
            b"\n",
            b'"',
            b",",
            b"\t",
            b"\x1a",
            b"<html>",
            b"\xef\xbb\xbf",
        )
    )
    return body[:start] + added + body[start:]


def delete(body: bytes, rng: Random) -> bytes:
    start, end = _range(body, rng)
    return body[:start] + body[end:]


def double(body: bytes, rng: Random) -> bytes:
    start, end = _range(body, rng)
    return body[:end] + body[start:end] + body[end:]


def move(body: bytes, rng: Random) -> bytes:
    start, end = _range(body, rng)
    rest = body[:start] + body[end:]
    to = rng.randrange(len(rest) + 1)
    return rest[:to] + body[start:end] + rest[to:]


def cut(body: bytes, rng: Random) -> bytes:
    return body[: rng.randrange(len(body) + 1)] if rng.random() < 0.8 else body[rng.randrange(len(body) + 1) :]


BYTES: tuple[Mutation, ...] = (flip, overwrite, insert, delete, double, move, cut)


# --- text: lines and cells --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delimited:
    """Damage to delimited text that leaves most of it in its layout. ``grafts`` are cells of other publishers."""

    separator: str
    encoding: str
    grafts: tuple[str, ...] = ()

    @cached_property
    def comma(self) -> bytes:
        return self.separator.encode()

    @cached_property
    def tokens(self) -> list[bytes]:
        return [token.encode(self.encoding, "replace") for token in (*TOKENS, *self.grafts)]

    @property
    def mutations(self) -> tuple[Mutation, ...]:
        deep = (self.replace_cells, self.replace_run, self.edit_cell, self.swap_cells, self.lines_moved)
        others = (self.number_of_cells, self.swap_columns, self.line_ends, self.other_encoding, self.wrapped, self.huge)
        return (*deep * 3, *others, *BYTES)

    def cells_of(self, line: bytes) -> list[bytes]:
        return line.rstrip(b"\r").split(self.comma)

    def with_line(self, lines: list[bytes], at: int, cells: list[bytes]) -> bytes:
        end = b"\r" if lines[at].endswith(b"\r") else b""
        return b"\n".join([*lines[:at], self.comma.join(cells) + end, *lines[at + 1 :]])

    def line(self, body: bytes, rng: Random) -> tuple[list[bytes], int]:
        """The lines, and one of them: as often among the first and last as among all."""
        lines = body.split(b"\n")
        at = rng.choice(
            (rng.randrange(len(lines)), rng.randrange(min(len(lines), 16)), -1 - rng.randrange(min(len(lines), 8)))
        )
        return lines, at % len(lines)

    def replace_cells(self, body: bytes, rng: Random) -> bytes:
        lines, at = self.line(body, rng)
        cells, token = self.cells_of(lines[at]), rng.choice(self.tokens)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            cells[rng.randrange(len(cells))] = token
        return self.with_line(lines, at, cells)

    def replace_run(self, body: bytes, rng: Random) -> bytes:
        """The same token in neighbouring cells: it may add up."""
        lines, at = self.line(body, rng)
        cells, token = self.cells_of(lines[at]), rng.choice(self.tokens)
        start = rng.randrange(len(cells))
        end = min(len(cells), start + rng.choice((2, 3, 6, 99)))
        return self.with_line(lines, at, cells[:start] + [token] * (end - start) + cells[end:])

    def edit_cell(self, body: bytes, rng: Random) -> bytes:
        """A digit, a sign, a point or a blank more or less: still a figure, but another."""
        lines, at = self.line(body, rng)
        cells = self.cells_of(lines[at])
        column = rng.randrange(len(cells))
        cell = cells[column]
        position = rng.randrange(len(cell) + 1)
        cells[column] = rng.choice(
            (
                cell[:position] + rng.choice(b"0123456789-. ").to_bytes(1, "big") + cell[position:],
                cell[:position] + rng.choice(b"0123456789").to_bytes(1, "big") + cell[position + 1 :],
                cell[:position] + cell[position + 1 :],
                b"-" + cell,
                cell + b"0",
                b'"' + cell + b'"',
                b" " + cell,
                cell * 2,
            )
        )
        return self.with_line(lines, at, cells)

    def swap_cells(self, body: bytes, rng: Random) -> bytes:
        lines, at = self.line(body, rng)
        cells = self.cells_of(lines[at])
        one, other = rng.randrange(len(cells)), rng.randrange(len(cells))
        cells[one], cells[other] = cells[other], cells[one]
        return self.with_line(lines, at, cells)

    def number_of_cells(self, body: bytes, rng: Random) -> bytes:
        lines, at = self.line(body, rng)
        cells = self.cells_of(lines[at])
        column = rng.randrange(len(cells))
        more = rng.choice(([], [cells[column]] * 2, [b""] * 300))
        return self.with_line(lines, at, cells[:column] + more + cells[column + 1 :])

    def swap_columns(self, body: bytes, rng: Random) -> bytes:
        lines = body.split(b"\n")
        width = max(len(self.cells_of(text)) for text in lines)
        one, other = rng.randrange(width), rng.randrange(width)
        first = rng.choice((0, 0, rng.randrange(len(lines))))
        for at in range(first, len(lines)):
            cells = self.cells_of(lines[at])
            if max(one, other) < len(cells):
                cells[one], cells[other] = cells[other], cells[one]
                lines[at] = self.comma.join(cells) + (b"\r" if lines[at].endswith(b"\r") else b"")
        return b"\n".join(lines)

    def lines_moved(self, body: bytes, rng: Random) -> bytes:
        lines, at = self.line(body, rng)
        _, other = self.line(body, rng)
        match rng.randrange(6):
            case 0:
                lines[at], lines[other] = lines[other], lines[at]
            case 1:
                lines.insert(other, lines[at])
            case 2:
                del lines[at]
            case 3:
                lines.insert(other, lines.pop(at))
            case 4:
                del lines[min(at, other) : max(at, other)]
            case 5:
                lines[at:at] = [lines[at]] * rng.choice((2, 40, LONG))
        return b"\n".join(lines)

    def line_ends(self, body: bytes, rng: Random) -> bytes:
        lines, at = self.line(body, rng)
        match rng.randrange(5):
            case 0:
                return body.replace(b"\r\n", b"\n")
            case 1:
                return body.replace(b"\n", b"\r")
            case 2:
                return body.rstrip(b"\r\n")
            case 3:
                return b"\n".join([*lines[:at], lines[at].rstrip(b"\r") + b"\r", *lines[at + 1 :]])
            case _:
                return body + rng.choice((b"\r\n", b"\n\n", self.comma * 15 + b"\r\n", b"\x1a", b"\x00"))

    def other_encoding(self, body: bytes, rng: Random) -> bytes:
        text = body.decode(self.encoding, "replace")
        target = rng.choice(
            ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "shift_jis", "euc_jp", "iso2022_jp", "latin-1")
        )
        return text.encode(target, "replace")

    def wrapped(self, body: bytes, rng: Random) -> bytes:
        head, tail = rng.choice(
            (
                (b"<html><body><pre>", b"</pre></body></html>"),
                (b"\xef\xbb\xbf", b""),
                (b"\r\n" * 3, b""),
                (b"", b"<html>"),
                (b"PK\x03\x04", b""),
            )
        )
        return head + body + tail

    def huge(self, body: bytes, rng: Random) -> bytes:
        lines, at = self.line(body, rng)
        cells = self.cells_of(lines[at])
        column = rng.randrange(len(cells))
        cells[column] = rng.choice(
            (
                cells[column] * LONG,
                cells[column] + b" " * 100_000,
                b" " * 100_000 + cells[column],
                b'"' * LONG,
                b"(" * 50_000,
            )
        )
        return self.with_line(lines, at, cells)


# --- pages: what stands between tags, and tags ------------------------------------------------------------------

TEXT = re.compile(r"(?<=>)[^<>]*[^<>\s][^<>]*(?=<)")
TAG = re.compile(r"<[^<>]+>")
FIGURE = re.compile(r"[0-9０-９][0-9０-９.,．，]*")
INSERTED = ("<del>", "<sup>", "<br>", "<th>", "<tr>", "</tr>", "</table>", "<body>")
LINKS = (
    "http://[",
    "//[::1",
    "http://a:b:c/",
    "\x00",
    "javascript:0",
    "../" * 99,
    "?",
    "#",
    "９.htm",
    "http://\uff0e/",
)
OPENINGS = ("<b>", "<div>", "<table><tr><td>", "<td>", "<!--", "<script>", "<a href=x>", "(", "|", "&", "<p", "\u3000")


def page_mutations(grafts: Sequence[str] = ()) -> tuple[Mutation, ...]:
    """Damage to a page in UTF-8. ``grafts`` are texts of other pages."""
    tokens = (*TOKENS, *grafts)

    def on_text(change: Callable[[str, Random], str]) -> Mutation:
        def mutation(body: bytes, rng: Random) -> bytes:
            return change(body.decode("utf-8", "surrogateescape"), rng).encode("utf-8", "surrogateescape")

        return mutation

    def one(pattern: re.Pattern[str], text: str, rng: Random) -> tuple[int, int]:
        found = [match.span() for match in pattern.finditer(text)]
        return rng.choice(found) if found else (0, 0)

    def replace_text(text: str, rng: Random) -> str:
        start, end = one(TEXT, text, rng)
        return text[:start] + rng.choice(tokens) + text[end:]

    def replace_figure(text: str, rng: Random) -> str:
        start, end = one(FIGURE, text, rng)
        return text[:start] + rng.choice(tokens) + text[end:]

    def replace_everywhere(text: str, rng: Random) -> str:
        """The same figure wherever it stands: title and cell still agree."""
        start, end = one(FIGURE, text, rng)
        return text.replace(text[start:end], rng.choice(tokens)) if end > start else text

    def edit_figure(text: str, rng: Random) -> str:
        start, end = one(FIGURE, text, rng)
        at = rng.randrange(start, end + 1)
        more, less = rng.choice("0123456789.,-▲%"), rng.randrange(2)
        return text[:at] + rng.choice((more, "")) + text[at + less :]

    def swap_texts(text: str, rng: Random) -> str:
        (a, b), (c, d) = sorted((one(TEXT, text, rng), one(TEXT, text, rng)))
        return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:] if b <= c else text

    def tags(text: str, rng: Random) -> str:
        start, end = one(TAG, text, rng)
        to, _ = one(TAG, text, rng)
        tag, more = text[start:end], rng.choice(INSERTED)
        span = f' {rng.choice(("colspan", "rowspan"))}="{rng.choice(SPANS)}"'
        return rng.choice(
            (
                text[:start] + text[end:],
                text[:end] + tag + text[end:],
                text[:to] + tag + text[to:],
                text[: end - 1] + span + text[end - 1 :] if tag else text,
                text[:start] + more + text[start:],
                text[:start] + tag.upper() + text[end:],
            )
        )

    def links(text: str, rng: Random) -> str:
        link = rng.choice(LINKS)
        return re.sub('(?<=href=")[^"]*', lambda _: link, text, count=rng.randrange(4))

    def elements(text: str, rng: Random) -> str:
        """Rows, cells and tables twice, away, or elsewhere."""
        name = rng.choice(("tr", "tr", "td", "th", "table", "title", "a", "p"))
        found = [match.span() for match in re.finditer(rf"<{name}\b.*?</{name}>", text, re.DOTALL)]
        if not found:
            return text
        start, end = rng.choice(found)
        other = rng.choice(found)[0]
        return rng.choice(
            (
                text[:start] + text[end:],
                text[:end] + text[start:],
                text[:end] + text[start:end] * 60 + text[end:],
                text[:other] + text[start:end] + text[other:],
            )
        )

    def repeated(text: str, rng: Random) -> str:
        at, _ = one(TAG, text, rng)
        return text[:at] + rng.choice(OPENINGS) * rng.choice((2, 300, LONG, 20_000)) + text[at:]

    def entities(text: str, rng: Random) -> str:
        start, end = one(TEXT, text, rng)
        at = rng.randrange(start, end + 1)
        entity = rng.choice(
            (
                "&nbsp;",
                "&#0;",
                "&#xD800;",
                "&#x110000;",
                "&#12;",
                "&lt;td&gt;",
                "&#9312;",
                "&amp",
                "&thinsp;",
                "&#" + "9" * 99 + ";",
            )
        )
        return text[:at] + entity + text[at:]

    def encoded(text: str, rng: Random) -> str:
        return rng.choice(
            (
                "\ufeff" + text,
                text.replace("<head>", '<head><meta charset="utf-16">'),
                '<?xml version="1.0" encoding="utf-16"?>' + text,
            )
        )

    def other_encoding(body: bytes, rng: Random) -> bytes:
        return body.decode("utf-8", "replace").encode(rng.choice(("cp932", "utf-16", "euc_jp", "utf-8-sig")), "replace")

    deep = (replace_text, replace_figure, replace_everywhere, edit_figure, swap_texts)
    changes = (*deep * 3, tags, tags, elements, elements, links, repeated, entities, encoded)
    return (*map(on_text, changes), other_encoding, *BYTES)


# --- the workbook: container, records, cells --------------------------------------------------------------------

BOUNDSHEET, BOF = 0x85, 0x809
NUMBERS = (
    0,
    -0.0,
    -1,
    0.5,
    1e-308,
    1e15,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    2**31,
    2**53,
    60,
    2958465,
    2958466,
    1e9,
    -657435,
)


def container(body: bytes, rng: Random) -> bytes:
    """Damage where an OLE2 file says how it is laid out: header, sector table, directory, first record."""

    def number(at: int) -> int:
        stands = 0 <= at <= len(body) - 4
        return min(len(body), max(0, struct.unpack_from("<i", body, at)[0])) if stands else 0

    table, directory = number(76), number(48)
    stream = number(512 * (1 + directory) + 128 + 116)
    start = rng.choice((24, 24, *(512 * (1 + sector) for sector in (table, directory, stream))))
    at = start + rng.randrange({24: 56}.get(start, 512))
    field = rng.choice(
        (
            rng.randbytes(1),
            rng.randbytes(2),
            *(struct.pack("<i", n) for n in (-4, -2, -1, 0, 1, 2, 5, 255, 2**31 - 1, -(2**31))),
        )
    )
    return body[:at] + field + body[at + len(field) :]


def records_of(stream: bytes) -> list[tuple[int, bytes]]:
    """The records (operation code, data) of a BIFF stream."""
    found, at = [], 0
    while at + 4 <= len(stream):
        code, size = struct.unpack_from("<HH", stream, at)
        found.append((code, stream[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


def workbook_of(records: Sequence[tuple[int, bytes]], rng: Random) -> bytes:
    """A workbook of these records, most often with its sheets found again where they have moved to."""
    starts, at = [], 0
    for code, data in records:
        if code == BOF:
            starts.append(at)
        at += 4 + len(data)
    sheets, mended = iter(starts[1:]), rng.random() < 0.8
    parts = []
    for code, data in records:
        found = code == BOUNDSHEET and mended and len(data) >= 4
        there = struct.pack("<I", next(sheets, 0)) + data[4:] if found else data
        parts.append(struct.pack("<HH", code, len(there)) + there)
    out = io.BytesIO()
    XlsDoc().save(out, b"".join(parts))
    return out.getvalue()


def record_mutations(body: bytes) -> tuple[Mutation, ...]:
    """Damage to the records of this workbook, in a sound container."""
    document = xlrd.compdoc.CompDoc(body, logfile=io.StringIO())
    whole = records_of(bytes(document.get_named_stream("Workbook")))
    kinds: dict[int, list[int]] = {}
    for number, (code, _) in enumerate(whole):
        kinds.setdefault(code, []).append(number)

    def mutation(_: bytes, rng: Random) -> bytes:
        records = list(whole)
        for _ in range(rng.choice((1, 1, 2, 4))):
            # Each kind of record as often as any other: a file is nearly all cells.
            at = min(rng.choice(kinds[rng.choice(list(kinds))]), len(records) - 1)
            code, data = records[at]
            match rng.randrange(8):
                case 0 | 1 | 2:
                    if data:
                        position = rng.randrange(min(len(data), 64))
                        field = rng.choice((rng.randbytes(1), rng.randbytes(2), b"\xff\xff", b"\x00\x00", b"\xff\x7f"))
                        records[at] = code, (data[:position] + field + data[position + len(field) :])[: len(data)]
                case 3:
                    records[at] = rng.choice(list(kinds)), data
                case 4:
                    records[at] = code, data[: rng.randrange(len(data) + 1)]
                case 5:
                    records[at] = code, (data + rng.randbytes(rng.choice((1, 8, 64))))[:8224]
                case 6:
                    records.insert(rng.randrange(len(records)), (code, data))
                case _:
                    del records[at]
        return workbook_of(records, rng)

    return (mutation,)


def sheet_mutations(sheets: Sheets) -> tuple[Mutation, ...]:
    """Other cells in these sheets, written as a workbook anew."""

    def mutation(_: bytes, rng: Random) -> bytes:
        grids = {name: [list(row) for row in rows] for name, rows in sheets.items()}
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            name = rng.choice(list(grids))
            grid = grids[name]
            row = grid[rng.choice((rng.randrange(len(grid)), rng.randrange(min(len(grid), 6)), -1))]
            column = rng.randrange(len(row)) if row else 0
            kind = rng.choice((xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE))
            match rng.randrange(12):
                case 0 | 1 if row:
                    row[column] = kind, rng.choice(NUMBERS)
                case 2 if row:
                    row[column] = xlrd.XL_CELL_TEXT, rng.choice(TOKENS)[:30_000]
                case 3 if row:
                    row[column] = rng.choice(
                        ((xlrd.XL_CELL_BOOLEAN, True), (xlrd.XL_CELL_ERROR, 0), (xlrd.XL_CELL_EMPTY, ""))
                    )
                case 4 | 5 if row and isinstance(row[column][1], float):
                    shown, value = row[column]
                    row[column] = (
                        shown,
                        rng.choice((value * 10, -value, value + 1, value - 1, value + 0.5, value / 100)),
                    )
                case 6 if row:
                    other = rng.randrange(len(row))
                    row[column], row[other] = row[other], row[column]
                case 7:
                    grid.insert(rng.randrange(len(grid)), list(rng.choice(grid)))
                case 8:
                    grid.remove(row)
                case 9:
                    grids[name + rng.choice((" ", "x", "債"))[: 31 - len(name)]] = grids.pop(name)
                case 10:
                    for line in grid:
                        del line[column : column + 1]
                case _:
                    row.extend([(xlrd.XL_CELL_TEXT, "x")] * rng.choice((1, 200)))
            grid[:] = grid or [[]]
        return written(grids)

    return (mutation,)


def written(sheets: Sheets) -> bytes:
    """The sheets as BIFF8, errors and truths too."""
    workbook = xlwt.Workbook()
    dated = xlwt.easyxf(num_format_str="M/D/YY")
    for name, rows in sheets.items():
        sheet = workbook.add_sheet(name)
        for at, row in enumerate(rows):
            for column, (kind, value) in enumerate(row[:256]):
                if kind == xlrd.XL_CELL_ERROR:
                    sheet.row(at).set_cell_error(column, 42)  # #N/A
                elif kind != xlrd.XL_CELL_EMPTY:
                    sheet.write(at, column, value, *([dated] if kind == xlrd.XL_CELL_DATE else []))
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()
