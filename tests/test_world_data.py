"""The shipped world, read as plain TOML and CSV: every address, heartbeat and endpoint that the program acts on."""

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from eth_abi.abi import encode
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

from tests.worlds.artifacts import uniswap_v3

ROOT: Final = Path(__file__).parents[1]
WORLD: Final[dict[str, Any]] = tomllib.loads((ROOT / "protocols.toml").read_text("utf-8"), parse_float=Decimal)
CHAINS: Final[dict[str, dict[str, Any]]] = WORLD["chains"]
DEPLOYMENTS: Final[list[dict[str, Any]]] = WORLD["deployments"]
AAVE: Final = [each for each in DEPLOYMENTS if each["protocol"] in ("aave_v2", "aave_v3")]
SPOKES_HERE: Final = [each for each in DEPLOYMENTS if each["protocol"] == "aave_v4"]
COMET: Final = [each for each in DEPLOYMENTS if each["protocol"] == "comet"]
MORPHO: Final = [each for each in DEPLOYMENTS if each["protocol"] == "morpho_blue"]
SECOND_SOURCES: Final[list[dict[str, str]]] = WORLD["second_sources"]

MULTICALL3: Final = "0xcA11bde05977b3631167028862bE2a173976CA11"
MULTICALL3_ON_ZKSYNC: Final = "0xF9cda624FBC7e059355ce98a31693d299FACd963"
PREDEPLOYED: Final = "0x4200000000000000000000000000000000000006"  # WETH of the OP stack
NOT_WATCHED: Final = {"AaveV3Harmony", "AaveV2EthereumArc"}  # the reasons are at the top of protocols.toml
SPARKLEND: Final = {  # github sparkdotfi/spark-address-registry, src/SparkLend.sol
    "pool": "0xC13e21B648A5Ee794902342038FF3aDAB66BE987",
    "provider": "0x02C3eA4e34C0cBd694D2adFa2c690EECbC1793eE",
    "oracle": "0x8105f69D9C41644c6A0803fDA7D03Aa70996cFD9",
}
POOL_FACTORIES: Final = {  # and the USDC of Circle's own: developers.circle.com, USDC contract addresses
    "ethereum": ("0x1F98431c8aD98523631AE4a59f267346ea31F984", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
    "arbitrum": ("0x1F98431c8aD98523631AE4a59f267346ea31F984", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831"),
    "base": ("0x33128a8fC17869897dcE68Ed026d694621f6FDfD", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
}
FEED_COLUMNS: Final = (
    "chain", "pair", "proxy", "svr_proxy", "aggregator", "decimals", "heartbeat", "deviation", "market_hours", "source",
)  # fmt: skip
SHORTEST_HEARTBEAT, LONGEST_HEARTBEAT = 20, 14 * 86_400

# chain, proxy -> pair, heartbeat in seconds, deviation in percent: as Chainlink's directory listed them on 2026-08-22.
WELL_KNOWN_FEEDS: Final = {
    ("ethereum", "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419"): ("ETH/USD", 3600, "0.5"),
    ("ethereum", "0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c"): ("BTC/USD", 3600, "0.5"),
    ("ethereum", "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6"): ("USDC/USD", 82_800, "0.25"),
    ("ethereum", "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D"): ("USDT/USD", 86_400, "0.25"),
    ("ethereum", "0xCfE54B5cD566aB89272946F602D76Ea879CAb4a8"): ("STETH/USD", 3600, "1"),
    ("ethereum", "0x536218f9E9Eb48863970252233c8F271f554C2d0"): ("RETH/ETH", 86_400, "2"),
    ("base", "0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70"): ("ETH/USD", 1200, "0.15"),
    ("base", "0x7e860098F58bBFC8648a4311b374B1D669a2bc6B"): ("USDC/USD", 86_400, "0.3"),
    ("arbitrum", "0x639Fe6ab55C921f74e7fac1ee960C0B6293ba612"): ("ETH/USD", 1755, "0.05"),
    ("arbitrum", "0x50834F3163758fcC1Df9973b6e91f0F0F0434aD3"): ("USDC/USD", 255, "0.1"),
    ("polygon", "0xF9680D99D6C9589e2a93a78A04A279e509205945"): ("ETH/USD", 27, "0.1"),
    ("bnb", "0x0567F2323251f0Aab15c8dFb1967E4e8A7D42aeE"): ("BNB/USD", 27, "0.1"),
    ("bnb", "0xB97Ad0E74fa7d920791E90258A6E2085088b4320"): ("USDT/USD", 900, "0.1"),
    ("avalanche", "0x0A77230d17318075983913bC2145DB16C7366156"): ("AVAX/USD", 120, "0.1"),
}


def rows(path: Path) -> list[dict[str, str]]:
    lines = path.read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


FEEDS: Final = rows(ROOT / WORLD["feeds_file"])
ADDRESS_BOOK: Final = rows(ROOT / "tests" / "data" / "aave_address_book.csv")
SPOKES: Final = rows(ROOT / "tests" / "data" / "aave_v4_address_book.csv")


def every_address() -> Iterator[tuple[str, str]]:
    for name, chain in CHAINS.items():
        yield f"chains.{name}.multicall3", chain["multicall3"]
        if "wrapped" in chain:
            yield f"chains.{name}.wrapped", chain["wrapped"]
        if "sequencer_feed" in chain:
            yield f"chains.{name}.sequencer_feed", chain["sequencer_feed"]
    for deployment in DEPLOYMENTS:
        for key, value in deployment.items():
            if str(value).startswith("0x"):
                yield f"{deployment['id']}.{key}", value
    for second in SECOND_SOURCES:
        for key in ("of", "pool", "base"):
            yield f"second source {second['of']} {key}", second[key]
    for feed in FEEDS:
        for key in ("proxy", "svr_proxy", "aggregator"):
            if feed[key]:
                yield f"{feed['chain']} {feed['pair']} {key}", feed[key]


def contracts(row: dict[str, str]) -> tuple[str, str, str]:
    return row["pool"], row["provider"], row["oracle"]


def repeated(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def test_it_spells_every_address_with_its_checksum() -> None:
    addresses = list(every_address())

    assert len(addresses) > 3 * len(AAVE) + len(COMET) + 2 * len(MORPHO) + 2 * len(FEEDS)
    assert [where for where, address in addresses if not is_checksum_address(address)] == []


def test_it_gives_every_chain_an_id_of_its_own() -> None:
    assert repeated(chain["id"] for chain in CHAINS.values()) == []


@pytest.mark.parametrize("name", CHAINS)
def test_it_says_all_that_is_needed_to_read_a_chain(name: str) -> None:
    chain = CHAINS[name]

    assert set(chain) - {"wrapped", "known_block", "sequencer_feed", "proxy_registry", "dsa_list"} == {
        "id", "title", "multicall3", "block_time", "max_age", "confirmations", "endpoints", "explorer",
    }  # fmt: skip
    assert chain["multicall3"] == (MULTICALL3_ON_ZKSYNC if name == "zksync" else MULTICALL3)
    assert chain["block_time"] > 0
    assert isinstance(chain["max_age"], int)
    assert chain["max_age"] > 5 * chain["block_time"], "an ordinary pause between blocks must not raise an alert"
    assert isinstance(chain["confirmations"], int)
    assert chain["confirmations"] >= 1
    assert chain["explorer"].startswith("https://")
    assert not chain["explorer"].endswith("/")


def test_it_holds_endpoints_to_a_block_of_each_chain_that_publishes_one() -> None:
    assert {name for name, chain in CHAINS.items() if "known_block" not in chain} == {"plasma", "mantle"}
    known = [chain["known_block"] for chain in CHAINS.values() if "known_block" in chain]
    assert len({one["hash"] for one in known}) == len(known), "each chain has a block of its own"
    assert CHAINS["ethereum"]["known_block"] == {"number": 0, "hash": "0xd4e56740f876aef8c010b86a40d5f567"}


def test_it_knows_every_sequencer_feed_that_chainlink_publishes() -> None:
    """Read once more from the page that protocols.toml names; two addresses serve two chains each."""
    assert {name: chain["sequencer_feed"] for name, chain in CHAINS.items() if "sequencer_feed" in chain} == {
        "arbitrum": "0xFdB631F5EE196F0ed6FAa767959853A9F217697D",
        "base": "0xBCF85224fc0756B9Fa45aA7892530B47e10b6433",
        "celo": "0x4CD491Dc27C8B0BbD10D516A502856B786939d18",
        "mantle": "0xaDE1b9AbB98c6A542E4B49db2588a3Ec4bF7Cdf0",
        "megaeth": "0x78B2195A21B8BBe82acaB43F90F9180E9513FD0C",
        "metis": "0x58218ea7422255EBE94e56b504035a784b7AA204",
        "optimism": "0x371EAD81c9102C9BF4874A9075FFFf170F2Ee389",
        "scroll": "0x45c2b8C204568A03Dc7A2E32B71D67Fe97F908A9",
        "soneium": "0xaDE1b9AbB98c6A542E4B49db2588a3Ec4bF7Cdf0",
        "xlayer": "0x45c2b8C204568A03Dc7A2E32B71D67Fe97F908A9",
        "zksync": "0x0E6AC8B967393dcD3D36677c126976157F993940",
    }


def test_it_knows_the_wrapped_coin_where_a_market_takes_it() -> None:
    """On Celo and Metis the coin is a token itself; Monad's market does not take it."""
    assert {name for name, chain in CHAINS.items() if "wrapped" not in chain} == {"celo", "metis", "monad"}
    wrapped = {name: chain["wrapped"] for name, chain in CHAINS.items() if "wrapped" in chain}
    assert {name for name, token in wrapped.items() if token == PREDEPLOYED} == {
        "base", "ink", "megaeth", "optimism", "soneium", "unichain",
    }  # fmt: skip
    assert len(set(wrapped.values())) == len(wrapped) - 5


@pytest.mark.parametrize("name", CHAINS)
def test_it_reaches_every_chain_through_two_public_hosts(name: str) -> None:
    endpoints = [urlsplit(endpoint) for endpoint in CHAINS[name]["endpoints"]]

    assert {endpoint.scheme for endpoint in endpoints} == {"https"}
    assert len({endpoint.hostname for endpoint in endpoints}) == len(endpoints) >= 2
    keys = [segment for endpoint in endpoints for segment in endpoint.path.split("/") if len(segment) >= 16]
    assert keys == [], "a long path segment is somebody's key"


def test_it_names_every_deployment_once_on_a_known_chain() -> None:
    assert repeated(deployment["id"] for deployment in DEPLOYMENTS) == []
    assert repeated(deployment["title"] for deployment in DEPLOYMENTS) == []
    assert repeated((deployment["chain"], deployment["pool"]) for deployment in AAVE) == []
    assert repeated((deployment["chain"], deployment["comet"]) for deployment in COMET) == []
    assert repeated((deployment["chain"], deployment["spoke"]) for deployment in SPOKES_HERE) == []
    assert repeated((deployment["chain"], deployment["morpho"]) for deployment in MORPHO) == []
    assert {deployment["chain"] for deployment in DEPLOYMENTS} == set(CHAINS)


def test_it_deploys_exactly_what_the_aave_address_book_lists() -> None:
    book = {(int(row["chain_id"]), *contracts(row)) for row in ADDRESS_BOOK if row["market"] not in NOT_WATCHED}
    ours = {(CHAINS[each["chain"]]["id"], *contracts(each)) for each in AAVE if each["id"] != "spark_ethereum"}

    assert len(book) == len(ADDRESS_BOOK) - len(NOT_WATCHED)
    assert ours == book


def test_it_deploys_every_spoke_of_aave_v4_with_its_own_oracle() -> None:
    book = {(int(row["chain_id"]), row["spoke"], row["oracle"]) for row in SPOKES}
    here = SPOKES_HERE

    assert len(book) == len(SPOKES) == 16
    assert {(CHAINS[each["chain"]]["id"], each["spoke"], each["oracle"]) for each in here} == book
    names = {row["spoke"]: row["name"].lower().removesuffix("_spoke").removesuffix("_espoke") for row in SPOKES}
    assert [each["id"] for each in here] == [f"aave_v4_{each['chain']}_{names[each['spoke']]}" for each in here]


@pytest.mark.parametrize(
    ("deployment", "market"),
    [
        ("aave_v2_ethereum", "AaveV2Ethereum"),
        ("aave_v2_ethereum_amm", "AaveV2EthereumAMM"),
        ("aave_v3_ethereum", "AaveV3Ethereum"),
        ("aave_v3_ethereum_prime", "AaveV3EthereumLido"),
        ("aave_v3_ethereum_etherfi", "AaveV3EthereumEtherFi"),
        ("aave_v3_ethereum_horizon", "AaveV3EthereumHorizon"),
    ],
)
def test_it_does_not_swap_the_markets_of_one_chain(deployment: str, market: str) -> None:
    [ours] = [each for each in DEPLOYMENTS if each["id"] == deployment]
    [theirs] = [row for row in ADDRESS_BOOK if row["market"] == market]

    assert contracts(ours) == contracts(theirs)


def test_it_takes_sparklend_from_its_own_registry() -> None:
    [spark] = [each for each in DEPLOYMENTS if each["id"] == "spark_ethereum"]

    assert spark["chain"] == "ethereum"
    assert contracts(spark) == contracts(SPARKLEND)


def test_it_knows_every_market_of_compound_v3_on_a_chain_that_it_knows() -> None:
    """Read once more from deployments/<network>/<market>/roots.json; one address serves two chains."""
    assert Counter(each["chain"] for each in COMET) == {
        "ethereum": 6, "arbitrum": 4, "base": 5, "optimism": 3, "polygon": 2, "linea": 2, "mantle": 1, "scroll": 1,
    }  # fmt: skip
    markets = {(each["chain"], each["comet"]) for each in COMET}
    assert {
        ("ethereum", "0xc3d688B66703497DAA19211EEdff47f25384cdc3"),
        ("scroll", "0xB2f97c1Bd3bf02f5e74d13f02E3e26F93D77CE44"),
    } < markets
    assert {chain for chain, comet in markets if comet == "0x9c4ec768c28520B50860ea7a15bd7213a9fF58bf"} == {
        "arbitrum", "base",
    }  # fmt: skip


def test_it_takes_sky_from_the_list_that_its_spells_are_tested_with() -> None:
    """Read once more from src/test/addresses_mainnet.sol."""
    [sky] = [each for each in DEPLOYMENTS if each["protocol"] == "sky"]
    assert {key: value for key, value in sky.items() if str(value).startswith("0x")} == {
        "vat": "0x35D1b3F3D7966A1DFe207aa4514C12a259A0492B",
        "spotter": "0x65C79fcB50Ca1594B025960e539eD7A9a6D434A3",
        "jug": "0x19c0976f590D67707E62397C87829d896Dc0f1F1",
        "dog": "0x135954d155898D42C90D2a57824C690e0c7BEf1B",
        "cdp_manager": "0x5ef30b9986345249bc32d8928B7ee64DE9435E39",
        "get_cdps": "0x36a724Bd100c39f0Ea4D3A20F7097eE01A8Ff573",
        "ilk_registry": "0x5a464C28D19848f44199D003BeF5ecc87d090F87",
        "lockstake": "0xCe01C90dE7FD1bcFa39e237FE6D8D9F569e8A6a3",
        "dai": "0x6B175474E89094C44Da98b954EedeAC495271d0F",
    }


def test_it_knows_the_morpho_of_each_chain_from_the_block_that_it_is_there_since() -> None:
    """Read once more from lib/esm/addresses.js of npm @morpho-org/morpho-ts 2.8.0."""
    assert {each["chain"]: (each["morpho"][:10], each["pre_liquidations"][:10], each["since"]) for each in MORPHO} == {
        "ethereum": ("0xBBBBBbbB", "0x6FF33615", 18_883_124),
        "arbitrum": ("0x6c247b1F", "0x635c31B5", 296_446_593),
        "base": ("0xBBBBBbbB", "0x8cd16b62", 13_977_148),
        "optimism": ("0xce95AfbB", "0x3d05C01E", 130_770_075),
        "polygon": ("0x1bF0c254", "0xeDadDe37", 66_931_042),
        "bnb": ("0x01b0Bd30", "0xEB8871F0", 54_344_680),
        "unichain": ("0x8f5ae9Cd", "0xb04e4D3D", 9_139_027),
    }


def test_it_knows_every_evc_of_euler_on_a_chain_that_it_knows() -> None:
    """Read once more from EulerChains.json; each chain has one of its own."""
    evcs = {each["chain"]: each["evc"] for each in DEPLOYMENTS if each["protocol"] == "euler_v2"}

    assert set(evcs) == {
        "ethereum", "arbitrum", "base", "bnb", "avalanche", "polygon", "unichain", "linea", "sonic", "plasma", "monad",
    }  # fmt: skip
    assert repeated(iter(evcs.values())) == []
    assert evcs["ethereum"] == "0x0C9a3dd6b8F28529d72d7f9cE918D493519EE383"


def test_it_writes_every_feed_in_the_same_form() -> None:
    malformed = [feed for feed in FEEDS if not well_formed(feed)]

    assert tuple(FEEDS[0]) == FEED_COLUMNS
    assert malformed == []


def well_formed(feed: dict[str, str]) -> bool:
    return (
        tuple(feed) == FEED_COLUMNS
        and feed["chain"] in CHAINS
        and feed["pair"] == feed["pair"].strip() != ""
        and feed["proxy"] != ""
        and feed["aggregator"] != ""
        and re.fullmatch(r"\d|1\d|2[0-7]", feed["decimals"]) is not None
        and re.fullmatch(r"\d+", feed["heartbeat"]) is not None
        and SHORTEST_HEARTBEAT <= int(feed["heartbeat"]) <= LONGEST_HEARTBEAT
        and (feed["deviation"] == "" or re.fullmatch(r"\d+(\.\d+)?", feed["deviation"]) is not None)
        and re.fullmatch(r"[A-Za-z_0-9/]*", feed["market_hours"]) is not None
        and re.fullmatch(r"chainlink-rdd \d{4}-\d{2}-\d{2}", feed["source"]) is not None
    )


def test_it_never_gives_one_feed_two_heartbeats() -> None:
    addresses = (
        (feed["chain"], feed[key]) for feed in FEEDS for key in ("proxy", "svr_proxy", "aggregator") if feed[key]
    )

    assert repeated(addresses) == []


def test_it_keeps_the_feeds_sorted_so_that_an_update_reads_as_a_difference() -> None:
    order = [(feed["chain"], feed["pair"], feed["proxy"]) for feed in FEEDS]

    assert order == sorted(order)


@pytest.mark.parametrize(("chain", "proxy"), WELL_KNOWN_FEEDS)
def test_it_knows_the_heartbeat_of_a_well_known_feed(chain: str, proxy: str) -> None:
    [feed] = [feed for feed in FEEDS if (feed["chain"], feed["proxy"]) == (chain, proxy)]

    assert (feed["pair"], int(feed["heartbeat"]), feed["deviation"]) == WELL_KNOWN_FEEDS[chain, proxy]


def test_it_finds_the_proxy_that_aave_reads_beside_the_one_it_is_paired_with() -> None:
    [feed] = [feed for feed in FEEDS if feed["svr_proxy"] == "0x5424384B256154046E9667dDFaaa5e550145215e"]

    assert (feed["chain"], feed["pair"], feed["heartbeat"]) == ("ethereum", "ETH/USD", "3600")
    assert feed["proxy"] == "0x5147eA642CAEF7BD9c1265AadcA78f997AbB9649"


def test_it_marks_the_feeds_of_markets_that_close() -> None:
    hours = {(feed["chain"], feed["proxy"]): feed["market_hours"] for feed in FEEDS}

    assert hours["ethereum", "0x214eD9Da11D2fbe465a6fc601a91E62EbEc1a0D6"] == "Precious_Metals"  # XAU/USD
    assert hours["ethereum", "0xb49f677943BC038e9857d61E7d053CaA2C1734C1"] == "Forex"  # EUR/USD


@pytest.mark.parametrize("chain", POOL_FACTORIES)
def test_it_holds_the_price_of_ether_against_the_pool_that_the_factory_deploys(chain: str) -> None:
    """The address follows from factory, tokens, fee and code (CREATE2): no list of pools has to be believed."""
    factory, usdc = POOL_FACTORIES[chain]
    tokens = sorted((CHAINS[chain]["wrapped"], usdc), key=lambda token: int(token, 16))
    salt = keccak(encode(["address", "address", "uint24"], [*tokens, 500]))
    code = keccak(uniswap_v3("UniswapV3Pool").creation())
    deployed = keccak(b"\xff" + bytes.fromhex(factory[2:]) + salt + code)[-20:]
    ours = [each for each in SECOND_SOURCES if each["chain"] == chain]
    pairs = {feed["proxy"]: feed["pair"] for feed in FEEDS if feed["chain"] == chain}

    assert {each["pool"] for each in ours} == {to_checksum_address(deployed)}
    assert {each["base"] for each in ours} == {CHAINS[chain]["wrapped"]}
    assert [pairs[each["of"]] for each in ours] == ["ETH/USD", "ETH/USD"]


def test_it_names_second_sources_only_where_their_pool_is_proven() -> None:
    assert {each["chain"] for each in SECOND_SOURCES} == set(POOL_FACTORIES)
