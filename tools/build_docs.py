"""Write the generated documents anew: ``docs/data_sources.md`` from the registry.

    python tools/build_docs.py

Belongs here: documents that repeat what code or YAML says. Not here: prose.
"""

from jgb_assets.settings import REPOSITORY
from jgb_assets.sources.base import Source
from jgb_assets.sources.registry import SOURCES

DATA_SOURCES = REPOSITORY / "docs" / "data_sources.md"

INTRODUCTION = """# Data sources

Written by `make docs` from the registry; change `jgb_assets/sources/` instead. The code's licence does not cover these
data: each publisher's terms do. Published datasets are processed from them; computed columns say so in their metadata.
"""


def data_sources() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *(_section(source) for source in SOURCES.values())])


def _section(source: Source) -> str:
    files = "\n".join(f"| `{file.role}` | {file.description} | {'<br>'.join(file.urls)} |" for file in source.files)
    tables = "\n".join(f"| `{table.name}` | {table.description} | {', '.join(table.key)} |" for table in source.tables)
    return f"""## {source.title} (`{source.name}`)

{source.producer}, <{source.homepage}>. {source.cadence[0].upper()}{source.cadence[1:]}; {source.publication}.

Licence: {source.licence}.

> {source.citation}

| file | what it is | read from, in order |
|---|---|---|
{files}

| raw table | one row is | key |
|---|---|---|
{tables}
"""


if __name__ == "__main__":
    DATA_SOURCES.parent.mkdir(exist_ok=True)
    DATA_SOURCES.write_text(data_sources(), encoding="utf-8")
