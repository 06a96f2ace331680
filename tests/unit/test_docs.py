"""Documents say what the code says and does."""

import re

import build_docs
import pytest

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
