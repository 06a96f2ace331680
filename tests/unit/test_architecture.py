"""The house keeps its walls: imports go down only, and no file holds what the repository must not."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from jgb_assets.settings import REPOSITORY
from jgb_assets.sources.registry import SOURCES

PACKAGE = REPOSITORY / "jgb_assets"
# layer -> what of the project it may import, besides itself
ALLOWED = {
    "sources": {"jgb_assets.analytics.bond_yields"},  # pure: a gate computes a yield again
    "landing": {"jgb_assets.sources.base", "jgb_assets.settings", "jgb_assets.files", "jgb_assets.clock"},
    "analytics": set(),
    "extracts": {"jgb_assets.settings", "jgb_assets.files", "jgb_assets.clock"},
    "monitor": set(),
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("layer", ALLOWED)
def test_imports_go_down_only(layer: str) -> None:
    for path in (PACKAGE / layer).glob("*.py"):
        ours = {name for name in imported(path) if name.startswith("jgb_assets")}
        beyond = {name for name in ours if not name.startswith(f"jgb_assets.{layer}")} - ALLOWED[layer]
        assert not beyond, f"{path.name} imports {beyond}"


@pytest.mark.parametrize("layer", ALLOWED)
def test_dagster_stays_in_defs(layer: str) -> None:
    for path in (PACKAGE / layer).glob("*.py"):
        assert not {name for name in imported(path) if name.split(".")[0].startswith("dagster")}, path


def test_a_sources_module_knows_no_other_source() -> None:
    of_sources = {type(source).__module__ for source in SOURCES.values()}
    for path in (PACKAGE / "sources").glob("*.py"):
        assert path.stem == "registry" or not imported(path) & of_sources, path


def test_only_the_clock_reads_the_time() -> None:
    in_sql = re.compile(r"\b(now|today)\s*\(|current_(date|time|timestamp)|localtime", re.IGNORECASE)
    for path in (REPOSITORY / "dbt_project").rglob("*.sql"):
        assert "target" in path.parts or not in_sql.search(path.read_text()), path
    for path in [*PACKAGE.rglob("*.py"), *(REPOSITORY / "dbt_project" / "models").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func.value)
                reads = node.func.attr in {"today", "utcnow"} or (
                    node.func.attr in {"now", "time"} and of.split(".")[-1] in {"datetime", "date", "Timestamp", "time"}
                )
                assert not reads or path.name == "clock.py", f"{path}: {ast.unparse(node)}"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "-C", str(REPOSITORY), "ls-files"], capture_output=True, text=True, check=True)
    return [REPOSITORY / name for name in listed.stdout.splitlines()]


def test_the_lock_pins_by_hash_and_names_no_address() -> None:
    lock = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in lock
    pins = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==", lock, flags=re.MULTILINE)
    assert len(pins) > 100
    assert lock.count("--hash=sha256:") > len(pins)


def test_every_dependency_has_its_reason_and_is_locked() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    project, groups = tomllib.loads(text)["project"], tomllib.loads(text)["dependency-groups"]
    lock = (REPOSITORY / "requirements.lock").read_text()
    for name, (requirement,) in groups.items():
        apart = (REPOSITORY / f"requirements-{name}.lock").read_text()
        assert "://" not in apart
        assert f"\n{re.match('[a-z-]+', requirement)[0]}==" in apart, requirement
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        line = next(line for line in text.splitlines() if f'"{requirement}"' in line)
        assert "# " in line.split('"')[-1], line
        name = re.match(r"[\w-]+", requirement)[0]
        assert re.search(rf"^{name}(\[[\w,-]+\])?==", lock, flags=re.MULTILINE), name


def test_no_publishers_file_is_tracked() -> None:
    originals = REPOSITORY.parent / "shared" / "archive"
    theirs = {path.read_bytes() for path in originals.rglob("*") if path.is_file()}
    copies = [path for path in tracked() if path.is_file() and path.read_bytes() in theirs]
    assert copies == []
    assert not [path for path in tracked() if path.name == "uv.lock"]
