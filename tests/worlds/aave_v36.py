"""Aave v3.6 (POOL_REVISION 10) compiled from the sources of `@aave-dao/aave-v3-origin` 3.6.0."""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_utils.crypto import keccak

from .aave import AaveWorld
from .abi import arguments, calldata
from .artifacts import Artifact
from .chain import ZERO, Address
from .compiled import aave_v36
from .deployment import ADMIN, TREASURY, Asset, Deployment
from .listings import ETH_CORRELATED, STABLECOINS, STAKED_FOR_DOLLARS, Category

# ConfiguratorInputTypes.InitReserveInput
_RESERVE = "(address,address,address,string,string,string,string,bytes,bytes)"
# IDefaultInterestRateStrategyV2.InterestRateData: optimal usage, base, two slopes, in basis points
_RATES = arguments(["(uint16,uint32,uint32,uint32)"], [(8000, 0, 400, 6000)])

_AS_COLLATERAL = "setAssetCollateralInEMode(address,uint8,bool)"
_AS_DEBT = "setAssetBorrowableInEMode(address,uint8,bool)"


class AaveV36Deployment(Deployment):
    categories = (ETH_CORRELATED, STABLECOINS, STAKED_FOR_DOLLARS)

    def artifact(self, name: str) -> Artifact:
        return aave_v36()[name]

    def implementations(self, provider: Address) -> tuple[Address, Address]:
        rates = self.deploy("DefaultReserveInterestRateStrategyV2", provider)
        return self.deploy("PoolInstance", provider, rates), self.deploy("PoolConfiguratorInstance")

    def list_reserves(self, provider: Address, pool: Address, configurator: Address, assets: Sequence[Asset]) -> None:
        a_token = self.deploy("ATokenInstance", pool, ZERO, TREASURY)
        variable_debt = self.deploy("VariableDebtTokenInstance", pool, ZERO)
        inputs = [_reserve(asset, a_token, variable_debt) for asset in assets]
        self.chain.send(ADMIN, configurator, f"initReserves({_RESERVE}[])", inputs)

    def category_setup(self, category: Category, addresses: dict[str, Address]) -> list[bytes]:
        number = category.number
        risk = (category.ltv, category.threshold, category.bonus)
        return [
            calldata("setEModeCategory(uint8,uint16,uint16,uint16,string)", number, *risk, category.label),
            *(calldata(_AS_COLLATERAL, addresses[symbol], number, True) for symbol in category.collateral),
            *(calldata(_AS_DEBT, addresses[symbol], number, True) for symbol in category.borrowable),
        ]


class AaveV36World(AaveWorld):
    name = "aave_v36"
    deployment = AaveV36Deployment

    @classmethod
    def error_names(cls) -> dict[bytes, str]:
        errors = [entry for entry in aave_v36()["Errors"].abi if entry["type"] == "error"]
        return {keccak(text=_signature(error))[:4]: error["name"] for error in errors}

    def set_emode_collateral(self, symbol: str, category: int, allowed: bool) -> None:
        """Put a reserve into a category's collateral bitmap, or take it out: no user event tells of it."""
        self._configure(_AS_COLLATERAL, self.tokens[symbol].address, category, allowed)

    def set_emode_borrowable(self, symbol: str, category: int, allowed: bool) -> None:
        self._configure(_AS_DEBT, self.tokens[symbol].address, category, allowed)

    def set_emode_ltvzero(self, symbol: str, category: int, ltvzero: bool) -> None:
        """Set the LTV of a category's collateral to zero: its threshold stays."""
        self._configure("setAssetLtvzeroInEMode(address,uint8,bool)", self.tokens[symbol].address, category, ltvzero)

    def unpause_with_grace(self, symbol: str, seconds: int) -> None:
        """Unpause a reserve; liquidations with it stay forbidden for so long (`getLiquidationGracePeriod`)."""
        self._configure("setReservePause(address,bool,uint40)", self.tokens[symbol].address, False, seconds)


def _reserve(asset: Asset, a_token: Address, variable_debt: Address) -> tuple[object, ...]:
    symbol = asset.listing.symbol
    labels = (f"Aave {symbol}", f"a{symbol}", f"Aave variable debt {symbol}", f"variableDebt{symbol}")
    return (a_token, variable_debt, asset.address, *labels, b"", _RATES)


def _signature(error: Mapping[str, Any]) -> str:
    return f"{error['name']}({','.join(field['type'] for field in error['inputs'])})"
