"""`watcher check` on a real market: what it shows, and what it exits with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import (
    CRITICAL,
    DEBTLESS,
    IDLE,
    MAX_AGE,
    NOBODY,
    SAFE,
    WARNED,
    Run,
    world_toml,
)
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.cache import open_world
from watcher.config import World, load_world

Write = Callable[..., Path]
CLOSED_PORT = "http://127.0.0.1:9"


def dark_toml(market: AaveV30World) -> str:
    """A second chain, with the same market, that nobody serves."""
    return (
        f'[chains.dark]\nid = 31338\ntitle = "Dark"\nmulticall3 = "{market.multicall3}"\nblock_time = 12\n'
        f'max_age = 60\nconfirmations = 1\nendpoints = ["{CLOSED_PORT}"]\n'
        f'[[deployments]]\nid = "aave_v3_dark"\nprotocol = "aave_v3"\nchain = "dark"\ntitle = "Aave v3 Dark"\n'
        f'pool = "{market.pool}"\nprovider = "{market.provider}"\n'
    )


@pytest.mark.parametrize(
    ("users", "code"),
    [
        ({"a": SAFE}, 0),
        ({"a": DEBTLESS, "b": NOBODY}, 0),
        ({"a": SAFE, "b": WARNED}, 1),
        ({"a": SAFE, "b": WARNED, "c": CRITICAL}, 2),
    ],
)
def test_it_exits_by_the_worst_it_found(config: Write, run: Run, users: dict[str, str], code: int) -> None:
    config(users=users)
    assert run("check").code == code


def test_it_exits_with_2_for_what_can_be_liquidated_now(config: Write, run: Run, market: AaveV30World) -> None:
    market.set_price("WETH", 3_000 * 10**8)
    config(users={"trading": CRITICAL})
    ran = run("check")
    assert ran.code == 2
    assert "liquidatable" in ran.out
    assert "now" in ran.out


def test_it_shows_the_worst_first(config: Write, run: Run) -> None:
    config(users={"safe": SAFE, "debtless": DEBTLESS, "critical-one": CRITICAL, "warned": WARNED})
    out = run("check").out
    at = [out.index(f"\n{label}") for label in ("critical-one", "warned", "safe", "debtless")]
    assert at == sorted(at)


def test_it_says_how_far_how_old_and_where(config: Write, run: Run, market: AaveV30World) -> None:
    market.pass_time(720)
    config(users={"treasury": SAFE})
    head = market.chain.head()
    ran = run("check", later=9)
    words = " ".join(ran.out.split())
    for fact in (
        "treasury",
        "Aave v3 Local",
        "has $35,124.",
        "10 WETH",
        "owes $9,598.7",
        "9,600.0048 USDC",
        "3.0188",
        "ok",
        "WETH −66.8 %",
        "→ $1,163.4",
        "12 min / 1 h",
        f"{head.number:,}",
        "9 s old",
    ):
        assert fact in words
    assert ran.code == 0


def test_a_debt_on_a_stale_price_is_a_warning(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE})
    market.pass_time(2 * 3600)
    ran = run("check")
    assert ran.code == 1
    assert "stale: 2 h / 1 h" in " ".join(ran.out.split())


def test_a_stale_price_without_debt_decides_nothing(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"vault": DEBTLESS})
    market.pass_time(2 * 3600)
    ran = run("check")
    assert ran.code == 0
    assert "stale: 2 h / 1 h" in " ".join(ran.out.split())


def test_an_unknown_heartbeat_is_shown_and_is_no_error(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE}, without_feed="WETH")
    ran = run("check")
    assert ran.code == 0
    assert "0 s / ?" in " ".join(ran.out.split())


def test_what_the_oracle_cannot_price_is_a_row_with_its_reason(config: Write, run: Run, market: AaveV30World) -> None:
    token = market.tokens["WETH"]
    market.set_round(token.aggregator, 0, market.chain.next_timestamp())
    config(users={"treasury": SAFE, "vault": DEBTLESS})
    ran = run("check")
    words = " ".join(ran.out.split())
    assert ran.code == 3
    assert "Not readable Where Why" in words
    assert "treasury Aave v3 Local no price for WETH" in words
    assert "vault" in words
    assert "3.0188" not in words


def test_an_endpoint_that_does_not_answer_is_a_row_of_its_own(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, url=CLOSED_PORT)
    ran = run("check")
    assert ran.code == 3
    assert "treasury" in ran.out
    assert "127.0.0.1:9: no connection: connection refused" in " ".join(ran.out.split())
    assert "No position" not in ran.out
    assert "\nNot known, because not every chain could be read: treasury\n" in ran.out


def test_only_a_wallet_with_a_dark_chain_is_not_known(config: Write, run: Run, market: AaveV30World) -> None:
    path = config(users={"here": NOBODY, "elsewhere": IDLE})
    path.with_name("local.toml").write_text(world_toml(market) + dark_toml(market))
    path.write_text('["local", "dark"]'.join(path.read_text().rsplit('["local"]', 1)))
    ran = run("check")
    assert ran.code == 3
    assert "\nNo position: here\n" in ran.out
    assert "\nNot known, because not every chain could be read: elsewhere\n" in ran.out


def test_a_wallet_is_not_looked_for_where_none_of_its_protocols_is(
    config: Write, run: Run, market: AaveV30World
) -> None:
    path = config(users={"everywhere": SAFE, "here": NOBODY})
    path.with_name("local.toml").write_text(world_toml(market) + dark_toml(market))
    text = path.read_text().replace('["local"]', '["local", "dark"]')
    path.write_text(f'{text}protocols = ["aave_v3_local"]\n')  # of the last wallet
    out = run("check").out
    assert "\nNo position: here\n" in out
    assert "Not known" not in out


def test_a_wallet_with_nothing_in_an_old_block_is_said_to_have_nothing_in_what_could_be_read(
    config: Write, run: Run
) -> None:
    config(users={"empty": NOBODY})
    ran = run("check", later=MAX_AGE + 1)
    assert ran.code == 3
    assert "\nNo position in what could be read: empty\n" in ran.out


def test_a_critical_position_outweighs_a_chain_that_is_dark(config: Write, run: Run, market: AaveV30World) -> None:
    path = config(users={"trading": CRITICAL})
    path.with_name("local.toml").write_text(world_toml(market) + dark_toml(market))
    path.write_text(path.read_text().replace('["local"]', '["local", "dark"]'))
    ran = run("check")
    assert ran.code == 2
    assert "Dark" in ran.out
    assert run("check", "--chain", "dark").code == 3
    assert "Dark" not in run("check", "--chain", "local").out
    assert run("check", "--chain", "local", "--chain", "dark").code == 2


def test_a_node_of_another_chain_is_not_read(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, chain_id=4242)
    ran = run("check")
    assert ran.code == 3
    assert "serves chain 31337, not 4242" in " ".join(ran.out.split())
    assert "3.0188" not in ran.out


@pytest.mark.parametrize(
    ("later", "words"),
    [(MAX_AGE + 1, "is 121 s old, more than 120 s"), (-MAX_AGE - 1, "is dated 121 s ahead of this machine's clock")],
)
def test_an_old_block_is_shown_marked_and_is_not_readable_now(config: Write, run: Run, later: int, words: str) -> None:
    config(users={"treasury": SAFE})
    ran = run("check", later=later)
    told = " ".join(ran.out.split())
    assert ran.code == 3
    assert "3.0188" in told
    assert "NOT CURRENT" in told
    assert words in told
    assert run("check", later=MAX_AGE).code == 0


def test_a_dead_endpoint_gives_way_to_one_that_answers(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, extra=f'[endpoints]\nlocal = ["{CLOSED_PORT}"]\n')
    assert run("check").code == 0


def test_an_endpoint_that_is_behind_gives_way_to_one_that_is_not(config: Write, run: Run, market: AaveV30World) -> None:
    with open_world(AaveV30World) as behind:
        market.pass_time(MAX_AGE * 2)
        assert behind.chain.head().timestamp < market.chain.head().timestamp - MAX_AGE
        config(users={"treasury": SAFE}, extra=f'[endpoints]\nlocal = ["{behind.url}"]\n')
        ran = run("check")
        assert ran.code == 0
        assert f"{market.chain.head().number:,}" in ran.out
        assert "treasury" in ran.out


def test_wallets_without_a_position_are_said_in_one_line(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE, "empty": NOBODY})
    assert "\nNo position: empty\n" in run("check").out


def test_addresses_take_the_place_of_the_wallets_and_keep_their_labels(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE, "trading": CRITICAL})
    ran = run("check", SAFE)
    assert ran.code == 0
    assert "treasury" in ran.out
    assert "trading" not in ran.out


def test_a_wallet_is_judged_by_its_own_rules(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, extra="warn = 3.5\ntarget = 4\n")  # of the last wallet
    ran = run("check")
    assert ran.code == 1
    assert "warn" in ran.out


def test_it_needs_no_telegram_token(config: Write, run: Run) -> None:
    bot = '[telegram]\ntoken = "${env:NO_SUCH_TOKEN}"\n[chats.me]\nid = 5\n'
    config(users={"treasury": SAFE}, extra=bot)
    assert run("check").code == 0


def test_it_needs_no_file_where_addresses_are_given(
    folder: Path, run: Run, market: AaveV30World, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = folder / "elsewhere.toml"
    local.write_text(world_toml(market))

    def world_with_local(**_: object) -> World:
        return load_world(local)

    monkeypatch.setattr("watcher.config.user.load_world", world_with_local)
    ran = run("check", WARNED, "--chain", "local")
    assert (ran.code, ran.err) == (1, "")
    assert f"{WARNED[:6]}…{WARNED[-4:]}" in ran.out


def test_it_asks_for_addresses_where_there_is_nothing_to_look_at(folder: Path, run: Run) -> None:
    ran = run("check")
    assert (ran.code, ran.out) == (3, "")
    assert "name addresses, or a configuration" in ran.err
