"""What each command says of a real market, and that it never says more than it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from tests.bot.seen import IDLE, LABELS, SPEC, ask, cases, held, view, wallet
from watcher.alerts.message import Style, Text
from watcher.alerts.rules import Rules
from watcher.bot import commands
from watcher.bot.commands import COMMANDS, Command
from watcher.bot.hands import Hands
from watcher.bot.position import position
from watcher.bot.reply import Reply
from watcher.bot.view import Sight, View
from watcher.chain import EndpointReport
from watcher.config import Role
from watcher.domain.position import Check
from watcher.domain.price import Opaque, Price
from watcher.domain.sequencer import Running, Sequencer
from watcher.domain.source import Address
from watcher.snapshot import Held

WIDE = 46
"""Characters of a line on a telephone, more or less."""


def test_it_says_what_is_watched_and_what_it_knows_of_it() -> None:
    assert ask("/status", view(lost=["fund"])) == (
        "Watching 7 wallets\n6 positions\n· 2 CRITICAL\nlowest health 1.0416: main · Aave v3\n"
        "1 position UNKNOWN, not readable\n\n"
        "Ethereum: block 205, 12 s old\n· read through node·example\n\n"
        "no alert is waiting\n\n"
        f"version {view().version}, up 1 h 6 min"
    )


def test_it_says_what_does_not_get_through() -> None:
    now = view().now
    backlog = replace(IDLE, pending=9, oldest=now - 300, refused=2, held=4, dead=1)
    told = ask("/status", replace(view(), backlog=backlog, disabled={"desk": "Forbidden: bot was blocked. See t.me/x"}))
    assert (
        "3 alerts waiting, the oldest for 5 min\n· 4 held by a mute or quiet hours\n· 2 for a chat that gets nothing\n"
        "1 undelivered for good\n"
        "desk gets nothing: Forbidden: bot was blocked. See t·me∕x"
    ) in told
    assert "The database cannot be read: see the log" in ask("/status", replace(view(), backlog=None))


def test_it_never_passes_old_numbers_off_as_present_ones() -> None:
    old, blind = view(age=400), view(blind_since=view().now - 60)
    for line in ("/status", "/positions", "/position main", "/health", "/feeds", "/whatif WETH -1"):
        assert "NOT CURRENT" not in ask(line, view())
        assert "Ethereum: block 205, 6 min old, NOT CURRENT" in ask(line, old)
        assert "NOT CURRENT" in ask(line, blind)
    assert "· BLIND for 1 min" in ask("/status", blind)


def test_it_tells_of_a_sequencer_unless_it_is_well_up() -> None:
    def said(report: Sequencer | None, line: str) -> str:
        [sight] = view().sights
        assert sight.snapshot is not None
        return ask(line, replace(view(), sights=(replace(sight, snapshot=replace(sight.snapshot, sequencer=report)),)))

    at = view().now - 12
    down = Sequencer(state=Running.DOWN, since=at - 708)
    back = Sequencer(state=Running.UP, since=at - 48)
    unknown = Sequencer(state=Running.UNKNOWN, problem="no answer")
    for report, words in (
        (down, "SEQUENCER DOWN for 12 min"),
        (back, "SEQUENCER JUST UP AGAIN for 1 min"),
        (unknown, "SEQUENCER UNKNOWN"),
    ):
        assert f"\n· {words}\n" in said(report, "/status")
        assert f"Ethereum: block 205, 12 s old\n{words}" in said(report, "/position main")
    for well in (None, Sequencer(state=Running.UP, since=at - 4000)):
        assert "SEQUENCER" not in said(well, "/status") + said(well, "/position main")


def test_it_does_not_take_a_chain_that_it_has_not_seen_for_an_empty_one() -> None:
    unseen = replace(view(), sights=(Sight(spec=SPEC),))
    for line in ("/status", "/positions", "/position main", "/health", "/feeds"):
        assert "Ethereum: NOT SEEN YET" in ask(line, unseen)
    assert "Not known: not every chain can be seen." in ask("/positions", unseen)


def test_it_says_why_a_chain_cannot_be_seen_and_which_endpoints_are_in_trouble() -> None:
    [seen] = view().sights
    why = "ethereum: no endpoint answered (rpc.example: no connection: connection refused)"
    told = ask("/status", replace(view(), sights=(Sight(spec=SPEC, unseen=why),)))
    assert (
        "Ethereum: NOT SEEN YET\n· waiting for it: ethereum: no endpoint answered (rpc·example: no connection"
    ) in told
    well = EndpointReport(name="node.example", wire="http", errors={})
    late = replace(well, name="late.example", behind=True)
    tired = replace(well, name="tired.example", resting=31.6, failed_lately=True, problem="HTTP 429")
    told = ask("/status", replace(view(), sights=(replace(seen, endpoints=(well, late, tired)),)))
    assert (
        "· read through node·example\n· late·example: its newest block is behind\n"
        "· tired·example: asked us to wait, 32 s of that are left; HTTP 429\n\n"
    ) in told
    told = ask("/status", replace(view(), sights=(replace(seen, unseen=why, endpoints=(late,)),)))
    assert "· cannot be read now: ethereum: no endpoint" in told
    assert "late" not in told


def test_it_lists_positions_the_worst_first_and_the_unknown_before_all() -> None:
    told = ask("/positions", view(lost=["fund"]))
    assert [part.split("\n")[0] for part in told.split("\n\n")[:-1]] == [
        "UNKNOWN · fund · Aave v3",
        "CRITICAL · main · Aave v3",
        "CRITICAL · desk · Aave v3",
        "staker · Aave v3",
        "cold storage · Aave v3",
        "cold wallet · Aave v3",
        "saver · Aave v3",
    ]
    assert "health 1.0416 · $20,000.00 / $15,840.00" in told
    assert "health ∞ · $28,852.36, no debt" in told


def test_it_tells_health_in_a_line_each() -> None:
    assert ask("/health", view("main", "saver", "fund", lost=["fund"])) == (
        "UNKNOWN · fund · Aave v3\n1.0416 CRITICAL · main · Aave v3\n∞ saver · Aave v3\n\nEthereum: block 205, 12 s old"
    )
    assert ask("/health MAIN", view()).splitlines()[0] == "1.0416 CRITICAL · main · Aave v3"


def test_it_shows_a_position_with_all_that_it_rests_on_and_the_way_out() -> None:
    assert ask("/position main", view()) == (
        "CRITICAL · main · Aave v3\nhealth 1.0416 < 1.10 (critical)\n\n"
        "collateral $20,000.00\n· 10 WETH at $2,000.00, counts 82.5 %\n  WETH / USD: 1 s / 1 h, fresh\n\n"
        "debt $15,840.00\n· 15,840 USDC at $1.0000\n  USDC / USD: 1 s / 1 h, fresh\n\n"
        "liquidated at one of\n· WETH $1,920.00 (−3.9 %)\n· USDC $1.0417 (+4.1 %)\n\n"
        "for health 1.50, one of\n· repay 4840.000002 USDC (has 312.5)\n· add 4.400001 WETH (has 0.1)\n"
        "None of these is in the wallet in full; repaying its 312.5 USDC gives health 1.0626.\n\n"
        "Ethereum: block 205, 12 s old\nthe account in the explorer"
    )


def test_it_links_to_nothing_but_the_explorer() -> None:
    shown = position(["main"], view())
    assert [span.url for span in shown.spans if span.style is Style.LINK] == [
        f"https://etherscan.io/address/{cases()['main'].position.id.wallet}"
    ]


def test_it_gives_no_advice_by_a_formula_that_the_contract_contradicts() -> None:
    told = ask("/position main", _with_main(check=Check.MISMATCH))
    assert "No liquidation price: our formula and the contract differ." in told
    assert "one of" not in told
    assert "UNKNOWN · main · Aave v3\nour formula and the contract differ" in ask(
        "/whatif WETH -5%", _with_main(check=Check.MISMATCH)
    )


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("main", "CRITICAL · main"),
        ("cold storage", "cold storage"),
        ("COLD W", "cold wallet"),
        ("main aave", "CRITICAL · main"),
        ("main spark", "main has no position at “spark” in what could be seen."),
        ("main aave_v3_tape", "CRITICAL · main"),
        ("{address}", "CRITICAL · main"),
        ("{start}", "CRITICAL · main"),
        ("fund", "UNKNOWN · fund · Aave v3\ngetUserAccountData on"),
        ("cold", "“cold” may be cold storage, cold wallet. Write more of the name.\nWrite /position main [market]"),
        ("nobody", "No wallet is called “nobody”. There are: main, cold storage,"),
        ("", "Whose? There are: main, cold storage, cold wallet, staker, fund, desk, saver.\nWrite /position"),
    ],
)
def test_it_finds_the_wallet_that_is_meant(words: str, first: str) -> None:
    address = cases()["main"].position.id.wallet
    line = "/position " + words.format(address=address.lower(), start=address[:7])
    assert ask(line, view(lost=["fund"])).startswith(first)


def test_it_asks_which_of_many_positions_is_meant() -> None:
    main = held(cases()["main"])
    markets = ["Aave v3 Base", "Aave v3 Ethereum", "Spark", "Aave v3 Prime"]
    many = [replace(main, position=replace(main.position, market=market)) for market in markets]
    told = ask("/position main", _seeing(many))
    assert told.startswith("main has 4 positions. Name the market too:\n\n· Aave v3 Base\n")
    assert ask("/position main base", _seeing(many)).startswith("CRITICAL · main · Aave v3 Base\n")


def test_it_tells_of_each_feed_its_age_and_who_rests_on_it() -> None:
    told = ask("/feeds", view("main", "staker", "saver"))
    assert "WETH / USD\n$2,000.00, 1 s / 1 h, fresh\nnext in 59 min\nunder staker +0.0145, main −0.0104" in told
    assert "saver" not in told  # it owes nothing: no price can hurt it
    stale = ask("/feeds", _an_hour_late())
    assert stale.startswith("STALE · WETH / USD\n$2,000.00, stale: 2 h / 1 h\ndue 1 h ago\nunder main −0.0104")


def test_it_says_that_the_age_of_a_hidden_source_is_unknown() -> None:
    main = cases()["main"].position
    legs = tuple(replace(leg, price=Price.of(Opaque(Address("0x" + "ab" * 20), leg.price.low))) for leg in main.legs)
    hidden = _with_main(legs=legs)
    assert "0xabab…abab\nage unknown, its source is hidden\nunder main ±0" in ask("/feeds", hidden)
    assert "· 10 WETH at $2,000.00, counts 82.5 %\n  age unknown, its source is hidden" in ask("/position main", hidden)


def test_it_prints_the_rules_in_force_as_they_would_be_written() -> None:
    own = Rules(warn=Decimal("1.40"), critical=Decimal("1.2"), remind=5400)
    seen = view("main", "desk", "saver")
    told = ask("/thresholds", replace(seen, wallets=(wallet("main"), wallet("desk", own), wallet("saver"))))
    assert told.startswith("main, saver\nwarn = 1.30\ncritical = 1.10\ntarget = 1.50\nclear = 0.02\n")
    assert "\n\ndesk\nwarn = 1.40\ncritical = 1.2\n" in told
    assert 'remind = "90m"\nstale = true' in told


def test_it_shows_only_the_wallets_of_this_chat() -> None:
    seen = view()
    narrowed = replace(seen, wallets=seen.wallets[:1])
    for line in ("/positions", "/health", "/feeds", "/thresholds", "/whatif WETH -1"):
        told = ask(line, narrowed)
        assert [label for label in LABELS.values() if label in told] == ["main"], line
    assert "No wallet is called “desk”. There are: main." in ask("/position desk", narrowed)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/status now", "“now” is more than it takes.\nWrite /status"),
        ("/feeds all of them", "“all of them” is more than it takes.\nWrite /feeds"),
        ("/positions main twice", "“twice” is more than it takes.\nWrite /positions [wallet]"),
        ("/frobnicate", "There is no command “frobnicate”.\n\n/status\n"),
        ("/t.me/evil", "There is no command “t·me∕evil”."),
    ],
)
def test_it_says_what_is_wrong_with_a_command_and_what_would_be_right(line: str, said: str) -> None:
    assert ask(line, view()).startswith(said)


def test_it_knows_commands_in_any_case_and_lists_them_all() -> None:
    assert ask("/STATUS", view()) == ask("/status", view())
    told = ask("/help", replace(view(), role=Role.ACT))
    assert all(command.form in told and command.about in told for command in COMMANDS.values())
    told = ask("/help", view())
    assert "/chart main [24h|7d]\n" in told
    assert told.endswith('\n\n/ack, /unmute, /watch, /unwatch take role = "act"')


def test_it_lets_those_act_only_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    async def done(_: Sequence[str], __: View, ___: Hands, ____: int) -> Reply:
        return Reply(body=Text("done"))

    act = Command(form="/act", about="", act=done)
    monkeypatch.setattr(commands, "COMMANDS", MappingProxyType({"act": act}))
    assert ask("/act", view()) == 'In this chat commands may only ask: /act takes role = "act"'
    assert ask("/act", replace(view(), role=Role.ACT)) == "done"


def test_it_fits_a_telephone() -> None:
    lines = ["/status", "/positions", "/position desk", "/position staker", "/health", "/feeds", "/whatif WETH -20%"]
    for line in lines:
        wide = [row for row in ask(line, view(lost=["fund"])).splitlines() if len(row) > WIDE]
        assert wide == [], line


def test_it_cleans_what_strangers_wrote() -> None:
    main = cases()["main"].position
    evil = "t.me/free\u202e@you\n/ack"
    legs = tuple(replace(leg, asset=replace(leg.asset, symbol=evil)) for leg in main.legs)
    seen = _with_main(legs=legs, notes=("see http://evil.example",), market="Market /start")
    seen = replace(seen, role=Role.ACT)  # so that our own list of commands is their forms, which are left out below
    for line in (
        "/positions",
        "/position main",
        "/health",
        "/feeds",
        "/whatif usdc -5",
        f"/positions {evil}",
        "/" + evil,
    ):
        told = ask(line, seen)
        own = [command.form for command in COMMANDS.values()]
        for form in own:
            told = told.replace(form, "")
        assert not any(bad in told for bad in ("t.me", "\u202e", "@", "/ack", "http://", "/start", "evil.example")), (
            line
        )


def _seeing(found: Sequence[Held]) -> View:
    seen = view("main")
    [sight] = seen.sights
    assert sight.snapshot is not None
    return replace(seen, sights=(replace(sight, snapshot=replace(sight.snapshot, held=tuple(found))),))


def _with_main(**changes: Any) -> View:
    """A view of one position, which is otherwise than it was read."""
    main = held(cases()["main"])
    return _seeing([replace(main, position=replace(main.position, **changes))])


def _an_hour_late() -> View:
    at = cases()["main"].position.at
    return _with_main(at=replace(at, timestamp=at.timestamp + 7200))
