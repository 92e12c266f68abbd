"""Good configurations, and what becomes of them."""

import subprocess
import sys
from base64 import b64encode
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.config.conftest import BOT_TOKEN, OTHER_WALLET, RPC_KEY, SECRETS, WALLET, Load, Refuse
from watcher.alerts.rules import Rules
from watcher.config import Chat, Role, Secret, Wallet, describe, describe_wallet, for_addresses, load, load_world
from watcher.config.rules import RulesForm
from watcher.config.settings import in_units
from watcher.domain.errors import ConfigError
from watcher.domain.source import Address

EXAMPLE = Path(__file__).parents[2] / "deploy" / "watcher.example.toml"

ONE = f'[[wallets]]\naddress = "{WALLET}"\n'
FULL = f"""
interval = "1m30s"
state = "data.db"
public_endpoints = true
[telegram]
token = "${{env:TOKEN}}"
api = "http://127.0.0.1:8081/"
[chats.me]
id = 5
[chats.desk]
id = -1001234567890
thread = 7
[rules]
warn = 1.40
remind = "1d"
[endpoints]
ethereum = [
  "https://rpc.example/v2/${{env:KEY}}",
  "https://rpc.example/v3/${{env:KEY}}",
  {{ url = "http://localhost:8545", headers = {{ Authorization = "Bearer ${{env:KEY}}", Accept = "text/plain" }} }},
]
[[wallets]]
label = "treasury"
address = "{WALLET}"
chains = ["ethereum"]
protocols = ["spark_ethereum"]
chats = ["desk"]
critical = 1.2
stale = false
[[wallets]]
address = "{OTHER_WALLET}"
chains = ["base", "ethereum"]
protocols = ["aave_v3"]
"""


def test_it_reads_a_whole_file(load_text: Load, tmp_path: Path) -> None:
    settings = load_text(FULL)

    assert settings.interval == 90
    assert settings.state == tmp_path / "data.db"
    assert settings.telegram is not None
    assert (settings.telegram.token.reveal(), settings.telegram.api) == (BOT_TOKEN, "http://127.0.0.1:8081")
    assert settings.chats == {"me": Chat(name="me", id=5), "desk": Chat(name="desk", id=-1001234567890, thread=7)}
    assert settings.rules == Rules(warn=Decimal("1.40"), remind=86_400)
    assert settings.wallets[0] == Wallet(
        label="treasury",
        address=Address(WALLET),
        chains=("ethereum",),
        protocols=("spark_ethereum",),
        chats=("desk",),
        rules=Rules(warn=Decimal("1.40"), critical=Decimal("1.2"), remind=86_400, stale=False),
    )
    assert settings.wallets[1].label == "0xfB69…d359"
    assert settings.wallets[1].chats == ("me", "desk")


def test_it_keeps_only_the_chains_and_deployments_that_somebody_watches(load_text: Load) -> None:
    settings = load_text(FULL)
    first, second = settings.wallets

    assert list(settings.chains) == ["ethereum", "base"]
    assert [each.id for each in settings.watched(first)] == ["spark_ethereum"]
    assert {each.chain for each in settings.watched(second)} == {"ethereum", "base"}
    assert {each.id for each in settings.deployments} == {
        each.id for wallet in settings.wallets for each in settings.watched(wallet)
    }


def test_it_asks_the_endpoints_of_the_user_first(load_text: Load) -> None:
    settings = load_text(FULL)
    own, same_host, local, *public = settings.chains["ethereum"].endpoints

    assert (own.name, same_host.name, local.name) == ("rpc.example", "rpc.example#2", "localhost:8545")
    assert own.url == f"https://rpc.example/v2/{RPC_KEY}"
    assert local.headers == {"Authorization": f"Bearer {RPC_KEY}", "Accept": "text/plain"}
    assert tuple(public) == load_world().chains["ethereum"].endpoints


def test_it_asks_only_the_endpoints_of_the_user_when_told_so(load_text: Load) -> None:
    text = 'public_endpoints = false\n[endpoints]\nbase = ["https://a.b"]\n' + ONE + 'chains = ["base"]'

    assert [endpoint.url for endpoint in load_text(text).chains["base"].endpoints] == ["https://a.b"]


def test_it_names_no_endpoint_by_a_secret_in_its_host(load_text: Load, environ: dict[str, str]) -> None:
    environ["HOST"] = "CANARY-node"
    settings = load_text(f'[endpoints]\nbase = ["https://${{env:HOST}}.quiknode.example/x"]\n{ONE}')

    assert settings.chains["base"].endpoints[0].name == "….quiknode.example"


