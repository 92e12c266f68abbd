"""Aave v2 from the artifacts of `@aave/protocol-v2` 1.0.1: valued in ether, with stable debt, without e-modes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .aave import AaveWorld
from .abi import calldata
from .artifacts import Artifact, aave_v2
from .chain import ZERO, Address, Tx
from .deployment import ADMIN, TREASURY, Asset, Deployment, Feed, deploy_feed
from .listings import LISTINGS, Category, Listing

ETHER = 10**18
_PERCENT = 10**25
_DEPLOYER_ROLES = ("setPoolAdmin", "setEmergencyAdmin")

_SOURCES = {
    "protocol/configuration": ("LendingPoolAddressesProvider",),
    "protocol/lendingpool": (
        *("LendingPool", "LendingPoolConfigurator", "LendingPoolCollateralManager"),
        "DefaultReserveInterestRateStrategy",
    ),
    "protocol/tokenization": ("AToken", "StableDebtToken", "VariableDebtToken"),
    "protocol/libraries/logic": ("ReserveLogic", "GenericLogic", "ValidationLogic"),
    "misc": ("AaveOracle", "AaveProtocolDataProvider"),
    "mocks/oracle": ("LendingRateOracle", "PriceOracle"),
}
_PATHS = {name: f"{folder}/{name}" for folder, names in _SOURCES.items() for name in names}
_ETHER_PRICE = next(listing.price for listing in LISTINGS if listing.symbol == "WETH")


class AaveV2Deployment(Deployment):
    categories = ()
    pool_name = "LendingPool"
    token_words = (7, 8, 9)

    def artifact(self, name: str) -> Artifact:
        return aave_v2(_PATHS[name])

    def make_provider(self) -> Address:
        provider = self.deploy("LendingPoolAddressesProvider", "Test market")
        manager, rates = self.deploy("LendingPoolCollateralManager"), self.deploy("LendingRateOracle")
        calls = [calldata(f"{role}(address)", ADMIN) for role in _DEPLOYER_ROLES]
        calls += [
            calldata("setLendingPoolCollateralManager(address)", manager),
            calldata("setLendingRateOracle(address)", rates),
        ]
        self.chain.send_all([Tx(ADMIN, provider, call) for call in calls])
        return provider

    def feed(self, listing: Listing) -> Feed:
        """In ether, as v2's feeds are on Ethereum. That of WETH is not the oracle's: it prices WETH at 1 by itself."""
        return deploy_feed(self.chain, listing.price * ETHER // _ETHER_PRICE, decimals=18)

    def make_oracle(self, provider: Address, assets: Sequence[Asset]) -> Address:
        """With a fallback oracle that has no prices, as a market's own oracle of last resort."""
        priced = [asset for asset in assets if asset.listing.symbol != "WETH"]
        [weth] = [asset.address for asset in assets if asset.listing.symbol == "WETH"]
        addresses, feeds = [asset.address for asset in priced], [asset.feed.proxy for asset in priced]
        oracle = self.deploy("AaveOracle", addresses, feeds, self.deploy("PriceOracle"), weth)
        self.chain.send(ADMIN, provider, "setPriceOracle(address)", oracle)
        return oracle

    def implementations(self, provider: Address) -> tuple[Address, Address]:
        return self.deploy("LendingPool"), self.deploy("LendingPoolConfigurator")

    def list_reserves(self, provider: Address, pool: Address, configurator: Address, assets: Sequence[Asset]) -> None:
        rates = self.deploy("DefaultReserveInterestRateStrategy", provider, *_rates())
        signature = "initReserve(address,address,address,uint8,address)"
        for asset in assets:
            tokens = [self._token_of(name, pool, asset) for name in ("AToken", "StableDebtToken", "VariableDebtToken")]
            self.chain.send(ADMIN, configurator, signature, *tokens, asset.listing.decimals, rates)

    def _token_of(self, name: str, pool: Address, asset: Asset) -> Address:
        labels = (f"{name} {asset.listing.symbol}", f"{name} {asset.listing.symbol}")
        treasury = (TREASURY,) if name == "AToken" else ()
        return self.deploy(name, pool, asset.address, *treasury, *labels, ZERO)

    def make_data_provider(self, provider: Address) -> Address:
        return self.deploy("AaveProtocolDataProvider", provider)

    def reserve_setup(self, asset: Asset) -> list[bytes]:
        listing, address = asset.listing, asset.address
        calls = [
            calldata("enableBorrowingOnReserve(address,bool)", address, listing.stable_rate),
            calldata("setReserveFactor(address,uint256)", address, 1500),
        ]
        if listing.threshold:
            risk = (listing.ltv, listing.threshold, listing.bonus)
            calls.append(calldata("configureReserveAsCollateral(address,uint256,uint256,uint256)", address, *risk))
        return calls

    def category_setup(self, category: Category, addresses: dict[str, Address]) -> list[bytes]:
        raise NotImplementedError("v2 has no e-modes")


class AaveV2World(AaveWorld):
    """Prices have 18 decimals of one ether; that of WETH is 1 and cannot be moved."""

    name = "aave_v2"
    deployment = AaveV2Deployment
    supply_verb = "deposit"
    sources_slot = 1  # behind its owner

    def set_prices(self, answers: Mapping[str, int]) -> None:
        super().set_prices({symbol: answer for symbol, answer in answers.items() if symbol != "WETH"})

    def pause_all(self, paused: bool = True) -> None:
        """The pool as a whole: v2 cannot pause one reserve."""
        self._configure("setPoolPause(bool)", paused)

    def freeze(self, symbol: str, frozen: bool = True) -> None:
        self._configure(f"{'' if frozen else 'un'}freezeReserve(address)", self.tokens[symbol].address)

    def rewrite(self, symbol: str, change: Callable[[int], int]) -> None:
        """Change a reserve's configuration word past the checks of the configurator, which forbid it with suppliers."""
        asset = self.tokens[symbol].address
        [[word]] = self.chain.view(self.pool, "getConfiguration(address)((uint256))", asset)
        changed = change(word)
        self.chain.send(self.market.configurator, self.pool, "setConfiguration(address,uint256)", asset, changed)

    def set_pool(self, address: Address) -> None:
        """Whom the provider names as its pool, beside the one that we use."""
        self.chain.send(ADMIN, self.provider, "setAddress(bytes32,address)", b"LENDING_POOL".ljust(32, b"\0"), address)

    def set_source(self, symbol: str, source: Address) -> None:
        """Whom the oracle asks; the zero address makes it ask the fallback oracle."""
        assets, sources = [self.tokens[symbol].address], [source]
        self.chain.send(ADMIN, self.oracle, "setAssetSources(address[],address[])", assets, sources)

    def set_fallback_price(self, symbol: str, price: int) -> Address:
        """What the fallback oracle says, and who that is."""
        fallback: Any
        [fallback] = self.chain.view(self.oracle, "getFallbackOracle()(address)")
        self.chain.send(ADMIN, fallback, "setAssetPrice(address,uint256)", self.tokens[symbol].address, price)
        return str(fallback)


def _rates() -> tuple[int, ...]:
    """Optimal usage, base, two variable and two stable slopes."""
    return tuple(percent * _PERCENT for percent in (80, 0, 4, 60, 2, 60))
