"""Web pages: what is refused, and what a browser would show of the rest."""

import pytest
from quickly import quickly
from toy_source import ToySource, instant, snapshot

from jgb_assets.sources.base import LOOK, SourceRejected
from jgb_assets.sources.html_pages import MAX_BYTES, MAX_COLUMNS, Cell, Page


def page(body: str | bytes) -> Page:
    body = body if isinstance(body, bytes) else body.encode()
    return Page(ToySource(), snapshot("prices", body, instant(1)))


def within(inner: str) -> str:
    return f"<html><body>{inner}</body></html>"


def texts(inner: str) -> list[list[list[str]]]:
    return [[[cell.text for cell in row] for row in table] for table in page(within(inner)).tables]


def rows(inner: str) -> list[str]:
    """The cells of one table, a row as one word: each cell has one letter."""
    (table,) = texts(f"<table>{inner}</table>")
    return ["".join(row) for row in table]


# --- what is refused ------------------------------------------------------------------------------------------

TABLE = "<table><tr><td>1</td></tr></table>"


@pytest.mark.parametrize(
    ("body", "place", "expected", "found"),
    [
        (b"", "the whole file", "a page", "an empty body"),
        (b" \r\n\t ", "the whole file", "a page", "an empty body"),
        ("<html>入札".encode() + b"\x93\xfc\x8eD</html>", "byte 13", "UTF-8", "invalid start byte"),
        (within("入札").encode("shift_jis"), "byte 13", "UTF-8", "invalid start byte"),
        (within("入札").encode()[:14], "byte 13", "UTF-8", "unexpected end of data"),
        (within("入札").encode("utf-16"), "byte 1", "UTF-8", "invalid start byte"),
        (within(TABLE * 2) + within(TABLE), "the whole file", "one page", "several in one file"),
        ("<HTML><body></body></HTML>\n<Html lang=ja></html>", "the whole file", "one page", "several in one file"),
    ],
)
def test_a_body_that_is_no_page(body: str | bytes, place: str, expected: str, found: str) -> None:
    with pytest.raises(SourceRejected) as refusal:
        page(body)
    told = refusal.value
    assert (told.place, told.expected, told.found, told.remedy) == (place, expected, found, LOOK)
    assert (told.source, told.role) == ("toy", "prices")


@pytest.mark.parametrize("body", ["<!-- a comment -->", "<!DOCTYPE html>", "Not found", '{"status": 404}'])
def test_what_has_no_element_is_no_page(body: str) -> None:
    with pytest.raises(SourceRejected, match="expected a web page"):
        page(body)


@pytest.mark.parametrize("tag", ["del", "s", "strike"])
def test_a_figure_that_is_struck_out_is_not_read(tag: str) -> None:
    with pytest.raises(SourceRejected, match="none struck out, found '1兆円'"):
        page(within(f"<p>応募額 <{tag}>1兆円</{tag}>（訂正後 2兆円）</p>"))