def test_it_takes_websockets_and_sockets_on_this_machine(load_text: Load) -> None:
    written = '["wss://a.b/${env:KEY}", "ws://localhost:8546", "/run/geth/geth.ipc", "ipc:///run/reth.ipc"]'
    endpoints = load_text(f"public_endpoints = false\n[endpoints]\nbase = {written}\n{ONE}chains = ['base']")

    assert [(endpoint.name, endpoint.url) for endpoint in endpoints.chains["base"].endpoints] == [
        ("a.b", f"wss://a.b/{RPC_KEY}"),
        ("localhost:8546", "ws://localhost:8546"),
        ("geth.ipc", "ipc:///run/geth/geth.ipc"),
        ("reth.ipc", "ipc:///run/reth.ipc"),
    ]


def test_it_names_no_socket_by_a_secret_in_its_path(load_text: Load, environ: dict[str, str]) -> None:
    environ["NODE"] = "CANARY"
    settings = load_text(f'[endpoints]\nbase = ["/run/${{env:NODE}}/my-${{env:NODE}}.ipc"]\n{ONE}')

    assert settings.chains["base"].endpoints[0].name == "my-….ipc"


def test_it_logs_in_with_a_user_and_a_password_and_keeps_to_a_rate(load_text: Load) -> None:
    written = '{ url = "https://a.b", auth = { user = "me", password = "${env:KEY}" }, rate = 20 }'
    endpoint = load_text(f"[endpoints]\nbase = [{written}]\n{ONE}").chains["base"].endpoints[0]

    assert endpoint.headers == {"Authorization": f"Basic {b64encode(f'me:{RPC_KEY}'.encode()).decode()}"}
    assert endpoint.rate == 20
    assert RPC_KEY not in repr(endpoint)


def test_it_takes_a_whole_url_from_a_secret(load_text: Load, environ: dict[str, str]) -> None:
    environ["URL"] = "https://node.example/canary0123456789012345"
    endpoint = load_text(f'[endpoints]\nbase = ["${{env:URL}}"]\n{ONE}').chains["base"].endpoints[0]

    assert (endpoint.name, endpoint.url) == ("node.example", environ["URL"])


def test_it_shows_no_secret_in_any_text_of_the_settings(load_text: Load) -> None:
    settings = load_text(FULL)
    shown = "\n".join([repr(settings), str(settings), *describe(settings), repr(settings.chains["ethereum"])])

    assert [secret for secret in SECRETS if secret in shown] == []
    assert "Secret(…)" in shown


def test_it_shows_a_secret_only_when_asked() -> None:
    secret = Secret("canary")

    assert (repr(secret), str(secret), f"{secret}", secret.reveal()) == (*["Secret(…)"] * 3, "canary")
    assert secret == Secret("canary") != Secret("other")


def test_it_lets_the_user_say_how_old_a_newest_block_may_be(load_text: Load) -> None:
    ages = {name: chain.max_age for name, chain in load_text(FULL).chains.items()}
    told = {name: chain.max_age for name, chain in load_text(FULL + '[chains.base]\nhead_age = "2m"\n').chains.items()}
    assert told == ages | {"base": 120}
    load_text(FULL + '[chains.celo]\nhead_age = "2m"\n')  # which nobody watches now


@pytest.mark.parametrize(
    ("written", "block_time", "seconds"),
    [
        ("", "12", 12),
        ("", "2", 2),
        ("", "0.25", 2),
        ("", "3.5", 3.5),
        ("", "60", 12),
        ('min_interval = "5s"\n', "0.25", 5),
        ('min_interval = "12s"\n', "2", 12),
        ('interval = "1s"\n', "12", 1),
        ('interval = "1m"\n', "12", 12),
        ('interval = "1m"\nmin_interval = "30s"\n', "12", 30),
    ],
)
def test_it_looks_as_often_as_blocks_come_within_bounds(
    load_text: Load, written: str, block_time: str, seconds: float
) -> None:
    settings = load_text(written + ONE)
    chain = next(iter(settings.chains.values()))
    assert settings.cadence(replace(chain, block_time=Decimal(block_time))) == seconds


