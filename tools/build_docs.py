"""Write the generated documents anew, and put what is new under the promise.

``data_sources.md`` comes from the registry, ``data_dictionary.md`` from dbt's manifest, ``repatriation.md`` and the
pictures of ``images`` from a release.

    python tools/build_docs.py

Belongs here: documents that repeat what code, YAML or the published figures say. Not here: opinions.
"""

import json
import sys
from pathlib import Path
from textwrap import fill

import pandas as pd
import pyarrow.parquet as pq

from jgb_assets.defs.dbt_project import DBT_PROJECT
from jgb_assets.extracts.dictionary import (
    PROMISE,
    SCHEMA_VERSION,
    Column,
    Dataset,
    broken_promises,
    datasets,
    promise_of,
)
from jgb_assets.monitor.cells import Datasets
from jgb_assets.monitor.pictures import overview, verdicts
from jgb_assets.settings import REPOSITORY, Settings
from jgb_assets.sources.base import Source
from jgb_assets.sources.registry import SOURCES

DATA_SOURCES = REPOSITORY / "docs" / "data_sources.md"
DATA_DICTIONARY = REPOSITORY / "docs" / "data_dictionary.md"
REPATRIATION = REPOSITORY / "docs" / "repatriation.md"
IMAGES = REPOSITORY / "docs" / "images"

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


# --- the data dictionary, and the promise -------------------------------------------------------------------------

COLUMNS = f"""# Data dictionary

Written by `make docs` from dbt's manifest; change `dbt_project/models/marts/` instead. Schema version
{SCHEMA_VERSION}: what stands here stays, with its name, type, unit and key. Bold columns are the key. A column that may
be empty is marked: null says that the publisher has no value, or that it cannot be computed. How to read the files:
[readers guide](readers_guide.md).
"""


def data_dictionary() -> str:
    """The whole document."""
    known = datasets(DBT_PROJECT.manifest_path)
    return "\n".join([COLUMNS, *map(_dictionary_section, known)])


def _dictionary_section(dataset: Dataset) -> str:
    known_at = f" A row could be known from `{dataset.known_at}` on." if dataset.known_at else ""
    rows = "\n".join(_dictionary_row(column, column.name in dataset.key) for column in dataset.columns)
    return f"""## {dataset.name}

{dataset.title}. {dataset.description} Built from {", ".join(f"`{source}`" for source in dataset.sources)}.{known_at}

| column | type | unit | null | what it is | source |
|---|---|---|---|---|---|
{rows}
"""


def _dictionary_row(column: Column, is_key: bool) -> str:
    name = f"**`{column.name}`**" if is_key else f"`{column.name}`"
    cells = [
        name,
        str(column.arrow_type),
        column.unit,
        "null" if column.nullable else "",
        column.description,
        column.source,
    ]
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def promise() -> str:
    """The promise of this major version with what is new in the manifest added.

    Raises:
        SystemExit: something that was promised is gone or has changed.
    """
    known = datasets(DBT_PROJECT.manifest_path)
    before = json.loads(PROMISE.read_text()) if PROMISE.is_file() else {}
    if broken := broken_promises(before, known):
        sys.exit("\n".join([*broken, "Readers of this major version rely on it: a new one is needed."]))
    return json.dumps(promise_of(known), indent=1, sort_keys=True) + "\n"


# --- is Japanese capital coming home? ----------------------------------------------------------------------------

THRESHOLD_USD_BN = 1_100  # the level that headlines quote
WIDTH = 118
INVESTORS = {
    "banks": "banks (banking accounts)",
    "life_insurers": "life insurers",
    "investment_trust_managers": "investment trusts",
    "trust_accounts": "trust accounts (usually read as pension money)",
    "all": "all investors",
}


def repatriation(release: Path) -> str:
    """The whole document, from the extracts of a release. Every figure is read there, every verb follows its sign."""
    holdings, flows, days = (
        pd.read_parquet(release / f"{name}.parquet") for name in ("tic_holdings", "securities_flows", "repatriation")
    )
    return "\n\n".join([_opening(days), _holdings(holdings), _flows(flows, days), _price(days), READING]) + "\n"


def _opening(days: pd.DataFrame) -> str:
    last = days.iloc[-1]
    return "# Is Japanese capital coming home?\n\n" + fill(
        "Written by `make docs` from the published extracts; as known on the morning of "
        f"{last['obs_date']:%-d %B %Y} in Tokyo where not said otherwise. Three official views, none enough "
        f"alone. {_only_together(last)}",
        WIDTH,
    )


def _only_together(last: pd.Series) -> str:
    if last[["foreign_bond_net_52w_jpy_bn", "hedged_pickup_10y_bp", "japan_tic_usd_bn"]].isna().any():
        raise ValueError(f"the row of {last['obs_date']} lacks a view: there is nothing to say of all three")
    bought = "bought" if last["foreign_bond_net_52w_jpy_bn"] > 0 else "sold"
    pays = "more" if last["hedged_pickup_10y_bp"] > 0 else "less"
    return (
        f"Custodians show {last['japan_tic_usd_bn']:,.1f} bn USD of Treasuries for Japan at the end of "
        f"{last['japan_tic_month_end_date']:%B %Y}; residents, net, {bought} foreign bonds of all countries for "
        f"{abs(last['foreign_bond_net_52w_jpy_bn']) / 1000:.1f} trillion yen in 52 weeks; before the cross-currency "
        f"basis, a hedged 10-year Treasury paid {abs(last['hedged_pickup_10y_bp']):.0f} bp {pays} than the JGB."
    )


