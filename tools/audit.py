"""Ask whether what ``requirements.lock`` pins has known vulnerabilities; ``make check`` does.

    python tools/audit.py

pip-audit alone passes where nothing was looked up: a mirror that has packages, but not what is known about them,
answers 404 to every question, and 404 is "skipped". So a version is asked for first that is long known to be
vulnerable; only a service that says so is reached. Where it is not, that is said and nothing fails: a green build must
not hang on a service that not everyone reaches. Whatever else goes wrong does fail.

Belongs here: the question, and what its answers mean. Not here: which versions are pinned.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

REPOSITORY = Path(__file__).parents[1]
LOCK = REPOSITORY / "requirements.lock"
CANARY = "requests==2.19.1"  # sent passwords on to other hosts (CVE-2018-18074), and has had four more CVEs since
CANARY_WAIT_S = 20
LOCK_WAIT_S = 600  # one question a package, one after the other


class Unreachable(Exception):
    """The service did not answer, or not as itself; says how."""


def ask(requirements: Path, *options: str, wait_s: int) -> list[dict[str, Any]]:
    """What pip-audit says of each requirement: its ``vulns``, or the ``skip_reason`` why it has nothing to say."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--disable-pip", *options]
    command += ["--format", "json", "--desc", "off", "--progress-spinner", "off", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=wait_s)
    except subprocess.TimeoutExpired as late:
        raise Unreachable(f"no answer within {wait_s} s") from late
    if done.stdout.strip():  # both with and without findings; its exit code is 1 for findings and for every failure
        return json.loads(done.stdout)["dependencies"]
    # pip-audit itself handles one failure of the network only; the others reach us as tracebacks of requests.
    if network := re.search(r"^requests\.exceptions\.(\w+)|network may be blocking", done.stderr, re.MULTILINE):
        raise Unreachable(network[1] or "blocked")
    raise RuntimeError(f"pip-audit failed with exit code {done.returncode}:\n{done.stderr}")


def reach() -> None:
    """Refuse a service that does not know what is long known."""
    with TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text(CANARY + "\n", encoding="utf-8")
        answers = ask(canary, "--no-deps", wait_s=CANARY_WAIT_S)
    if not any(answer.get("vulns") for answer in answers):
        raise Unreachable("what answers there knows no vulnerabilities")


def findings(answers: list[dict[str, Any]]) -> list[str]:
    """A line for each vulnerability, and for each pin that the service does not know."""
    lines = []
    for answer in answers:
        if reason := answer.get("skip_reason"):
            lines.append(f"{answer['name']}: not looked up: {reason}")
        for known in answer.get("vulns", []):
            names = ", ".join([known["id"], *known["aliases"]])
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            lines.append(f"{answer['name']} {answer['version']}: {names}; fixed in {fixed}")
    return lines


def main() -> int:
    """The exit code: 1 when something was found."""
    try:
        reach()
        found = findings(ask(LOCK, "--require-hashes", wait_s=LOCK_WAIT_S))
    except Unreachable as how:
        print(f"pip-audit: its service cannot be reached from here ({how}); known vulnerabilities were not looked up")
        return 0
    for line in found:
        print(f"pip-audit: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