def test_it_describes_the_settings_in_a_few_lines(load_text: Load, tmp_path: Path) -> None:
    assert describe(load_text(FULL)) == [
        f"2 wallets, 2 chains, 6 deployments, 2 chats; a look at every new block, at least every 90s"
        f" and at most every 2s; state in {tmp_path}/data.db",
        "history: kept for 90d",
        "discovery: every 5m where wallets hold anything",
        f"treasury {WALLET}: SparkLend; warn below 1.40, critical below 1.2, target 1.50;"
        ' remind = "1d", stale = false; to desk',
        f"0xfB69…d359 {OTHER_WALLET}: Aave v3 Ethereum Core, Aave v3 Ethereum Prime, Aave v3 Ethereum EtherFi,"
        " Aave v3 Ethereum Horizon, Aave v3 Base, SparkLend;"
        ' warn below 1.40, critical below 1.10, target 1.50; remind = "1d"; to me, desk',
        "ethereum: rpc.example, rpc.example#2, localhost:8545, ethereum-rpc.publicnode.com, eth.drpc.org,"
        " mainnet.gateway.tenderly.co, ethereum.reth.rs; head_age 90s",
        "base: mainnet.base.org, base-rpc.publicnode.com, base.drpc.org; head_age 1m",
        "chat me: 5; commands (read) from 5",
        "chat desk: -1001234567890, thread 7; no commands",
        "Telegram: a bot at http://127.0.0.1:8081",
    ]


def test_it_describes_rules_that_are_not_the_default_and_where_they_hold(load_text: Load) -> None:
    settings = load_text(
        "[rules]\nwarn = 1.40\ndistance_warn = 0.15\nevents = true\n[rules.spark_ethereum]\ndistance_warn = 0.2\n"
        + f'{ONE}chains = ["ethereum", "base"]\nrules.aave_v3_base = {{ drop = 0.1, drop_within = "15m" }}\n'
        + f'[[wallets]]\naddress = "{OTHER_WALLET}"\nrules.aave_v3 = {{ warn = 1.35 }}'
    )
    one, other = (describe_wallet(settings, wallet).split("; ")[1:] for wallet in settings.wallets)

    assert one == [
        *("warn below 1.40, critical below 1.10, target 1.50", "distance_warn = 0.15, events = true"),
        *('in aave_v3_base: drop = 0.1, drop_within = "15m"', "in spark_ethereum: distance_warn = 0.2", "to console"),
    ]
    assert other[2:] == [
        *("in 24 deployments of aave_v3: warn = 1.35", "in spark_ethereum: warn = 1.35, distance_warn = 0.2"),
        "to console",
    ]
    few = load_text(f'{ONE}chains = ["base", "ethereum"]\ntarget = 3\nrules.aave_v3 = {{ warn = 2.2 }}')
    assert "; in aave_v3: warn = 2.2; to" in describe_wallet(few, few.wallets[0])


@pytest.mark.parametrize(("seconds", "text"), [(12, "12s"), (90, "90s"), (5400, "90m"), (14_400, "4h"), (86_400, "1d")])
def test_it_writes_durations_as_they_are_read(seconds: int, text: str) -> None:
    assert in_units(seconds) == text


def test_it_needs_nothing_but_a_wallet(load_text: Load, tmp_path: Path) -> None:
    settings = load_text(ONE)

    assert (settings.interval, settings.telegram, dict(settings.chats), settings.rules) == (12, None, {}, Rules())
    assert settings.state == tmp_path / "watcher.db"
    assert set(settings.chains) == set(load_world().chains)
    assert len(settings.deployments) == len(load_world().deployments)


def test_it_keeps_its_state_where_systemd_says(load_text: Load, environ: dict[str, str]) -> None:
    environ["STATE_DIRECTORY"] = "/var/lib/watcher:/var/lib/more"

    assert load_text(ONE).state == Path("/var/lib/watcher/watcher.db")


def test_it_reads_limits_exactly_as_written(load_text: Load) -> None:
    assert load_text(f"[rules]\nwarn = 1.3000000000000000000000000001\n{ONE}").rules.warn == Decimal(
        "1.3000000000000000000000000001"
    )


def test_it_allows_alerts_without_hysteresis(load_text: Load) -> None:
    assert load_text(f"[rules]\nclear = 0\n{ONE}").rules.clear == 0


def test_it_lets_every_rule_be_configured() -> None:
    assert [field.name for field in fields(RulesForm)] == [field.name for field in fields(Rules)]


