"""The one Definitions object: loads ``defs/``, nothing else."""

from pathlib import Path

from dagster import Definitions, definitions, load_from_defs_folder


@definitions
def defs() -> Definitions:
    """Every asset, check, job and resource under ``defs/``."""
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
