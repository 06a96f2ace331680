"""What is told to the webhook: each cause once, its end once, and nothing that was not told is lost.

The webhook is a server on the loopback that takes Slack's JSON.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from jgb_assets.alerts import LONGEST_TEXT, Alerts, NotTaken, webhook
from jgb_assets.extracts.dictionary import Column, Dataset
from jgb_assets.extracts.news import news_of
from jgb_assets.extracts.release import publish
from jgb_assets.extracts.store import Store, store_at
from jgb_assets.settings import REPOSITORY, Settings, SettingsError
from tests.faults.publishing import SOURCE, ledger, sources
from tests.pretend_web import closed_port


@dataclass
class Channel:
    """What people read: the texts that were taken, in order. ``answers`` are the next statuses, then 200."""

    url: str = ""
    texts: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    may_answer: threading.Event = field(default_factory=threading.Event)

    def take(self) -> list[str]:
        """What came since this was last asked."""
        came, self.texts[:] = list(self.texts), []
        return came


@contextlib.contextmanager
def slack() -> Iterator[Channel]:
    """The server, until the end of the context."""
    channel = Channel()
    channel.may_answer.set()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            channel.asked.release()
            channel.may_answer.wait(30)
            status = channel.answers.pop(0) if channel.answers else 200
            if status == 200:
                assert self.headers["Content-Type"] == "application/json"
                assert set(told) == {"text"}
                channel.texts.append(told["text"])
            self.send_response(status)
            if 300 < status < 400:
                self.send_header("Location", "/login")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            page = b"<html><body>Log in</body></html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Not on the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    channel.url = f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/secret"
    try:
        yield channel
    finally:
        channel.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def channel() -> Iterator[Channel]:
    with slack() as open_channel:
        yield open_channel


@pytest.fixture
def alerts(channel: Channel, tmp_path: Path) -> Alerts:
    return alerts_at(tmp_path, channel.url)


def alerts_at(folder: Path, url: str) -> Alerts:
    return Alerts(folder / "data" / "alerts.json", webhook(url))


LATE = {"late/mof_jgb_yields": "Source late: mof_jgb_yields; newest yields 2026-07-10."}
FAILED = {"run/refresh_tic": "Run failed: refresh_tic. dbt: no space left on device"}


def test_a_cause_is_told_once_its_end_once_and_then_anew(alerts: Alerts, channel: Channel) -> None:
    (text,) = LATE.values()
    for _ in range(3):
        alerts.settle(LATE.keys(), LATE)
    assert channel.take() == [text]
    for _ in range(3):
        alerts.settle(LATE.keys(), {})
    assert channel.take() == [f"Recovered: {text}"]
    alerts.settle(LATE.keys(), LATE)
    assert channel.take() == [text]


def test_a_cause_that_is_worded_otherwise_is_the_same_cause(alerts: Alerts, channel: Channel) -> None:
    alerts.settle(LATE.keys(), LATE)
    alerts.settle(LATE.keys(), dict.fromkeys(LATE, "Source late: and a day more."))
    assert channel.take() == [*LATE.values()]


def test_causes_that_were_not_judged_stay_as_they_are(alerts: Alerts, channel: Channel) -> None:
    alerts.settle(LATE.keys() | FAILED.keys(), LATE | FAILED)
    assert sorted(channel.take()) == sorted([*LATE.values(), *FAILED.values()])
    alerts.settle(LATE.keys(), {})
    assert channel.take() == [f"Recovered: {text}" for text in LATE.values()]
    alerts.settle({"check/yields/is_fresh"}, {})
    alerts.settle(FAILED.keys(), FAILED)  # still open: not told again
    assert channel.take() == []


def test_nothing_is_said_to_recover_that_was_not_told(alerts: Alerts, channel: Channel) -> None:
    alerts.settle(LATE.keys() | FAILED.keys(), {})
    assert channel.take() == []


def test_what_was_told_outlives_the_process(alerts: Alerts, channel: Channel, tmp_path: Path) -> None:
    alerts.settle(LATE.keys(), LATE)
    again = alerts_at(tmp_path, channel.url)
    again.settle(LATE.keys(), LATE)
    assert channel.take() == [*LATE.values()]
    again.settle(LATE.keys(), {})
    assert len(channel.take()) == 1


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_what_the_webhook_did_not_take_is_told_the_next_time(alerts: Alerts, channel: Channel, status: int) -> None:
    channel.answers = [status]
    with pytest.raises(NotTaken):
        alerts.settle(LATE.keys(), LATE)
    assert channel.take() == []
    alerts.settle(LATE.keys(), LATE)
    alerts.settle(LATE.keys(), LATE)
    assert channel.take() == [*LATE.values()]
    channel.answers = [status]
    with pytest.raises(NotTaken):
        alerts.settle(LATE.keys(), {})
    alerts.settle(LATE.keys(), {})
    alerts.settle(LATE.keys(), {})
    assert channel.take() == [f"Recovered: {text}" for text in LATE.values()]
    channel.answers = [status]
    with pytest.raises(NotTaken):
        alerts.tell({"record/1": "A record."})
    alerts.tell({"record/1": "A record."})
    assert channel.take() == ["A record."]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_webhook_that_leads_to_a_page_to_log_in_has_not_taken_the_text(
    alerts: Alerts, channel: Channel, status: int
) -> None:
    """A client follows with a GET, which leaves the text behind; the page answers 200."""
    channel.answers = [status]
    with contextlib.suppress(NotTaken):
        alerts.settle(LATE.keys(), LATE)
    alerts.settle(LATE.keys(), LATE)
    assert channel.take() == [*LATE.values()]


def test_what_was_taken_before_the_webhook_failed_is_not_told_again(alerts: Alerts, channel: Channel) -> None:
    channel.answers = [200, 500]
    both = LATE | FAILED
    with pytest.raises(NotTaken):
        alerts.settle(both.keys(), both)
    alerts.settle(both.keys(), both)
    assert sorted(channel.take()) == sorted(both.values())
    channel.answers = [200, 500]
    news = {"record/1": "A record.", "record/2": "Another."}
    with pytest.raises(NotTaken):
        alerts.tell(news)
    alerts.tell(news)
    assert channel.take() == ["A record.", "Another."]


def test_a_webhook_that_is_down_loses_nothing(channel: Channel, tmp_path: Path) -> None:
    down = alerts_at(tmp_path, f"http://{closed_port()}/services")
    with pytest.raises(NotTaken):
        down.settle(LATE.keys(), LATE)
    with pytest.raises(NotTaken):
        down.tell({"record/1": "A record."})
    up = alerts_at(tmp_path, channel.url)
    up.settle(LATE.keys(), LATE)
    up.tell({"record/1": "A record."})
    assert channel.take() == [*LATE.values(), "A record."]


def test_a_cause_that_came_and_went_while_the_webhook_was_down_is_not_told(channel: Channel, tmp_path: Path) -> None:
    with pytest.raises(NotTaken):
        alerts_at(tmp_path, f"http://{closed_port()}/").settle(LATE.keys(), LATE)
    alerts_at(tmp_path, channel.url).settle(LATE.keys(), {})
    assert channel.take() == []


def test_a_text_that_is_refused_stops_no_other(alerts: Alerts, channel: Channel, tmp_path: Path) -> None:
    """It is kept, for whoever looks; a webhook that takes no text at all would be another matter."""
    channel.answers = [400]
    alerts.tell({"one": "What Slack does not take.", "two": "What it takes."})
    assert channel.take() == ["What it takes."]
    assert "What Slack does not take." in (tmp_path / "data" / "alerts.json").read_text()


def test_a_long_text_is_cut(alerts: Alerts, channel: Channel) -> None:
    alerts.tell({"long": "x" * 100_000})
    assert [len(text) for text in channel.take()] == [LONGEST_TEXT]


def test_the_address_of_the_webhook_is_never_said(tmp_path: Path, channel: Channel) -> None:
    channel.answers = [500]
    for address in (f"{channel.url}SECRET", f"http://{closed_port()}/SECRET"):
        with pytest.raises(NotTaken) as said:
            alerts_at(tmp_path, address).tell({address: "text"})
        assert "SECRET" not in f"{said.value} {said.value.__cause__}"
    with pytest.raises(SettingsError) as wrong:
        Settings.from_environment({"JGB_ALERT_WEBHOOK": "ftp://hooks.example/SECRET"})
    assert "JGB_ALERT_WEBHOOK" in str(wrong.value)
    assert "SECRET" not in str(wrong.value)


def test_news_are_told_once_by_their_key(alerts: Alerts, channel: Channel) -> None:
    alerts.tell({"tic_month/2026-04-30": "New TIC month 2026-04."})
    alerts.tell({"tic_month/2026-04-30": "The same in other words.", "tic_month/2026-05-31": "New TIC month 2026-05."})
    alerts.settle({"tic_month/2026-04-30"}, {})  # news are no cause that could go away
    assert channel.take() == ["New TIC month 2026-04.", "New TIC month 2026-05."]


def test_text_arrives_as_it_was_written(alerts: Alerts, channel: Channel) -> None:
    text = 'Check failed: 入札結果 "第Ⅱ" <b> & \\ 99円15銭\nsecond line'
    alerts.settle({"check/1"}, {"check/1": text})
    assert channel.take() == [text]


ONE_OF_TWO = """
import sys
from pathlib import Path
from jgb_assets.alerts import Alerts, webhook
path, url = sys.argv[1:]
print("ready", flush=True)
Alerts(Path(path), webhook(url)).{call}
"""


@pytest.mark.parametrize(
    "call", ['settle({"late/x"}, {"late/x": "Source late: x."})', 'tell({"record/1": "A record."})']
)
def test_two_processes_at_once_tell_once(call: str, channel: Channel, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ONE_OF_TWO.format(call=call), str(tmp_path / "alerts.json"), channel.url]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    channel.may_answer.clear()
    first = start()
    assert channel.asked.acquire(timeout=30)  # it has told, but does not know yet that it was heard
    second = start()
    assert not channel.asked.acquire(timeout=1)
    channel.may_answer.set()
    assert [process.wait(30) for process in (first, second)] == [0, 0]
    assert len(channel.take()) == 1


# --- the news of a release ---------------------------------------------------------------------------------------------


def column(name: str, data_type: str, source: str = "Toy Office", *, nullable: bool = True) -> Column:
    return Column(name, data_type, f"The {name} of a release.", "a unit", source, nullable)


TAILS = Dataset(
    "auction_tails",
    "Tails",
    "One row an auction.",
    ("instrument", "auction_date"),
    (
        column("instrument", "varchar", nullable=False),
        column("auction_date", "date", nullable=False),
        column("tail_price", "double", "computed from Toy Office"),
        column("tail_rank", "integer", "computed from Toy Office"),
        column("tail_n", "integer", "computed from Toy Office"),
    ),
    (SOURCE,),
    is_first_hand=True,
)
MOVES = Dataset(
    "curve_moves",
    "Moves",
    "One row a session and tenor.",
    ("obs_date", "tenor_years"),
    (
        column("obs_date", "date", nullable=False),
        column("tenor_years", "smallint", nullable=False),
        *(
            column(name, "double" if name.endswith("bp") else "integer", "computed from Toy Office")
            for name in ("change_1d_bp", "rise_1d_rank", "rise_1d_n", "fall_1d_rank", "fall_1d_n")
        ),
    ),
    (SOURCE,),
)
HOLDINGS = Dataset(
    "tic_holdings",
    "Holdings",
    "One row a month and holder.",
    ("month_end_date", "holder"),
    (
        column("month_end_date", "date", nullable=False),
        column("holder", "varchar", nullable=False),
        column("position_usd_bn", "double"),
        column("change_usd_bn", "double", "computed from Toy Office"),
        column("rank", "integer", "computed from Toy Office"),
    ),
    (SOURCE,),
    is_first_hand=True,
)
Row = dict[str, Any]


def tail(day: str, price: float | None, rank: int | None, n: int | None, instrument: str = "20y") -> Row:
    values = {"tail_price": price, "tail_rank": rank, "tail_n": n}
    return {"instrument": instrument, "auction_date": date.fromisoformat(day)} | values


def move(day: str, change: float | None, tenor: int = 30, **ranks: int) -> Row:
    unranked = dict.fromkeys(("rise_1d_rank", "fall_1d_rank"))
    many = dict.fromkeys(("rise_1d_n", "fall_1d_n"), 3_000)
    of = {"obs_date": date.fromisoformat(day), "tenor_years": tenor, "change_1d_bp": change}
    return of | unranked | many | ranks


def holding(month: str, position: float, change: float | None = None, holder: str = "Japan", rank: int = 1) -> Row:
    of = {"month_end_date": date.fromisoformat(month), "holder": holder}
    return of | {"position_usd_bn": position, "change_usd_bn": change, "rank": rank}


def releases(place: Path, *contents: dict[str, list[Row]]) -> tuple[Store, str]:
    """Publishes one after the other; the id of the last. A dataset that is not named has no row."""
    store = store_at(place)
    for number, content in enumerate(contents):
        with duckdb.connect(":memory:") as connection:
            for dataset in (TAILS, MOVES, HOLDINGS):
                rows = pa.Table.from_pylist(content.get(dataset.name, []), schema=dataset.schema)
                connection.register("rows", rows)
                connection.table("rows").create(dataset.name)
                connection.unregister("rows")
            now = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=number)
            last = publish(connection, [TAILS, MOVES, HOLDINGS], sources(), ledger(number), now, store)
    assert last.is_new
    return store, last.release_id


BEFORE = {
    "auction_tails": [tail("2026-05-21", 0.34, 40, 341)],
    "curve_moves": [move("2026-06-24", 1.5, rise_1d_rank=700)],
    "tic_holdings": [holding("2026-03-31", 1191.6), holding("2026-03-31", 925.0, holder="United Kingdom", rank=2)],
}


def with_more(**rows: list[Row]) -> dict[str, list[Row]]:
    return {name: BEFORE[name] + rows.get(name, []) for name in BEFORE}


def news(place: Path, *contents: dict[str, list[Row]]) -> list[str]:
    return [*news_of(*releases(place, *contents)).values()]


def test_of_the_first_release_there_are_no_news(tmp_path: Path) -> None:
    record = with_more(
        auction_tails=[tail("2026-06-25", 1.2, 1, 342)],
        curve_moves=[move("2026-06-25", 20.3, rise_1d_rank=1)],
        tic_holdings=[holding("2026-04-30", 1209.9, 18.3)],
    )
    assert news(tmp_path, record) == []


def test_a_past_that_comes_for_the_first_time_is_no_news(tmp_path: Path) -> None:
    """Each job publishes: the release after the first job's has no tail, the one after has all since 1987."""
    past = {
        "auction_tails": [tail("1987-09-01", 1.18, 1, 24), tail("1990-05-22", 1.19, 1, 48)],
        "curve_moves": [move("1976-10-01", 30.1, 5, rise_1d_rank=1), move("1985-10-25", 61.7, 5, rise_1d_rank=1)],
        "tic_holdings": [holding(month, 300.0) for month in ("2000-03-31", "2000-04-30", "2000-05-31")],
    }
    assert news(tmp_path, {}, past) == []


