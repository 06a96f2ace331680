"""What the answers of pip-audit mean: found, nothing found, not reached, broken."""

import json
import subprocess
from typing import Any

import audit
import pytest

KNOWN = {"id": "PYSEC-2018-28", "aliases": ["CVE-2018-18074"], "fix_versions": ["2.20.0"]}
CANARY = {"name": "requests", "version": "2.19.1", "vulns": [KNOWN]}
CLEAN = {"name": "six", "version": "1.17.0", "vulns": []}
SKIPPED = {"name": "six", "skip_reason": "Dependency not found"}
TRACEBACK = "Traceback (most recent call last):\n  File ...\n"


def says(*answers: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    found = any(answer.get("vulns") for answer in answers)
    return subprocess.CompletedProcess([], int(found), json.dumps({"dependencies": answers, "fixes": []}), "")


def fails(stderr: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 1, "", stderr)


@pytest.fixture
def pip_audit(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The outcomes of the next calls: first the canary's, then the lock's. A call too many is an error."""
    outcomes: list[Any] = []

    def run(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(subprocess, "run", run)
    return outcomes


def test_nothing_found(pip_audit: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    pip_audit += [says(CANARY), says(CLEAN)]
    assert audit.main() == 0
    assert capsys.readouterr() == ("", "")
    assert pip_audit == []


def test_a_vulnerability_fails_and_is_named(pip_audit: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    pip_audit += [
        says(CANARY),
        says(CLEAN, {"name": "jinja2", "version": "1", "vulns": [KNOWN | {"fix_versions": []}]}),
    ]
    assert audit.main() == 1
    assert capsys.readouterr().err == ("pip-audit: jinja2 1: PYSEC-2018-28, CVE-2018-18074; fixed in no version yet\n")


def test_a_pin_that_a_reached_service_does_not_know_fails(pip_audit: list[Any]) -> None:
    pip_audit += [says(CANARY), says(CLEAN, SKIPPED)]
    assert audit.main() == 1


UNREACHED = {
    "no name or no route": fails(TRACEBACK + "requests.exceptions.ConnectionError: HTTPSConnectionPool(...)"),
    "an error of the service": fails(
        f"{TRACEBACK}requests.exceptions.HTTPError: 503 Server Error\n\nThe above exception was the direct cause of ...\n"
        f"{TRACEBACK}pip_audit._service.interface.ServiceError"
    ),
    "a page instead of JSON": fails(TRACEBACK + "requests.exceptions.JSONDecodeError: Expecting value"),
    "pip-audit's own word": fails("ERROR:pip_audit._cli:Tip: your network may be blocking this service. Try another"),
    "silence": subprocess.TimeoutExpired("pip_audit", 20),
}


@pytest.mark.parametrize("outcome", UNREACHED.values(), ids=UNREACHED)
@pytest.mark.parametrize("before", [[], [says(CANARY)]], ids=["at once", "halfway"])
def test_an_unreachable_service_is_said_and_passes(
    pip_audit: list[Any], before: list[Any], outcome: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pip_audit += [*before, outcome]
    assert audit.main() == 0
    out = capsys.readouterr().out
    assert out.startswith("pip-audit: its service cannot be reached from here (")
    assert out.endswith("); known vulnerabilities were not looked up\n")


@pytest.mark.parametrize("mirror", [SKIPPED, CANARY | {"vulns": []}], ids=["says 404", "knows none"])
def test_a_mirror_without_advisories_is_not_the_service(
    pip_audit: list[Any], mirror: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit itself says "No known vulnerabilities found" here."""
    pip_audit += [says(mirror)]
    assert audit.main() == 0
    assert "were not looked up" in capsys.readouterr().out


@pytest.mark.parametrize("before", [[], [says(CANARY)]], ids=["at once", "halfway"])
def test_a_broken_pip_audit_is_not_taken_for_the_network(pip_audit: list[Any], before: list[Any]) -> None:
    pip_audit += [*before, fails("No module named pip_audit")]
    with pytest.raises(RuntimeError, match="No module named pip_audit"):
        audit.main()
