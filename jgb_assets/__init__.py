"""JGB pipeline: official Japanese government bond and TIC series, from publishers' bytes to Parquet.

Layers, imported downwards only: ``defs`` (Dagster) on ``sources``, ``landing``, ``analytics`` and
``extracts``; below those only ``settings``, ``files``, ``clock`` and the vocabulary of ``sources.base``.
"""

from jgb_assets.extracts.read import NotPublished, read

__all__ = ["NotPublished", "read"]