def test_the_longest_tail_of_an_instrument_is_news(tmp_path: Path) -> None:
    (text,) = news(tmp_path, BEFORE, with_more(auction_tails=[tail("2026-06-25", 1.2, 1, 342)]))
    for said in ("Record tail", "20y", "2026-06-25", "1.2 yen", "342"):
        assert said in text


@pytest.mark.parametrize(
    "row",
    [
        tail("2026-06-25", 1.14, 2, 342),  # the second longest, 20 May 2025
        tail("2026-06-25", 1.2, 1, 5, "5y_climate"),  # of a few, one is always the longest
        tail("2026-06-24", None, None, None, "40y"),  # a single price has no tail
    ],
    ids=["second", "of few", "none"],
)
def test_other_tails_are_no_news(row: Row, tmp_path: Path) -> None:
    assert news(tmp_path, BEFORE, with_more(auction_tails=[row])) == []


def test_a_record_of_the_past_is_not_told_again_when_another_auction_comes(tmp_path: Path) -> None:
    record = with_more(auction_tails=[tail("2026-06-25", 1.2, 1, 342)])
    after = with_more(auction_tails=[tail("2026-06-25", 1.2, 1, 342), tail("2026-07-02", 0.1, 200, 343)])
    assert news(tmp_path, BEFORE, record, after) == []


