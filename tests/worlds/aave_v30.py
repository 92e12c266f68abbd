"""Aave v3.0.2 (POOL_REVISION 1) from the compiled artifacts of `@aave/core-v3` 1.19.3."""

from collections.abc import Sequence

from .aave import AaveWorld
from .abi import calldata
from .artifacts import Artifact, aave_core
from .chain import ZERO, Address
from .deployment import ADMIN, TREASURY, Asset, Deployment, Feed, deploy_feed
from .listings import ETH_CORRELATED, STABLECOINS, Category

_RAY = 10**27
_PERCENT = _RAY // 100

_SOURCES = {
    "protocol/configuration": ("PoolAddressesProvider", "ACLManager"),
    "protocol/pool": ("Pool", "PoolConfigurator", "DefaultReserveInterestRateStrategy"),
    "protocol/tokenization": ("AToken", "StableDebtToken", "VariableDebtToken"),
    "protocol/libraries/logic": (
        *("BorrowLogic", "BridgeLogic", "ConfiguratorLogic", "EModeLogic", "FlashLoanLogic", "LiquidationLogic"),
        *("PoolLogic", "SupplyLogic"),
    ),
    "misc": ("AaveOracle", "AaveProtocolDataProvider"),
}
_PATHS = {name: f"{folder}/{name}" for folder, names in _SOURCES.items() for name in names}

# ConfiguratorInputTypes.InitReserveInput
_RESERVE = (
    "(address,address,address,uint8,address,address,address,address,string,string,string,string,string,string,bytes)"
)
_CATEGORY = "setEModeCategory(uint8,uint16,uint16,uint16,address,string)"


class AaveV30Deployment(Deployment):
    categories = (ETH_CORRELATED, STABLECOINS)

    def artifact(self, name: str) -> Artifact:
        return aave_core(_PATHS[name])

    def implementations(self, provider: Address) -> tuple[Address, Address]:
        return self.deploy("Pool", provider), self.deploy("PoolConfigurator")

    def list_reserves(self, provider: Address, pool: Address, configurator: Address, assets: Sequence[Asset]) -> None:
        tokens = [self.deploy(name, pool) for name in ("AToken", "StableDebtToken", "VariableDebtToken")]
        rates = self.deploy("DefaultReserveInterestRateStrategy", provider, *_rates())
        inputs = [_reserve(asset, tokens, rates) for asset in assets]
        self.chain.send(ADMIN, configurator, f"initReserves({_RESERVE}[])", inputs)

    def reserve_setup(self, asset: Asset) -> list[bytes]:
        calls = super().reserve_setup(asset)
        if asset.listing.stable_rate:
            calls.append(calldata("setReserveStableRateBorrowing(address,bool)", asset.address, True))
        return calls

    def category_setup(self, category: Category, addresses: dict[str, Address]) -> list[bytes]:
        membership = "setAssetEModeCategory(address,uint8)"
        return [
            category_call(category, price_source=ZERO),
            *(calldata(membership, addresses[symbol], category.number) for symbol in category.collateral),
        ]


class AaveV30World(AaveWorld):
    name = "aave_v30"
    deployment = AaveV30Deployment

    def set_emode_price_source(self, category: int, answer: int) -> Feed:
        """Give a category one price for all its assets, from a feed of its own.

        The category's `priceSource` is not a feed but a key: `EModeLogic.getEModeConfiguration` asks the AaveOracle
        for the price of an asset with that address. The feed's address serves as the key.
        """
        feed = deploy_feed(self.chain, answer)
        self.chain.send(ADMIN, self.oracle, "setAssetSources(address[],address[])", [feed.proxy], [feed.proxy])
        self.chain.send_all([self._configuring(category_call(self.categories[category], price_source=feed.proxy))])
        return feed


def category_call(category: Category, *, price_source: Address) -> bytes:
    risk = (category.ltv, category.threshold, category.bonus)
    return calldata(_CATEGORY, category.number, *risk, price_source, category.label)


def _rates() -> tuple[int, ...]:
    """Optimal usage, base, two variable and two stable slopes, two stable offsets, optimal stable share."""
    return tuple(percent * _PERCENT for percent in (80, 0, 4, 60, 2, 60, 2, 5, 20))


def _reserve(asset: Asset, tokens: Sequence[Address], rates: Address) -> tuple[object, ...]:
    symbol = asset.listing.symbol
    labels = [
        name
        for kind in ("", "variableDebt", "stableDebt")
        for name in (f"Aave {kind} {symbol}", f"{kind or 'a'}{symbol}")
    ]
    return (*tokens, asset.listing.decimals, rates, asset.address, TREASURY, ZERO, *labels, b"")