def test_a_page_has_up_to_256_000_bytes() -> None:
    largest = within("札" * ((MAX_BYTES - len(within(""))) // 3)).encode()
    largest += b" " * (MAX_BYTES - len(largest))
    assert len(largest) == MAX_BYTES == 256_000
    assert page(largest).text.startswith("札札")
    with pytest.raises(SourceRejected, match=r"expected up to 256,000 bytes, found 256,001"):
        page(largest + b" ")


WHOLE = within(f"<p>a</p>{TABLE}{TABLE}")


@pytest.mark.parametrize(
    ("body", "tag", "opened", "closed"),
    [
        (WHOLE[: WHOLE.index("<td>1")], "table", 1, 0),
        (WHOLE[: WHOLE.rindex("<td>1")], "table", 2, 1),
        (WHOLE[: WHOLE.rindex("able></body>")], "table", 2, 1),
        (WHOLE[: WHOLE.index("<p>")], "html", 1, 0),
        (WHOLE[: WHOLE.rindex("</body>")], "html", 1, 0),
        (WHOLE.removesuffix("</html>"), "html", 1, 0),
        (WHOLE.removesuffix("tml>"), "html", 1, 0),
        (WHOLE.replace("</table></body>", "</body>"), "table", 2, 1),
        (WHOLE.upper().removesuffix("</HTML>"), "html", 1, 0),
    ],
)
def test_a_page_that_was_cut(body: str, tag: str, opened: int, closed: int) -> None:
    assert len(page(WHOLE).tables) == 2
    with pytest.raises(SourceRejected) as refusal:
        page(body)
    assert refusal.value.place == "the end of the page"
    assert refusal.value.expected == f"each {tag} closed"
    assert refusal.value.found == f"{opened} opened, {closed} closed: cut short"


@pytest.mark.parametrize("opening", ["<!--", "<script>", "<script><!--"])
def test_what_is_never_closed_takes_the_rest_of_the_page_and_no_time(opening: str) -> None:
    with quickly(), pytest.raises(SourceRejected, match="expected each html closed"):
        page(within(opening * (250_000 // len(opening))))


@pytest.mark.parametrize("tag", ["div", "b", "span"])
def test_a_page_nested_deeper_than_it_is_read_is_refused_and_not_read_in_part(tag: str) -> None:
    """Beyond 255 elements the library reads no further: what stands behind them would be missing in silence."""
    deep = f"<p>before</p>{'<' + tag + '>' * 1}" + f"<{tag}>" * 199 + "within" + f"</{tag}>" * 200 + "<p>behind</p>"
    assert page(within(deep)).text.split() == ["before", "within", "behind"]
    with pytest.raises(SourceRejected, match="expected a page that is read to its end"):
        page(within(f"<{tag}>" * 300 + "within" + f"</{tag}>" * 300 + "<p>behind</p>"))


def test_headings_within_headings_take_no_time() -> None:
    with quickly():
        assert len(page(within("<h1><b>" * 100 + "<i>a</i>" * 28_000 + "</b></h1>" * 100)).headings) == 28_000


# --- text -----------------------------------------------------------------------------------------------------


def test_a_heading_within_a_heading_is_told_once() -> None:
    assert page(within("<h1>a <span><h2>b</h2></span></h1><h3>c</h3>")).headings == "a b c"


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("a<br>b<br/>c", "a b c"),
        ("<p>a</p><p>b</p>c", "a b c"),
        ("<p>a<p>b", "a b"),
        ("<div>a</div><div><div>b</div>c</div>", "a b c"),
        ("<h1>a</h1><h2>b</h2><h3>c</h3><h4>d</h4><h5>e</h5>f", "a b c d e f"),
        ("<ul><li>a</li><li>b</ul>c", "a b c"),
        ("<table><caption>a</caption><tr><th>b</th><td>c</td></tr><tr><td>d</td></tr></table>e", "a b c d e"),
        ("<table><tr><th>a<th>b<td>c<td>d<tr><td>e</table>f", "a b c d e f"),
        ("<dl><dt>a<dt>b<dd>c<dd>d</dl>e", "a b c d e"),
        ("<select><option>a</option><option>b</option></select>", "a b"),
        ("<b>9</b>9.<i>6</i><span>5</span><a href='x'>%</a><sup>1</sup>", "99.65%"),  # a note's mark is no digit
        ("  a \n\t b&nbsp;c&#x3000;d\u3000\u00a0e  ", "a b c d e"),
        ("９９．６５％（第Ⅰ非価格競争）Ａ＆amp；&amp;&lt;", "99.65%(第I非価格競争)A&amp;&<"),
        ("a<!-- x -->b<!-- <p>y</p> -->c", "abc"),
        ("a<script>var x = '<p>';</script>b<style>p {color: red}</style>c", "abc"),
        ("a<noscript>x</noscript>b<template><p>y</p></template>c<?php z ?>d", "abcd"),
        ("<script>x</script><p>a</p><script>y</script>b<br><style>z</style>c<template>d</template>", "a b c"),
        ("", ""),
    ],
)
def test_text_is_what_a_browser_shows(inner: str, text: str) -> None:
    assert page(within(inner)).text == text
    assert page(within(inner)).plain == text.replace(" ", "")


@pytest.mark.parametrize("tag", ["p", "div", "table", "h1", "h6", "dl"])
def test_a_block_stands_apart_from_the_text_around_it(tag: str) -> None:
    contents = {"table": "<tr><td>2</td></tr>", "dl": "<dt>2</dt>"}.get(tag, "2")
    assert page(within(f"<div>99<{tag}>{contents}</{tag}>65</div>")).text == "99 2 65"


def test_the_title_is_text_apart_from_the_body() -> None:
    head = "<head><meta charset=utf-8><title>10年債</title><style>x</style></head>"
    assert page(f"<html>{head}<body>入札</body></html>").text == "10年債 入札"
    assert page(f"<html>{head}<body>入札</body></html>").plain == "10年債入札"


@pytest.mark.parametrize(
    "body",
    [
        "<html><head><meta charset=Shift_JIS></head><body>入札</body></html>",
        '<?xml version="1.0" encoding="EUC-JP"?>\n<!DOCTYPE html><html><body>入札</body></html>',
        "\ufeff<!DOCTYPE html>\n<HTML LANG='ja'><BODY>入札</BODY></HTML>\n",
        "<html><body>入札</html>",
    ],
)
def test_a_page_is_utf_8_whatever_it_says(body: str) -> None:
    assert page(body).text == "入札"


# --- tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr>", ["ab", "cd"]),
        ("<tr><th>a<td>b<tr><td>c<th>d", ["ab", "cd"]),
        ("<thead><tr><th>a</thead><tbody><tr><td>b</tbody><tfoot><tr><td>c</tfoot>", ["a", "b", "c"]),
        ("<tr><td>a<td><td>c<tr><tr><td>d", ["ac", "", "d"]),
        ("<tr><td colspan=3>a<td>b<tr><td>c<td colspan='2'>d<td>e", ["aaab", "cdde"]),
        ("<tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e", ["ab", "ac", "de"]),
        ("<tr><td>a<td rowspan=3>b<td>c<tr><td>d<td>e<tr><td>f<td>g", ["abc", "dbe", "fbg"]),
        ("<tr><td>a<td rowspan=2>b<tr><td>c<tr><td>d<td>e", ["ab", "cb", "de"]),  # at the end of a row
        ("<tr><td rowspan=2>a<td rowspan=2>b<td>c<tr><td>d", ["abc", "abd"]),
        ("<tr><td rowspan=2 colspan=2>a<td>b<tr><td>c<tr><td>d<td>e<td>f", ["aab", "aac", "def"]),
        ("<tr><td rowspan=3>a<td rowspan=2>b<td>c<tr><td>d<tr><td>e<td>f", ["abc", "abd", "aef"]),
        ("<tr><td rowspan=2>a<td rowspan=2>b<tr><tr><td>c<td>d", ["ab", "ab", "cd"]),
        ("<tr><td rowspan=9>a<td>b", ["ab"]),  # the table ends first
        ("<tr><td colspan=' 2 '>a<td colspan=1>b<td rowspan=''>c<td colspan=x>d<td colspan=-2>e", ["aabcde"]),
        ("<tr><td colspan=0>a<td colspan=²>b", ["ab"]),
    ],
)
def test_rows_and_columns(inner: str, expected: list[str]) -> None:
    assert rows(inner) == expected


def test_a_short_row_does_not_push_a_spanning_cell_down() -> None:
    """c spans two rows; the second of them is one cell short, the third has all of its own."""
    assert rows("<tr><td>a<td>b<td rowspan=2>c<tr><td>d<tr><td>e<td>f<td>g")[2] == "efg"


def test_a_cell_ends_with_its_part_of_the_table() -> None:
    """No cell spans from the head into the body, whatever its rowspan says."""
    assert rows("<thead><tr><th rowspan=2>a<th>b</thead><tbody><tr><td>c<td>d</tbody>") == ["ab", "cd"]


def test_a_span_is_at_most_a_hundred() -> None:
    assert rows("<tr><td colspan=99999999>a") == ["a" * 100]
    assert rows("<tr><td rowspan=99999999>a" + "<tr>" * 150) == ["a"] * 100 + [""] * 51


def test_a_span_of_more_digits_than_any_number_has_is_a_span() -> None:
    assert rows(f"<tr><td colspan={'9' * 5_000}>a") == ["a" * 100]
    with quickly():
        assert rows(f"<tr><td colspan={'9' * 200_000}x>a<td rowspan={'0' * 40_000}>b") == ["ab"]


def test_spans_upon_spans_do_not_fill_the_memory() -> None:
    """A hundred columns in each of 4,000 cells, and all of it in each of a hundred rows, would be 40 million cells."""
    assert rows("<tr><td colspan=100>a<td colspan=100>b") == ["a" * 100 + "b" * 100]
    with quickly(), pytest.raises(SourceRejected) as refusal:
        texts("<table><tr>" + "<td colspan=100 rowspan=100>a" * 4_000 + "<tr>" * 100 + "</table>")
    told = refusal.value
    assert (told.place, told.expected) == ("row 1 of a table", f"up to {MAX_COLUMNS} cells")


def test_cells_are_read_as_text_is() -> None:
    inner = (
        "<tr><th>（５）<br>募入\n 平均価格 <!-- x --><script>y</script><td><p>99円</p><p>７０銭</p></td><td>&nbsp;</td>"
    )
    assert texts(f"<table>{inner}</table>") == [[["(5) 募入 平均価格", "99円 70銭", ""]]]


def test_tables_are_the_innermost_in_the_order_of_the_page() -> None:
    inner = """
        <table><tr><td>a</td></tr></table>
        <table><tr><td>layout</td><td>
            <table><tr><td>b</td></tr></table>
            <table><tr><td><div><table><tr><td>c</td><td>d</td></tr></table></div></td></tr></table>
        </td></tr></table>
        <p>none</p><table></table>
        <table><tr><td>e</td></tr></table>
    """
    assert texts(inner) == [[["a"]], [["b"]], [["c", "d"]], [], [["e"]]]
    assert texts("<p>a</p>") == []


def test_links_are_kept_as_they_are_written() -> None:
    (table,) = page(
        within(
            "<table><tr><td><a href='nyusatsu/resul20240903.htm'>結果</a> <a name=top>x</a><a href=''>y</a></td>"
            "<td rowspan=2><p><b><a href='../a.htm?x=1&amp;y=2#Ⅱ'>Ⅱ</a></b></p><a href=' b.htm '>b</a></td></tr>"
            "<tr><td>-</td></tr></table><a href='c.htm'>c</a>"
        )
    ).tables
    both = Cell("II b", ("../a.htm?x=1&y=2#Ⅱ", " b.htm "))
    assert table == [[Cell("結果 xy", ("nyusatsu/resul20240903.htm",)), both], [Cell("-"), both]]
