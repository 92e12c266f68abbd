"""The shipped world as the program holds it, and a user's second file of the same form."""

import time
from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest

from watcher.config import World, load_world
from watcher.config.feeds import COLUMNS, shipped_books
from watcher.config.world import _FIELD_FORMS, _form_of
from watcher.domain.errors import ConfigError
from watcher.domain.price import FeedFacts
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.morpho_blue import MorphoBlue
from watcher.protocols.registry import PROTOCOLS
from watcher.reads.abi import world_file

POOL = "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2"
FEED = Address("0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419")
MINE = Address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
OTHER = Address("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")

CHAIN = f"""
[chains.local]
id = 31337
title = "Local"
multicall3 = "{MINE}"
block_time = 0.5
max_age = 60
confirmations = 2
endpoints = ["http://127.0.0.1:8545"]
"""
DEPLOYMENT = f"""
[[deployments]]
id = "mine"
protocol = "aave_v3"
chain = "local"
title = "Mine"
pool = "{MINE}"
provider = "{OTHER}"
"""
ID = f'"0x{"aB" * 16}-{"01" * 16}"'
MORPHO = f"""
[[deployments]]
id = "morpho"
protocol = "morpho_blue"
chain = "local"
title = "Mine"
morpho = "{MINE}"
since = 7
markets = [{ID}]
"""
FEED_OF_MINE = f"""
[[feeds]]
chain = "local"
address = "{MINE}"
pair = "ETH/USD"
heartbeat = 3600
deviation = 0.5
"""

Extra = Callable[[str], World]


@pytest.fixture
def extra(tmp_path: Path) -> Extra:
    def load_it(text: str) -> World:
        path = tmp_path / "local.toml"
        path.write_text(text)
        return load_world(path, environ={"KEY": "canary"})

    return load_it


def test_it_builds_a_reader_for_every_shipped_deployment() -> None:
    world = load_world()
    [core] = [each for each in world.deployments if each.id == "aave_v3_ethereum"]

    assert isinstance(core.reader, AaveV3)
    assert (core.reader.pool, core.oracle) == (POOL, "0x54586bE62E3c3580375aE3723C145253060Ca0C2")
    assert (core.reader.place.deployment, core.reader.place.title) == (core.id, "Aave v3 Ethereum Core")
    facts = core.reader.place.feeds[FEED]
    assert replace(facts, beside=()) == FeedFacts(pair="ETH/USD", heartbeat=3600, deviation=Decimal("0.5"))


def test_it_knows_a_feed_by_each_of_its_addresses() -> None:
    book = load_world().feeds["ethereum"]
    proxy = Address("0x5147eA642CAEF7BD9c1265AadcA78f997AbB9649")
    svr = Address("0x5424384B256154046E9667dDFaaa5e550145215e")

    assert book[proxy] == book[svr]
    assert replace(book[svr], beside=()) == FeedFacts(pair="ETH/USD", heartbeat=3600, deviation=Decimal("0.5"))


def test_it_reads_the_shipped_feeds_in_an_instant() -> None:
    text = world_file("feeds.csv").read_text()
    began = time.process_time()
    books = shipped_books(text)

    assert time.process_time() - began < 0.030
    assert sum(map(len, books.values())) > 2000


def test_it_adds_a_second_file_to_the_shipped_world(extra: Extra) -> None:
    world = extra(CHAIN + DEPLOYMENT + FEED_OF_MINE)
    mine = world.deployments[-1]

    assert len(world.chains) == len(load_world().chains) + 1
    assert world.chains["local"].block_time == Decimal("0.5")
    assert [endpoint.name for endpoint in world.chains["local"].endpoints] == ["127.0.0.1:8545"]
    assert isinstance(mine.reader, AaveV3)
    assert (mine.id, mine.title, mine.reader.pool, mine.oracle) == ("mine", "Mine", MINE, None)
    assert mine.reader.place.feeds[MINE].heartbeat == 3600


def test_it_gives_shipped_deployments_the_feeds_of_the_user(extra: Extra) -> None:
    text = FEED_OF_MINE.replace("local", "scroll") + FEED_OF_MINE.replace("local", "ethereum").replace(MINE, FEED)
    world = extra(text.replace("3600", "77"))
    [scroll] = [each for each in world.deployments if each.id == "aave_v3_scroll"]

    assert scroll.reader.place.feeds[MINE].heartbeat == 77
    assert world.feeds["ethereum"][FEED].heartbeat == 77


