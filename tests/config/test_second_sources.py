"""Second sources: those of the shipped list, those that files name, and entries that are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watcher.config import World, load_world
from watcher.config.feeds import COLUMNS
from watcher.domain.errors import ConfigError
from watcher.domain.feed import Beside, FeedFacts
from watcher.domain.source import ZERO_ADDRESS, Address

AAVE_READS = Address("0x5424384B256154046E9667dDFaaa5e550145215e")  # ETH/USD by its second proxy
SVR = Address("0x5147eA642CAEF7BD9c1265AadcA78f997AbB9649")  # the same feed
PLAIN = Address("0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419")
SHARED = Address("0xd82562bb17557231Cd871e1B2525F3AB8d63D409")
POOL = Address("0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640")
WETH = Address("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2")
LINK = Address("0x2c1d072e956AFFC0D435Cb7AC38EF18d24d9127c")
LINK_AGGREGATOR = Address("0x96d6e33B411dc1f4E3F1e894A5A5d9CE0F96738D")
MINE = Address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
OTHER = Address("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")

Extra = Callable[[str], World]


@pytest.fixture
def extra(tmp_path: Path) -> Extra:
    def load_it(text: str) -> World:
        path = tmp_path / "local.toml"
        path.write_text(text)
        return load_world(path, environ={"KEY": "canary"})

    return load_it


def entry(*, chain: str = "ethereum", of: str = LINK, **others: str | int) -> str:
    lines = [f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"' for key, value in others.items()]
    return "\n".join(["[[second_sources]]", f'chain = "{chain}"', f'of = "{of}"', *lines, ""])


def of_pool(of: str = LINK, **window: str | int) -> str:
    return entry(of=of, pool=OTHER, base=WETH) + "".join(
        f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n' for key, value in window.items()
    )


TWAP = Beside(source=OTHER, base=WETH, window=1800)


def test_it_holds_feeds_of_one_pair_on_one_chain_against_each_other() -> None:
    book = load_world().feeds["ethereum"]
    pool = Beside(source=POOL, base=WETH, window=1800)
    assert book[AAVE_READS] == book[SVR]
    assert book[AAVE_READS].beside == (Beside(source=PLAIN), Beside(source=SHARED), pool)
    assert book[PLAIN].beside == (Beside(source=SVR), Beside(source=SHARED), pool)
    assert book[SHARED].beside == (Beside(source=SVR), Beside(source=PLAIN))


def test_it_never_holds_a_feed_against_itself_or_another_pair() -> None:
    feeds = pools = 0
    for chain, book in load_world().feeds.items():
        for facts in book.values():
            for one in facts.beside:
                if one.base is not None:
                    pools += 1
                    continue
                assert book[one.source] is not facts, (chain, facts.pair)
                assert book[one.source].pair == facts.pair
                feeds += 1
    assert feeds > 150
    assert pools == 15, "six feeds, each by all of its addresses"


def test_it_asks_a_pool_for_half_an_hour_unless_told_otherwise(extra: Extra) -> None:
    assert extra(of_pool()).feeds["ethereum"][LINK].beside[-1] == TWAP
    assert extra(of_pool(window=60)).feeds["ethereum"][LINK].beside[-1].window == 60


def test_it_asks_another_feed(extra: Extra) -> None:
    world = extra(entry(feed=MINE))
    [link] = {
        id(facts): facts for facts in world.feeds["ethereum"].values() if facts.beside[-1:] == (Beside(source=MINE),)
    }.values()
    assert (link.pair, link.heartbeat, link.listed) == ("LINK/USD", 3600, True)


def test_it_knows_of_a_source_that_is_no_feed_only_whom_to_ask(extra: Extra) -> None:
    facts = extra(of_pool(of=MINE)).feeds["ethereum"][MINE]
    assert facts == FeedFacts(pair="", heartbeat=None, beside=(TWAP,), listed=False)


def test_it_takes_a_second_source_as_it_was_named_last(extra: Extra) -> None:
    again = entry(of=PLAIN, pool=POOL, base=WETH, window=600)
    beside = extra(again).feeds["ethereum"][PLAIN].beside
    assert [(one.source, one.window) for one in beside] == [(SVR, 0), (SHARED, 0), (POOL, 600)]


def feed_of_mine(address: str = MINE, pair: str = "ETH/USD") -> str:
    return f'[[feeds]]\nchain = "ethereum"\naddress = "{address}"\npair = "{pair}"\nheartbeat = 77\n'


def test_it_keeps_the_second_sources_of_a_feed_to_which_the_user_gives_other_facts(extra: Extra) -> None:
    facts = extra(feed_of_mine(AAVE_READS)).feeds["ethereum"][AAVE_READS]
    assert facts.heartbeat == 77
    assert [one.source for one in facts.beside] == [PLAIN, SHARED]


def test_it_holds_a_feed_of_the_users_against_the_published_ones_of_its_pair(extra: Extra, tmp_path: Path) -> None:
    assert [one.source for one in extra(feed_of_mine()).feeds["ethereum"][MINE].beside] == [SVR, PLAIN, SHARED]
    (tmp_path / "mine.csv").write_text(f"{','.join(COLUMNS)}\nethereum,MINE/USD,{MINE},,{OTHER},8,60,,Crypto,me\n")
    book = extra('feeds_file = "mine.csv"').feeds["ethereum"]
    assert (book[MINE].beside, book[OTHER].beside) == ((), ()), "one feed, not two"


def test_it_gives_the_readers_what_it_read(extra: Extra) -> None:
    world = extra(of_pool())
    [core] = [each for each in world.deployments if each.id == "aave_v3_ethereum"]
    assert core.reader.place.feeds[LINK].beside[-1] == TWAP


BAD = [
    (entry(chain="etherium", feed=MINE), "chain", '"etherium" is not a known chain; did you mean "ethereum"?'),
    (entry(of=MINE.lower(), feed=OTHER), "of", "is not a checksummed address", f'write "{MINE}"'),
    (entry(of=MINE[:-1], feed=OTHER), "of", "(39 characters after 0x) is not an address"),
    (f'[[second_sources]]\nchain = "ethereum"\nfeed = "{MINE}"', "of", "missing; write an address"),
    (f'[[second_sources]]\nof = "{LINK}"\nfeed = "{MINE}"', "chain", "missing; write a name of small letters"),
    (entry(), "feed", "missing; write feed = the address of another feed, or pool and base"),
    (entry(feed=MINE, pool=OTHER, base=WETH), "pool", "feed is given already", "write an entry for each"),
    (entry(feed=MINE, base=WETH), "base", "belongs to a pool, and this entry names a feed; leave it out"),
    (entry(feed=MINE, window=60), "window", "belongs to a pool, and this entry names a feed; leave it out"),
    (entry(pool=OTHER), "base", "missing; write the address of that token of the pool"),
    (entry(pool=OTHER, base=OTHER), "base", "is the pool itself; write the address of that token"),
    (of_pool(window=59), "window", "59 is not a whole number of seconds from 60 to 86400"),
    (of_pool(window=86_401), "window", "86401 is not a whole number of seconds from 60"),
    (of_pool(window="1800"), "window", '"1800" is not a whole number of seconds'),
    (entry(feed=LINK), "feed", "is the source that it would be held against; write another one"),
    (entry(pool=LINK, base=WETH), "pool", "is the source that it would be held against"),
    (entry(feed=ZERO_ADDRESS), "feed", "is the zero address, where no contract lives"),
    (entry(of=ZERO_ADDRESS, feed=MINE), "of", "is the zero address, where no contract lives"),
    (entry(of=SVR, feed=AAVE_READS), "feed", f'is the feed "{SVR}" itself, by another of its addresses'),
    (entry(feed=MINE, pol=OTHER), "pol", 'did you mean "pool"?'),
    (entry(feed="${env:KEY}"), "feed", "refers to a secret"),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[1]}: {case[2][:30]}")
def test_it_refuses_an_entry_with_key_and_right_form(case: tuple[str, ...], extra: Extra) -> None:
    text, key, *fragments = case
    with pytest.raises(ConfigError) as refused:
        extra(text)
    told = str(refused.value)
    line = next((line for line in told.splitlines() if f"local.toml: second_sources[1].{key}: " in line), told)
    assert [fragment for fragment in fragments if fragment not in line] == []
    assert f"second_sources[1].{key}: " in line
    assert "canary" not in told


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        (entry(feed=MINE) * 2, "second_sources[2]: asks the same of the same as second_sources[1]; remove one of them"),
        ("[second_sources]\nof = 1", "second_sources: a table is not a list of tables; write [[second_sources]]"),
        ("second_sources = [3]", "second_sources[1]: 3 is not a table of keys"),
    ],
)
def test_it_refuses_what_is_no_list_of_entries(text: str, fragment: str, extra: Extra) -> None:
    with pytest.raises(ConfigError) as refused:
        extra(text)
    assert fragment in str(refused.value)


def test_it_tells_the_problems_of_an_entry_together_with_those_of_feeds_and_their_file(
    extra: Extra, tmp_path: Path
) -> None:
    row = f"ethereum,A/B,{MINE},,,8,soon,,,me"
    (tmp_path / "mine.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n")
    with pytest.raises(ConfigError) as refused:
        extra('feeds_file = "mine.csv"\n' + feed_of_mine().replace("77", "0") + entry(feed=LINK))
    told = str(refused.value)
    assert all(one in told for one in ("feeds[1].heartbeat", "mine.csv: row 2.heartbeat", "second_sources[1].feed"))
