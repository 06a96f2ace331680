"""Where the dbt project and its manifest are, and how dbt is called.

Belongs here: the prebuilt manifest, made once if it is missing. Not here: assets.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from dagster_dbt import DbtCliResource, DbtProject
from packaging.version import Version

from jgb_assets.settings import REPOSITORY


class QuickDbtCliResource(DbtCliResource):
    """dagster-dbt's resource without two preparations that we do not use and that cost more than the build.

    Upstream runs ``dbt --version`` as a process of its own, and imports all of dbt into this one for an adapter that
    only serves ``fetch_row_counts`` and its like; rows are counted in ``defs.warehouse``.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]  # upstream takes None
        return None


DBT_PROJECT = DbtProject(project_dir=REPOSITORY / "dbt_project")
# The dbt of this environment, whether or not it is on the PATH.
DBT = QuickDbtCliResource(
    project_dir=str(DBT_PROJECT.project_dir), dbt_executable=str(Path(sys.executable).with_name("dbt"))
)

# Not prepare_if_dev(): it looks for dbt on the PATH. The Makefile keeps the manifest up to date.
if not DBT_PROJECT.manifest_path.is_file():
    DBT.cli(["parse", "--quiet"], target_path=DBT_PROJECT.target_path).wait()