def test_it_reads_the_feeds_file_of_a_second_file(extra: Extra, tmp_path: Path) -> None:
    row = f"ethereum,MINE/USD,{MINE},,{OTHER},8,60,,Crypto,me"
    (tmp_path / "mine.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n")
    world = extra('feeds_file = "mine.csv"')

    assert world.feeds["ethereum"][OTHER] == FeedFacts(pair="MINE/USD", heartbeat=60)


def test_it_can_write_the_fields_of_every_plugin() -> None:
    for name, plugin in PROTOCOLS.items():
        own = {field.name for field in fields(plugin) if field.init} - {"place"}
        assert own <= {field.name for field in fields(_form_of(name))}
    assert str in _FIELD_FORMS


def test_it_takes_ids_of_32_bytes_with_a_dash(extra: Extra) -> None:
    reader = extra(CHAIN + MORPHO).deployments[-1].reader
    assert isinstance(reader, MorphoBlue)
    assert (reader.markets, reader.since) == ((f"0x{'ab' * 16}{'01' * 16}",), 7)
    assert reader.pre_liquidations == ZERO_ADDRESS


def test_it_refuses_ids_that_look_like_private_keys(extra: Extra) -> None:
    with pytest.raises(ConfigError, match=r"\(markets\): 64 hex digits are a private key or look like one"):
        extra(CHAIN + MORPHO.replace("-", ""))


def without(text: str, key: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(f"{key} ="))


def markets(value: str) -> str:
    return MORPHO.replace(f"[{ID}]", value)


ADDED = "local.toml: "
BAD = [
    (CHAIN.replace("chains.local", 'chains."My chain"'), 'chains."My chain"', "cannot name a chain", "small letters"),
    (CHAIN.replace("local", "ethereum"), "chains.ethereum", "a chain of protocols.toml already", "[endpoints]"),
    (CHAIN.replace("31337", "1"), "chains.local.id", "1 is the id of ethereum already", "write ethereum"),
    (CHAIN.replace("31337", "0"), "chains.local.id", "0 is not a chain id from 1"),
    (CHAIN.replace("31337", '"1"'), "chains.local.id", '"1" is not a chain id'),
    (CHAIN.replace("31337", str(2**80)), "chains.local.id", f"{2**80} is not a chain id"),
    (without(CHAIN, "id"), "chains.local.id", "missing; write a chain id from 1"),
    (CHAIN + 'rpc = "x"', "chains.local.rpc", "known: id, title, multicall3"),
    (CHAIN.replace(MINE, MINE.lower()), "chains.local.multicall3", "not a checksummed address", f'write "{MINE}"'),
    (CHAIN.replace("0.5", "0"), "chains.local.block_time", "0 is not a number of seconds above 0"),
    (CHAIN.replace("0.5", "nan"), "chains.local.block_time", "NaN is not a number of seconds"),
    (CHAIN.replace("= 60", "= 60.5"), "chains.local.max_age", "60.5 is not a whole number of seconds"),
    (CHAIN.replace("= 2", "= -1"), "chains.local.confirmations", "-1 is not a whole number of blocks from 0"),
    (
        CHAIN.replace("http:", "tcp:"),
        "chains.local.endpoints[1]",
        "does not start with https://, http://, wss:// or ws://",
    ),
    (CHAIN.replace("http://127.0.0.1:8545", "ipc:geth.ipc"), "chains.local.endpoints[1]", "not the absolute path"),
    (CHAIN + 'explorer = "scan"', "chains.local.explorer", '"scan" is not an http:// or https:// address'),
    (CHAIN + "call_gas = 1", "chains.local.call_gas", "1 is not an amount of gas"),
    ("chains = 5", "chains", "5 is not a table of keys"),
    ("[chains]\nlocal = 5", "chains.local", "5 is not a table of keys", "[chains.local]"),
    ("[deployments]\nid = 1", "deployments", "[[deployments]], with two brackets"),
    ("deployments = [3]", "deployments[1]", "3 is not a table of keys"),
    ("[feeds]\nid = 1", "feeds", "[[feeds]], with two brackets"),
    ("[chain.local]\nid = 1", "chain", 'did you mean "chains"?'),
    (DEPLOYMENT, "deployments[1].chain", '"local" is not a known chain; known: ethereum, arbitrum'),
    (CHAIN + DEPLOYMENT.replace("aave_v3", "aave_v33"), "deployments[1].protocol", 'did you mean "aave_v3"?'),
    (CHAIN + without(DEPLOYMENT, "protocol"), "deployments[1].protocol", "missing; write one of: "),
    (CHAIN + without(DEPLOYMENT, "pool"), "deployments[1].pool", "missing; write an address"),
    (CHAIN + DEPLOYMENT + "poool = 1", "deployments[1].poool", 'did you mean "pool"?'),
    (CHAIN + DEPLOYMENT.replace(MINE, MINE[:-1]), "deployments[1].pool", "is not an address"),
    (CHAIN + DEPLOYMENT + f'oracle = "{MINE.lower()}"', "deployments[1].oracle", f'write "{MINE}"'),
    (CHAIN + DEPLOYMENT.replace('"mine"', '"spark_ethereum"'), "deployments[1].id", "is a deployment already"),
    (CHAIN + DEPLOYMENT.replace('"mine"', '"My own"'), "deployments[1].id", '"My own" is not a name of small letters'),
    (CHAIN + DEPLOYMENT + DEPLOYMENT.replace('"mine"', '"again"'), "deployments[2]", "the chain and contracts of mine"),
    (CHAIN + DEPLOYMENT.replace('"Mine"', '"${env:KEY}"'), "deployments[1].title", "refers to a secret"),
    (CHAIN + MORPHO.replace("-", "_"), "deployments[1].markets", "is not an id; write 0x", "a dash"),
    (CHAIN + markets("[]"), "deployments[1].markets", "an empty list is not a list of ids"),
    (CHAIN + markets("7"), "deployments[1].markets", "7 is not a list of ids, each as 0x"),
    (CHAIN + markets("[7]"), "deployments[1].markets", "7 is not an id"),
    (CHAIN + markets(f"[{ID}, {ID}]"), "deployments[1].markets", "names one of them twice"),
    (FEED_OF_MINE, "feeds[1].chain", '"local" is not a known chain'),
    (CHAIN + FEED_OF_MINE.replace(MINE, MINE.lower()), "feeds[1].address", f'write "{MINE}"'),
    (CHAIN + FEED_OF_MINE.replace("3600", "0"), "feeds[1].heartbeat", "0 is not a whole number of seconds from 1"),
    (CHAIN + without(FEED_OF_MINE, "heartbeat"), "feeds[1].heartbeat", "missing; write a whole number of seconds"),
    (CHAIN + FEED_OF_MINE.replace("0.5", "-1"), "feeds[1].deviation", "-1 is not a percentage above 0"),
    (CHAIN + FEED_OF_MINE * 2, "feeds[2].address", "is feeds[1] already", "write each feed once"),
    ("feeds_file = 5", "feeds_file", "5 is not a text in quotes"),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case[1])
