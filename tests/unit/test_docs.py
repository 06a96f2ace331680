"""Documents say what the code says and does."""

import re

import build_docs
import pytest

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import datasets
from jgb_assets.settings import REPOSITORY
from jgb_assets.sources.registry import SOURCES


def test_data_sources_is_up_to_date() -> None:
    assert build_docs.DATA_SOURCES.read_text(encoding="utf-8") == build_docs.data_sources()


def test_every_source_names_its_publisher_terms_and_citation() -> None:
    text = build_docs.DATA_SOURCES.read_text(encoding="utf-8")
    for source in SOURCES.values():
        for fact in (source.producer, source.licence, source.citation, source.homepage):
            assert fact in text
        assert source.citation.startswith("Source: ")


def test_the_methods_conversion_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """The 40-year of 20 January 2026: 3.901 % compound at 15:00 and the press's 4.24 % simple are one event."""
    blocks = re.findall(r"```(?:python)?\n(.*?)```", (REPOSITORY / "docs" / "methods.md").read_text(), flags=re.DOTALL)
    code, shown = blocks[:2]
    exec(code, {})  # noqa: S102
    assert capsys.readouterr().out == shown
    assert "83.99 4.18" in shown


TRADED = re.compile(
    r"\b(s[eo]ld?s?|selling|sales?|dump\w*|offload\w*|unload\w*|liquidat\w*|bought|buy\w*|purchases?)\b", re.I
)
HELD = re.compile(r"\bhold(s|ings?|ers?)?\b|\bTIC\b|\bpositions?\b", re.I)
RULE = re.compile(r"\bnet\b|\bnot called\b|\bis not a sale\b|\bis no sale\b", re.I)


def texts() -> dict[str, str]:
    """What readers get to read: documents, and the descriptions of every dataset and column."""
    files = [
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        REPOSITORY / "CHANGELOG.md",
        *sorted((REPOSITORY / "docs").glob("*.md")),
    ]
    described = {
        f"{dataset.name}.{column.name}": column.description
        for dataset in datasets(DBT_PROJECT.manifest_path)
        for column in dataset.columns
    }
    described |= {dataset.name: dataset.description for dataset in datasets(DBT_PROJECT.manifest_path)}
    return {path.name: path.read_text(encoding="utf-8") for path in files} | described


def called_a_trade(text: str) -> list[str]:
    """The sentences that speak of holdings and of selling or buying, and of no net transactions."""
    sentences = re.split(r"(?<=[.;:])\s|\n\s*\n|\n[|#-]", text)
    return [one for one in sentences if HELD.search(one) and TRADED.search(one) and not RULE.search(one)]


def test_no_document_calls_a_change_in_holdings_a_sale_or_a_purchase() -> None:
    assert {name: odd for name, text in texts().items() if (odd := called_a_trade(text))} == {}


@pytest.mark.parametrize(
    ("sentence", "allowed"),
    [
        ("Japan sold 47.7 bn of its holdings in March.", False),
        ("The fall in TIC holdings was a sale of Treasuries.", False),
        ("Japan's holdings fell by 47.7 bn: net sales 23.9, price changes -18.0, other -5.9.", True),
        ("A fall in holdings is not called a sale.", True),
    ],
)
def test_the_rule_knows_a_claim_when_it_reads_one(sentence: str, allowed: bool) -> None:
    assert (called_a_trade(sentence) == []) == allowed
