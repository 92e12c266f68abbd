"""`docs/measured.md`: the figures of the proofs that take minutes, each section written by the proof itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

MEASURED = Path(__file__).parents[2] / "docs" / "measured.md"

_HEAD = """# Measured

What was found when it was last measured. `make test-long` runs the long proofs again and writes their sections anew.
"""


PROMISES = {
    "A1": "10,000 random ways of health and 500 shrinkable ones, against a model: 0 missed, 0 unexpected",
    "A2": "health swinging 0.5 % round a limit for a day, read 5,760 times: told once, and reminded of",
    "A3": "100 restarts: no message without a change, and each change while down told at the first look",
    "A4": "no endpoint for an hour: 1 BLIND within 60 s, 1 when it is over, nothing resolved",
    "A5": "200 positions of 50 chats in one block: a message a chat, all named, the last within 5 s",
    "A6": "an escalation while 20 messages wait for the chat: first on the wire, within 1 s",
    "A7": "100 wallets, from the price to the message: p99 within the interval and 2 s",
    "B1": "SIGKILL in the middle of sends, 200 times: 0 lost, at most 1 copy a kill, all labelled",
    "B2": "every commit on the disk, and 200 torn logs whole and as they once were",
    "B3": "13 faults of Telegram, 13 right answers",
    "B4": "Telegram dark for an hour with 500 alerts: 0 lost, one a position, drained within 60 s and the limits",
    "B5": "a chat that has to wait for 60 s: p99 of the others within 2 s",
    "B6": "10,000 texts of any kind: 0 refused",
    "B7": "a second poller: one clear error, and alerts go on",
    "B8": "a state volume that is full or read-only: alerts go out, and it is told, within 10 s",
    "C6": "reorganisations of 1 to 7 blocks, 100 courses of each: 0 resolved falsely, 0 missed",
    "D1": "twelve failures of oracles that cost money: said at the first look after the evidence, by the named check",
    "D2": "thirty calm days of twenty feeds: not a word; a feed that is late: told in one look",
    "D3": "every message with a health that rests on a stale or suspect price says so",
    "F3": "10,000 hostile names: nothing to touch, nothing unseen, nothing styled",
    "F4": "1,000 random strangers: nothing done, nothing answered",
}


def write_promise(name: str, measured: str, test: str, path: Path = MEASURED) -> None:
    """A row of the table of promises, in the place of the one of that name. `test` is where it is measured.

    The rows of other names stay as they are, those too that are not of `PROMISES`.
    """
    row = f"| {name} | {PROMISES[name]} | {measured} | `{test}` |"
    others = [one for one in _promises(path) if _name(one) != name]
    table = ["| | promised | measured | by |", "|---|---|---|---|", *sorted([*others, row], key=_name)]
    how = (
        "What is promised of alerts, of their delivery and of what they rest on, and what was found when it was last"
        " measured."
    )
    _put("promises", ["## Promises", "", how, "", *table], path)


def _name(row: str) -> str:
    return row.split(" |")[0].removeprefix("| ")


def _promises(path: Path) -> list[str]:
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.search(re.escape(_begin("promises")) + "(.*?)" + re.escape(_end("promises")), page, re.DOTALL)
    return [line for line in found[1].splitlines() if re.match(r"\| [A-F]\d ", line)] if found else []


def write_section(name: str, title: str, how: str, facts: Mapping[str, object], path: Path = MEASURED) -> None:
    """Puts a section between its markers, in the place of the one of that name, or at the end."""
    rows = [f"| {fact} | {value} |" for fact, value in facts.items()]
    _put(name, [f"## {title}", "", how, "", f"| measured on {datetime.now(UTC).date()} | |", "|---|---|", *rows], path)


def _put(name: str, lines: list[str], path: Path) -> None:
    section = "\n".join([_begin(name), *lines, _end(name)])
    page = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    old = re.compile(re.escape(_begin(name)) + ".*?" + re.escape(_end(name)), re.DOTALL)
    page = old.sub(lambda _: section, page) if old.search(page) else f"{page.rstrip()}\n\n{section}\n"
    path.write_text(page, encoding="utf-8")


def _begin(name: str) -> str:
    return f"<!-- {name}: begin -->"


def _end(name: str) -> str:
    return f"<!-- {name}: end -->"