def test_it_refuses_a_second_file_with_key_and_right_form(case: tuple[str, ...], extra: Extra) -> None:
    text, key, *fragments = case
    with pytest.raises(ConfigError) as refused:
        extra(text)

    told = str(refused.value)
    line = next((line for line in told.splitlines() if f"{ADDED}{key}: " in line), told)
    assert f"{ADDED}{key}: " in line
    assert [fragment for fragment in fragments if fragment not in line] == []
    assert "canary" not in told


@pytest.mark.parametrize(
    ("rows", "fragment"),
    [
        ("chain,pair\n", "the first line is not the list of columns; write chain,pair,proxy"),
        (f"{','.join(COLUMNS)}\nethereum,A\n", "line 2 has 2 columns; write 10"),
        (f'{",".join(COLUMNS)}\n"ethereum\n', "line 2 is not CSV"),
        (f"{','.join(COLUMNS)}\nethereum,A/B,{MINE.lower()},,,8,60,1,,me\n", f'row 2.address: "{MINE.lower()}" is not'),
        (f"{','.join(COLUMNS)}\nethereum,A/B,{MINE},,,8,soon,1,,me\n", 'row 2.heartbeat: "soon" is not a whole number'),
        (f"{','.join(COLUMNS)}\nethereum,A/B,{MINE},,,8,60,x,,me\n", 'row 2.deviation: "x" is not a percentage'),
    ],
)
def test_it_refuses_a_bad_feeds_file(rows: str, fragment: str, extra: Extra, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(rows)
    with pytest.raises(ConfigError) as refused:
        extra('feeds_file = "mine.csv"')

    assert f"mine.csv: {fragment}" in str(refused.value)
