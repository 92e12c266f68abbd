"""B4. An hour in which Telegram cannot be reached, and one in which it does not answer, played whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.long.measured import write_promise, write_section
from tests.notify.test_promises import HOUR, LATENCY, outage
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import FateUnknown, NotSent

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("name", "title", "problem"),
    [
        ("delivery-refused", "An hour without a connection", NotSent("could not connect")),
        ("delivery-mute", "An hour without an answer", FateUnknown("no answer")),
    ],
)
async def test_it_loses_nothing_in_an_hour_of_darkness_and_has_told_all_within_a_minute_after(
    tmp_path: Path, name: str, title: str, problem: DeliveryError
) -> None:
    figures = await outage(tmp_path / "w.db", problem, played=HOUR // 2)
    how = (
        "Alerts of 500 positions for 40 private chats and 10 groups wait through an hour; half of them change in its"
        f" middle. Then the service, as strict about floods as Telegram, takes each in {LATENCY * 1000:.0f} ms. Times"
        " are those of the test's clock."
    )
    write_section(name, title, how, figures)
    if isinstance(problem, FateUnknown):
        measured = f"{figures['alerts']} alerts: {figures['lost']} lost, drained after {figures['drained after']}"
        write_promise("B4", measured, "tests/long/test_delivery_outage.py")