def test_it_needs_no_token_for_a_single_check(load_text: Load, environ: dict[str, str]) -> None:
    del environ["TOKEN"]
    text = f'{ONE}[telegram]\ntoken = "${{env:TOKEN}}"\n[chats.me]\nid = 5'

    assert load_text(text, telegram=False).telegram is None
    with pytest.raises(ConfigError, match="TOKEN is not set"):
        load_text(text)


def test_it_watches_the_addresses_given_in_place_of_the_wallets(load_text: Load) -> None:
    own = load_text(FULL, addresses=[WALLET])
    other = load_text(ONE, addresses=[OTHER_WALLET], chains=["base"])

    assert [(wallet.label, wallet.rules.critical) for wallet in own.wallets] == [("treasury", Decimal("1.2"))]
    assert [(wallet.label, wallet.chains) for wallet in other.wallets] == [("0xfB69…d359", ("base",))]
    assert list(other.chains) == ["base"]


def test_it_takes_addresses_though_the_file_has_no_wallets(load_text: Load) -> None:
    assert load_text("[rules]\nwarn = 1.4", addresses=[WALLET]).wallets[0].rules.warn == Decimal("1.4")


def test_it_narrows_the_wallets_to_the_chains_given(load_text: Load) -> None:
    settings = load_text(FULL, chains=["base"])

    assert [(wallet.address, wallet.chains) for wallet in settings.wallets] == [(OTHER_WALLET, ("base",))]
    with pytest.raises(ConfigError, match="command line: no wallet is watched on polygon"):
        load_text(FULL, chains=["polygon"])


def test_it_watches_addresses_without_any_file() -> None:
    settings = for_addresses([WALLET, OTHER_WALLET], environ={})

    assert [wallet.address for wallet in settings.wallets] == [WALLET, OTHER_WALLET]
    assert len(settings.deployments) == len(load_world().deployments)
    assert all(chain.endpoints for chain in settings.chains.values())
    assert settings.telegram is None
    assert list(for_addresses([WALLET], chains=["base"]).chains) == ["base"]


@pytest.mark.parametrize(
    ("addresses", "chains", "told"),
    [
        ([WALLET.lower()], [], f'address: "{WALLET.lower()}" is not a checksummed address; write "{WALLET}"'),
        ([WALLET, WALLET], [], f'address: "{WALLET}" is given twice; write each address once'),
        ([WALLET], ["bse"], '"bse" is not a known chain; did you mean "base"?'),
    ],
)
def test_it_refuses_a_wrong_command_line(addresses: list[str], chains: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        for_addresses(addresses, chains=chains)

    assert str(refused.value) == f"command line: {told}"


def test_it_ships_an_example_that_is_right(tmp_path: Path) -> None:
    for name in ("telegram_token", "rpc_key", "rpc_bearer"):
        (tmp_path / name).write_text(f"{BOT_TOKEN}\n" if name == "telegram_token" else f"{name}\n")
        (tmp_path / name).chmod(0o440)
    settings = load(EXAMPLE, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert [wallet.label for wallet in settings.wallets] == ["treasury", "trading"]
    assert settings.rules == Rules()
    assert [endpoint.url for endpoint in settings.chains["ethereum"].endpoints[:2]] == [
        "https://ethereum-rpc.example.com/v2/rpc_key", "https://rpc.example.net",
    ]  # fmt: skip


def test_it_follows_a_link_to_the_file(tmp_path: Path, load_text: Load) -> None:
    load_text(ONE)
    (tmp_path / "link.toml").symlink_to(tmp_path / "watcher.toml")

    assert load(tmp_path / "link.toml").wallets[0].address == WALLET


def test_it_leaves_the_chain_client_alone() -> None:
    script = "import sys, watcher.config; print({'web3', 'telegram', 'sqlalchemy'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout == b"set()\n"


def test_it_refuses_wallets_that_would_be_told_nowhere(refusal: Refuse) -> None:
    assert "leave the key out for all of them" in refusal(f"{ONE}chats = []")


def test_it_knows_who_may_give_commands_in_a_chat(load_text: Load) -> None:
    text = FULL.replace("id = 5", 'id = 5\nusers = [6, 6]\nrole = "act"').replace(
        "thread = 7", "thread = 7\nusers = [8]"
    )
    chats = load_text(text).chats

    assert (chats["me"].speakers, chats["me"].role) == ((5, 6), Role.ACT)
    assert (chats["desk"].speakers, chats["desk"].role) == ((8,), Role.READ)
    assert load_text(FULL).chats["desk"].speakers == ()
