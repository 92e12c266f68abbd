"""Puts an Aave v3 market on a chain as the protocol's own scripts do; versions fill in what differs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from eth_utils.address import to_checksum_address

from .abi import calldata
from .artifacts import Artifact, aave_core, chainlink
from .chain import ZERO, Address, Chain, Tx, named
from .listings import LISTINGS, PRICE_DECIMALS, Category, Listing

ADMIN = named("market admin")
TREASURY = named("treasury")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A Chainlink-style price: the proxy that everyone reads, and the aggregator behind it that we write to."""

    proxy: Address
    aggregator: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A reserve. `feed` is the proxy; `stable_debt` is None where the version has no stable rate."""

    symbol: str
    decimals: int
    address: Address
    a_token: Address
    stable_debt: Address | None
    variable_debt: Address
    feed: Address
    aggregator: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    provider: Address
    pool: Address
    configurator: Address
    oracle: Address
    data_provider: Address
    tokens: dict[str, Token]


@dataclass(frozen=True, slots=True)
class Asset:
    """A token and its feed before the pool knows them."""

    listing: Listing
    address: Address
    feed: Feed


class Deployment(ABC):
    categories: ClassVar[Sequence[Category]]
    pool_name: ClassVar[str] = "Pool"
    token_words: ClassVar[Sequence[int]] = (8, 9, 10)
    """Where getReserveData has the tokens: in its legacy layout, the same from v3.0 to v3.7."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._libraries: dict[str, Address] = {}

    @abstractmethod
    def artifact(self, name: str) -> Artifact: ...

    @abstractmethod
    def implementations(self, provider: Address) -> tuple[Address, Address]:
        """Deploy the pool's and the configurator's implementation."""

    @abstractmethod
    def list_reserves(self, provider: Address, pool: Address, configurator: Address, assets: Sequence[Asset]) -> None:
        """`initReserves`: the pool creates its tokens."""

    @abstractmethod
    def category_setup(self, category: Category, addresses: dict[str, Address]) -> list[bytes]:
        """The configurator's calls that make an e-mode category."""

    def run(self) -> Market:
        provider = self.make_provider()
        assets = [self._asset(listing) for listing in LISTINGS]
        oracle = self.make_oracle(provider, assets)
        pool, configurator = self._proxies(provider)
        self.list_reserves(provider, pool, configurator, assets)
        self._configure(configurator, assets)
        return Market(
            provider=provider,
            pool=pool,
            configurator=configurator,
            oracle=oracle,
            data_provider=self.make_data_provider(provider),
            tokens={asset.listing.symbol: self._token(pool, asset) for asset in assets},
        )

    def deploy(self, name: str, *values: object) -> Address:
        """Deploy a contract of this version, and first the libraries that it links to."""
        artifact = self.artifact(name)
        libraries = {library: self._library(library) for library in artifact.libraries}
        return self.chain.deploy(ADMIN, artifact.creation(*values, libraries=libraries))

    def feed(self, listing: Listing) -> Feed:
        return deploy_feed(self.chain, listing.price)

    def _library(self, name: str) -> Address:
        if name not in self._libraries:
            self._libraries[name] = self.deploy(name)
        return self._libraries[name]

    def make_provider(self) -> Address:
        """The registry of the market's contracts, with every role given to the admin."""
        provider = self.deploy("PoolAddressesProvider", "Test market", ADMIN)
        self._roles(provider)
        return provider

    def _roles(self, provider: Address) -> None:
        self.chain.send(ADMIN, provider, "setACLAdmin(address)", ADMIN)
        manager = self.deploy("ACLManager", provider)
        self.chain.send(ADMIN, provider, "setACLManager(address)", manager)
        roles = ("addPoolAdmin", "addEmergencyAdmin", "addRiskAdmin", "addAssetListingAdmin")
        self.chain.send_all([Tx(ADMIN, manager, calldata(f"{role}(address)", ADMIN)) for role in roles])

    def _asset(self, listing: Listing) -> Asset:
        mintable = aave_core("mocks/tokens/MintableERC20")
        address = self.chain.deploy(ADMIN, mintable.creation(listing.symbol, listing.symbol, listing.decimals))
        return Asset(listing, address, self.feed(listing))

    def make_oracle(self, provider: Address, assets: Sequence[Asset]) -> Address:
        addresses, feeds = [asset.address for asset in assets], [asset.feed.proxy for asset in assets]
        oracle = self.deploy("AaveOracle", provider, addresses, feeds, ZERO, ZERO, 10**PRICE_DECIMALS)
        self.chain.send(ADMIN, provider, "setPriceOracle(address)", oracle)
        return oracle

    def _proxies(self, provider: Address) -> tuple[Address, Address]:
        pool, configurator = self.implementations(provider)
        self.chain.send(ADMIN, provider, f"set{self.pool_name}Impl(address)", pool)
        self.chain.send(ADMIN, provider, f"set{self.pool_name}ConfiguratorImpl(address)", configurator)
        [pool_proxy] = self.chain.view(provider, f"get{self.pool_name}()(address)")
        [configurator_proxy] = self.chain.view(provider, f"get{self.pool_name}Configurator()(address)")
        return pool_proxy, configurator_proxy

    def make_data_provider(self, provider: Address) -> Address:
        address = self.deploy("AaveProtocolDataProvider", provider)
        self.chain.send(ADMIN, provider, "setPoolDataProvider(address)", address)
        return address

    def _configure(self, configurator: Address, assets: Sequence[Asset]) -> None:
        addresses = {asset.listing.symbol: asset.address for asset in assets}
        calls = [call for asset in assets for call in self.reserve_setup(asset)]
        calls += [call for category in self.categories for call in self.category_setup(category, addresses)]
        self.chain.send_all([Tx(ADMIN, configurator, call) for call in calls])

    def reserve_setup(self, asset: Asset) -> list[bytes]:
        """The configurator's calls that open a reserve."""
        listing, address = asset.listing, asset.address
        calls = [
            calldata("setReserveBorrowing(address,bool)", address, True),
            calldata("setReserveFactor(address,uint256)", address, 1500),
        ]
        if listing.threshold:
            risk = (listing.ltv, listing.threshold, listing.bonus)
            calls.append(calldata("configureReserveAsCollateral(address,uint256,uint256,uint256)", address, *risk))
        return calls

    def _token(self, pool: Address, asset: Asset) -> Token:
        data = self.chain.call(pool, calldata("getReserveData(address)", asset.address))
        a_token, stable, variable = ("0x" + data[32 * word + 12 : 32 * word + 32].hex() for word in self.token_words)
        return Token(
            symbol=asset.listing.symbol,
            decimals=asset.listing.decimals,
            address=asset.address,
            a_token=to_checksum_address(a_token),
            stable_debt=None if stable == ZERO else to_checksum_address(stable),
            variable_debt=to_checksum_address(variable),
            feed=asset.feed.proxy,
            aggregator=asset.feed.aggregator,
        )


def deploy_feed(chain: Chain, answer: int, decimals: int = PRICE_DECIMALS) -> Feed:
    """An aggregator whose rounds we write, behind the proxy that Chainlink deploys in front of the real ones."""
    aggregator = chain.deploy(ADMIN, chainlink("MockV3Aggregator").creation(decimals, answer))
    proxy = chain.deploy(ADMIN, chainlink("EACAggregatorProxy").creation(aggregator, ZERO))
    return Feed(proxy=proxy, aggregator=aggregator)
