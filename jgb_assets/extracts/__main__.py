"""``python -m jgb_assets.extracts list|verify|rollback|prune``: look after the releases that stand.

Belongs here: the command line. Not here: what a command does (``upkeep``).
"""

import argparse
import json
import sys

import jgb_assets.clock
from jgb_assets.extracts.store import (
    DESCRIPTOR,
    RELEASES,
    PublisherBusy,
    ReleaseRefused,
    Store,
    StoreUnreachable,
    store_at,
)
from jgb_assets.extracts.upkeep import is_held_back, prune, rollback, verify
from jgb_assets.settings import Settings, SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run a command. 0: done; 1: something is damaged, or was refused; 2: it could not start."""
    parser = argparse.ArgumentParser(prog="python -m jgb_assets.extracts", description="Look after the releases.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every release, oldest first")
    one = commands.add_parser("verify", help="hash everything again; exit 1 where a byte is not as published")
    one.add_argument("release", nargs="?", help="one release instead of all")
    back = commands.add_parser("rollback", help="give readers an earlier release; logged")
    back.add_argument("release", nargs="?", help="which; default: what readers had before the current one")
    commands.add_parser("prune", help="keep all of the last 90 days and the last of each month; logged")
    asked = parser.parse_args(arguments)
    try:
        store = store_at(Settings.from_environment().publish_location)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        if not store.releases():
            raise ReleaseRefused(f"nothing is published in {store.location}")
        match asked.command:
            case "list":
                _list(store)
            case "verify":
                return _verify(store, asked.release)
            case "rollback":
                print(f"readers of {store.location} now have {rollback(store, jgb_assets.clock.now(), asked.release)}")
            case "prune":
                removed = prune(store, jgb_assets.clock.now())
                print("\n".join([*(f"removed {release_id}" for release_id in removed), f"{len(removed)} removed"]))
    except (ReleaseRefused, PublisherBusy) as refused:
        print(refused, file=sys.stderr)
        return 1
    except (StoreUnreachable, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _list(store: Store) -> None:
    current = store.current()
    for release_id in store.releases():
        package = json.loads(store.read(f"{RELEASES}/{release_id}/{DESCRIPTOR}"))
        rows = sum(resource["rows"] for resource in package["resources"])
        note = "current" if release_id == current else "held back" if is_held_back(store, release_id) else ""
        print(f"{release_id}  {len(package['resources']):>3} datasets {rows:>11,} rows  {note}".rstrip())


def _verify(store: Store, release_id: str | None) -> int:
    known = store.releases()
    if release_id is not None and release_id not in known:
        print(f"there is no release {release_id} in {store.location}", file=sys.stderr)
        return 1
    problems = verify(store, release_id)
    print("\n".join(problems) if problems else f"{store.location}: {release_id or f'{len(known)} releases'} whole")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
