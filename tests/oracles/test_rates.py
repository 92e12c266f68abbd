"""Exchange rates, on contracts that tell them by every getter that is known."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.node import Node, node
from tests.worlds.chain import ZERO
from tests.worlds.own import own
from watcher.domain.price import Rate
from watcher.domain.source import Address
from watcher.oracles.rates import (
    Told,
    rate_of,
    rseth_told,
    shares_told,
    steth_in_wsteth_told,
    steth_told,
    wsteth_told,
)
from watcher.oracles.shape import Unseen
from watcher.reads import Plan

WAD = 10**18
RANDOM = Random(41)


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


def vault(there: Node, places: int, asset: int, *, symbol: str = "sDAI") -> Address:
    token = there.deploy(own("RatesToken"), "DAI", asset)
    return there.deploy(own("RatesVault"), symbol, places, token)


def of_shares(vault: Address, shares: int | None) -> Plan[Rate]:
    told = yield from shares_told(vault, shares)
    return (yield from told.rate())


@pytest.mark.parametrize(
    ("contract", "what"),
    [
        ("RatesWstETH", "wstETH in stETH"),
        ("RatesStETH", "wstETH in stETH"),
        ("RatesRETH", "rETH by getExchangeRate"),
        ("RatesCbETH", "cbETH by exchangeRate"),
        ("RatesKelp", "rsETH in ETH"),
    ],
)
def test_it_finds_the_getter_by_which_a_contract_tells_its_rate(there: Node, contract: str, what: str) -> None:
    at = there.deploy(own(contract), WAD)
    for _ in range(12):
        rate = RANDOM.randint(1, 10**20)
        there.send(at, "write(uint256)", rate)
        assert there.run(rate_of(at)) == Rate(source=at, what=what, value=rate, decimals=18)


def test_it_names_a_rate_provider_by_its_symbol_if_it_has_one(there: Node) -> None:
    token, nameless = there.deploy(own("RatesProvider"), "weETH", WAD + 5), there.deploy(own("RatesNameless"))
    assert there.run(rate_of(token)) == Rate(source=token, what="weETH by getRate", value=WAD + 5, decimals=18)
    assert there.run(rate_of(nameless)).what == "rate by getRate"


def test_it_reads_a_rate_as_it_is_now_by_the_getter_that_was_asked_for(there: Node) -> None:
    wsteth = there.deploy(own("RatesWstETH"), 3 * WAD)
    steth, kelp = there.deploy(own("RatesStETH"), WAD + 1), there.deploy(own("RatesKelp"), WAD + 2)
    told = [wsteth_told(wsteth), steth_in_wsteth_told(wsteth), steth_told(steth), rseth_told(kelp)]
    assert [there.run(one.rate()).value for one in told] == [3 * WAD, WAD // 3, WAD + 1, WAD + 2]
    there.send(wsteth, "write(uint256)", 4 * WAD)
    assert there.run(told[0].rate()).value == 4 * WAD


@pytest.mark.parametrize(("places", "asset"), [(18, 18), (18, 6), (6, 6), (8, 18), (24, 18)])
def test_it_tells_a_vaults_shares_in_assets_to_the_unit(there: Node, places: int, asset: int) -> None:
    sdai = vault(there, places, asset)
    for _ in range(12):
        assets, supply = RANDOM.randint(1, 10**25), RANDOM.randint(1, 10**25)
        there.send(sdai, "write(uint256,uint256)", assets, supply)
        rate = there.run(rate_of(sdai))
        assert (rate.what, rate.decimals) == ("sDAI in DAI", asset)
        assert rate.value == 10**places * assets // supply


def test_it_says_how_many_shares_where_the_number_makes_no_rate_of_one(there: Node) -> None:
    sdai = vault(there, 18, 6)
    there.send(sdai, "write(uint256,uint256)", 2 * 10**12, 10**24)  # 2 DAI to the share
    many = there.run(of_shares(sdai, 10**24))
    assert (many.what, many.value, many.decimals) == ("sDAI in DAI", 2 * 10**12, 12)
    for odd in (3 * 10**18, 10**6):
        rate = there.run(of_shares(sdai, odd))
        assert (rate.what, rate.decimals) == (f"{odd} units of sDAI in DAI", 6)
        assert rate.value == odd * 2 // 10**12


def test_it_does_without_the_names_of_a_vault_and_of_its_asset(there: Node) -> None:
    bare = there.deploy(own("RatesVault"), "", 18, Address(ZERO))
    there.send(bare, "write(uint256,uint256)", 11, 10)
    rate = there.run(rate_of(bare))
    assert (rate.what, rate.value, rate.decimals) == ("share in assets", 11 * 10**17, 18)


def test_it_does_not_reckon_with_absurd_places(there: Node) -> None:
    absurd = vault(there, 255, 6)
    there.send(absurd, "write(uint256,uint256)", 2, 1)
    with pytest.raises(Unseen, match="tells no rate"):
        there.run(rate_of(absurd))
    some = there.run(of_shares(absurd, 10**18))
    assert (some.what, some.value, some.decimals) == ("sDAI in DAI", 2 * 10**18, 6)


def test_it_finds_no_rate_where_there_is_none(there: Node) -> None:
    token = there.deploy(own("RatesToken"), "DAI", 18)
    for nobody in (token, Address(ZERO)):
        with pytest.raises(Unseen, match="tells no rate"):
            there.run(rate_of(nobody))


def test_it_is_a_failure_that_a_rate_is_not_told_any_more(there: Node) -> None:
    sdai = vault(there, 18, 18)
    told: Told = Told(wsteth_told(sdai).ask, "wstETH in stETH")
    with pytest.raises(Exception, match="stEthPerToken"):
        there.run(told.rate())