@pytest.mark.parametrize(
    ("change", "ranks", "direction", "shown"),
    [
        (20.3, {"rise_1d_rank": 1}, "rise", "+20.3 bp"),  # 30 years, 2026-01-20
        (-21.1, {"fall_1d_rank": 1}, "fall", "-21.1 bp"),
    ],
)
def test_the_largest_move_of_a_day_is_news(
    change: float, ranks: dict[str, int], direction: str, shown: str, tmp_path: Path
) -> None:
    (text,) = news(tmp_path, BEFORE, with_more(curve_moves=[move("2026-06-25", change, **ranks)]))
    for said in (f"Record daily {direction}", "30-year", "2026-06-25", shown, "3000"):
        assert said in text


@pytest.mark.parametrize(
    "row",
    [
        move("2026-06-25", 19.7, rise_1d_rank=2),
        move("2026-06-25", 0.0),
        move("2026-06-25", None),
        move("2026-06-25", 3.0, rise_1d_rank=1, rise_1d_n=40),  # two months of a new tenor
    ],
    ids=["second", "unchanged", "across a gap", "of few"],
)
def test_other_moves_are_no_news(row: Row, tmp_path: Path) -> None:
    assert news(tmp_path, BEFORE, with_more(curve_moves=[row])) == []


def test_records_of_two_tenors_on_one_day_are_two_news(tmp_path: Path) -> None:
    both = [move("2026-06-25", 20.3, 30, rise_1d_rank=1), move("2026-06-25", 22.0, 40, rise_1d_rank=1)]
    found = news_of(*releases(tmp_path, BEFORE, with_more(curve_moves=both)))
    assert len(found) == 2


