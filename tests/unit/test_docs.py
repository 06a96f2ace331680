"""Generated documents say what the code says."""

import build_docs

from jgb_assets.sources.registry import SOURCES


def test_data_sources_is_up_to_date() -> None:
    assert build_docs.DATA_SOURCES.read_text(encoding="utf-8") == build_docs.data_sources()


def test_every_source_names_its_publisher_terms_and_citation() -> None:
    text = build_docs.DATA_SOURCES.read_text(encoding="utf-8")
    for source in SOURCES.values():
        for fact in (source.producer, source.licence, source.citation, source.homepage):
            assert fact in text
        assert source.citation.startswith("Source: ")