def _holdings(holdings: pd.DataFrame) -> str:
    japan = holdings[holdings["holder"] == "Japan"].set_index("month_end_date").sort_index()
    peak, newest = japan["position_usd_bn"].idxmax(), japan.index[-1]
    lowest = japan[["position_usd_bn", "first_print_usd_bn"]].min(axis=1)
    since = lowest.index[lowest.to_numpy() <= THRESHOLD_USD_BN][-1]
    above = japan.index[japan.index > since]
    rows = "\n".join(
        f"| {month:%Y-%m} | {row['position_usd_bn']:,.1f} | {row['first_print_usd_bn']:,.1f} | "
        f"{row['change_statement']} |"
        for month, row in japan.iloc[-8:].iterrows()
    )
    known = japan[japan["net_purchases_usd_bn"].notna()]
    total = known[["change_usd_bn", "net_purchases_usd_bn", "valuation_usd_bn", "other_usd_bn"]].sum()
    summary = fill(
        f"Above {THRESHOLD_USD_BN:,} bn in each of the {len(above)} months from {above[0]:%Y-%m} to {newest:%Y-%m}, as "
        f"last seen and as first seen. The highest month-end is {japan.loc[peak, 'position_usd_bn']:,.1f} bn, "
        f"{peak:%Y-%m}. From {known.index[0]:%Y-%m} to {newest:%Y-%m} the level moved by "
        f"{total['change_usd_bn']:+,.1f} bn: net transactions {total['net_purchases_usd_bn']:+,.1f}, price changes "
        f"{total['valuation_usd_bn']:+,.1f}, other {total['other_usd_bn']:+,.1f}.",
        WIDTH,
    )
    return f"""## What custodians hold for Japan (TIC)

| month | usd bn | first seen | what may be said |
|---|---:|---:|---|
{rows}

{summary}"""


def _flows(flows: pd.DataFrame, days: pd.DataFrame) -> str:
    debt = flows[(flows["direction"] == "outward") & (flows["security_type"] == "long_term_debt")]
    months = debt[debt["frequency"] == "monthly"].pivot_table(
        index="period_end_date", columns="investor_type", values="net_jpy_bn"
    )[list(INVESTORS)]
    recent = months.iloc[-6:]
    head = " | ".join(f"{month:%Y-%m}" for month in recent.index)
    year = recent.index[-1].year
    so_far = months[[month.year == year for month in months.index]].sum()
    rows = "\n".join(
        f"| {label} | {' | '.join(f'{value:+,.0f}' for value in recent[name])} | {so_far[name]:+,.0f} |"
        for name, label in INVESTORS.items()
    )
    week = debt[debt["frequency"] == "weekly"].sort_values("period_end_date").iloc[-1]
    last = days.iloc[-1]
    sums = ", ".join(f"{n} weeks {last[f'foreign_bond_net_{n}w_jpy_bn']:+,.1f}" for n in (4, 13, 52))
    summary = fill(
        f"The newest month and the newest week, to {week['period_end_date']} ({week['net_jpy_bn']:+,.1f}), came out "
        f"later. Known by {last['obs_date']}: {sums}.",
        WIDTH,
    )
    return f"""## Who buys abroad (MOF flows)

Net purchases of foreign long-term debt, jpy bn, all countries and currencies:

| investor | {head} | {year} |
|---|{"---:|" * (len(recent) + 1)}
{rows}

{summary}"""


def _price(days: pd.DataFrame) -> str:
    months = pd.to_datetime(days["obs_date"]).dt.to_period("M")
    shown = days.groupby(months).first().iloc[-8:]
    rows = "\n".join(
        f"| {row['obs_date']} | {row['spread_10y_bp']:.0f} | {row['spread_30y_bp']:.0f} | "
        f"{row['hedge_cost_pct']:.2f} | {row['hedged_pickup_10y_bp']:+.0f} | {row['hedged_pickup_30y_bp']:+.0f} |"
        for _, row in shown.iterrows()
    )
    return f"""## What staying abroad pays

The first morning of each month: Treasury less JGB, and what a 3-month hedge left of it, before the basis.

| known on | spread 10y, bp | spread 30y, bp | hedge cost, % | pick-up 10y, bp | pick-up 30y, bp |
|---|---:|---:|---:|---:|---:|
{rows}"""


READING = """## What these figures cannot say

- A fall in holdings is not called a sale, nor a rise a purchase, unless net transactions say so; where the rest is the
  largest part, the cause is not identified. Before 2023-02 transactions and prices are not published.
- TIC goes by custodian: Belgium, Luxembourg, the United Kingdom or the Cayman Islands hold for others, also for Japan.
- Flows are of reporting residents in all foreign bonds. They say nothing of Treasuries alone, nor whether proceeds came
  home; they can be consistent with it.
- The cross-currency basis is not in the pick-up, and an overnight target stands for a 3-month rate: nobody earns it."""


def images(release: Path) -> dict[str, bytes]:
    """The README's pictures by file name, drawn from the extracts of a release."""
    datasets = Datasets({path.stem: pq.read_table(path) for path in sorted(release.glob("*.parquet"))})
    return {"monitor.png": overview(datasets), "claims.png": verdicts(datasets)}


if __name__ == "__main__":
    release = Path(Settings.from_environment().publish_location) / "v1" / "current"
    PROMISE.write_text(promise(), encoding="utf-8")
    DATA_DICTIONARY.write_text(data_dictionary(), encoding="utf-8")
    DATA_SOURCES.write_text(data_sources(), encoding="utf-8")
    REPATRIATION.write_text(repatriation(release), encoding="utf-8")
    IMAGES.mkdir(exist_ok=True)
    for name, picture in images(release).items():
        (IMAGES / name).write_bytes(picture)