def test_a_new_month_of_tic_is_told_by_what_japan_holds(tmp_path: Path) -> None:
    april = [holding("2026-04-30", 1209.9, 18.3), holding("2026-04-30", 937.5, 12.5, "United Kingdom", 2)]
    (text,) = news(tmp_path, BEFORE, with_more(tic_holdings=april))
    for said in ("2026-04", "Japan", "1,209.9 billion", "+18.3", "rank 1"):
        assert said in text
    assert "sold" not in text  # a fall in holdings is no sale, and a rise no purchase
    assert "bought" not in text


def test_a_rewritten_past_is_told_with_its_figures(tmp_path: Path) -> None:
    revised = {**BEFORE, "tic_holdings": [holding("2026-03-31", 1190.1), BEFORE["tic_holdings"][1]]}
    (text,) = news(tmp_path, BEFORE, revised)
    for said in ("Changed past", "tic_holdings", "1 ", "2026-03-31", "Japan", "1191.6", "1190.1"):
        assert said in text


def test_of_a_past_rewritten_at_large_some_figures_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    months = [f"{2000 + n // 12}-{n % 12 + 1:02}-28" for n in range(1200)]
    first, second = ({**BEFORE, "tic_holdings": [holding(m, 100.0 + n) for m in months]} for n in (0, 1))
    (text,) = news(tmp_path, first, second)
    assert "1,200" in text
    assert text.count("->") < 10
    assert text.endswith("...")


def test_what_follows_from_a_figure_is_not_told_as_a_rewritten_past(tmp_path: Path) -> None:
    """A rank and a change are computed here: they change whenever a figure before them does."""
    computed = {**BEFORE, "auction_tails": [tail("2026-05-21", 0.35, 39, 341)]}
    assert news(tmp_path, BEFORE, computed) == []


def test_each_rewriting_of_the_past_is_news_of_its_own(tmp_path: Path) -> None:
    once, twice = (
        {**BEFORE, "tic_holdings": [holding("2026-03-31", 1190.0 + n), BEFORE["tic_holdings"][1]]} for n in (1, 2)
    )
    first = news_of(*releases(tmp_path / "a", BEFORE, once))
    second = news_of(*releases(tmp_path / "a", twice))
    assert len(first) == len(second) == 1
    assert first.keys() != second.keys()


def test_a_release_of_nothing_new_has_no_news(tmp_path: Path) -> None:
    more = with_more(auction_tails=[tail("2026-06-25", 0.2, 90, 342)], curve_moves=[move("2026-06-25", -0.5)])
    assert news(tmp_path, BEFORE, more) == []
