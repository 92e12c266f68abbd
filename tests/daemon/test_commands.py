"""Commands to the real daemon: over a real market, through the Bot API, beside its alerts."""

from __future__ import annotations

from pathlib import Path

from telegram import Bot

from tests.daemon.gate import Gate
from tests.daemon.inside import Clock
from tests.daemon.talking import ME, STRANGER, talking
from tests.daemon.waiting import eventually
from tests.daemon.world import TOKEN, Market


async def test_it_answers_from_what_it_saw_last_without_asking_the_chain(
    tmp_path: Path, borrowers: Market, clock: Clock, gate: Gate
) -> None:
    async with talking(tmp_path, borrowers, clock, gate=gate) as chat:
        asked = len(gate.asked)
        told = await chat.ask("/health")
        assert [line.split(" ", 1)[1] for line in told.splitlines()[:3]] == [
            "WARNING · weak · Aave v3 Local",
            "thin · Aave v3 Local",
            "sound · Aave v3 Local",
        ]
        assert "no alert is waiting" in await chat.ask("/status")
        assert "for health 1.50, one of\n· repay " in await chat.ask("/position weak")
        assert len(gate.asked) == asked


async def test_it_foretells_what_the_contract_then_says(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        told = await chat.ask("/whatif WETH -20%")
        foretold = {line.split(" · ")[-2]: told.splitlines()[place + 1] for place, line in _positions(told)}
        borrowers.move("WETH", 80)
        for label in ("weak", "thin", "sound"):
            after = float(foretold[label].split(" → ")[1])
            assert abs(float(borrowers.health(label)) - after) < 0.0002
        assert "1 of 3 positions would be liquidatable." in told


def _positions(told: str) -> list[tuple[int, str]]:
    return [(place, line) for place, line in enumerate(told.splitlines()) if line.endswith(" · Aave v3 Local")]


async def test_it_says_that_it_does_not_see(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock, max_age=300) as chat:
        clock.now += 400
        assert "NOT CURRENT" in await chat.ask("/positions")
        assert "NOT CURRENT" in await chat.ask("/health weak")


async def test_it_does_not_hear_strangers(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        for _ in range(20):
            chat.api.updates.say(STRANGER, STRANGER, "/status")
        await chat.ask("/help")
        assert {message.chat for message in chat.api.accepted} == {ME}


async def test_it_goes_on_alerting_while_another_poller_has_its_ear(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        async with Bot(TOKEN, base_url=chat.api.base_url) as other:
            await eventually(lambda: any(method == "getUpdates" for method, *_ in chat.api.requests))
            await other.get_updates(timeout=0)
        assert (await chat.told(2)).startswith("COMMANDS ARE NOT HEARD\n")
        borrowers.move("WETH", 95)
        clock.now += 12
        await chat.watch.tick()
        assert "CRITICAL, was WARNING · weak" in await chat.told(3)


async def test_it_hears_under_a_new_configuration(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        path = tmp_path / "wallets.toml"
        path.write_text(path.read_text().replace('label = "weak"', 'label = "frail"'))
        await chat.daemon.reload()
        await eventually(lambda: bool(chat.watch.last))
        assert "WARNING · frail · Aave v3 Local" in await chat.ask("/health frail")
        polls = [method for method, *_ in chat.api.requests].count("setMyCommands")
        assert polls == 1  # the same bot goes on listening
