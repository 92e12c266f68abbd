"""What is compiled from npm sources, as its packages carry no bytecode: Aave v3.6 and Morpho Blue."""

from functools import lru_cache

from .artifacts import Artifact
from .compiler import Job
from .node import package_file

_AAVE = "@aave-dao/aave-v3-origin"
_AAVE_SOURCES = {
    "protocol/configuration": ("PoolAddressesProvider", "ACLManager"),
    "protocol/libraries/logic": (
        *("BorrowLogic", "ConfiguratorLogic", "FlashLoanLogic", "LiquidationLogic", "PoolLogic", "SupplyLogic"),
    ),
    "protocol/libraries/helpers": ("Errors",),
    "instances": ("PoolInstance", "PoolConfiguratorInstance", "ATokenInstance", "VariableDebtTokenInstance"),
    "misc": ("AaveOracle", "DefaultReserveInterestRateStrategyV2"),
    "helpers": ("AaveProtocolDataProvider",),
}
_MORPHO = "@morpho-org/morpho-blue"
_MORPHO_SOURCES = ("Morpho", "mocks/OracleMock", "mocks/ERC20Mock")


@lru_cache(maxsize=1)
def aave_v36() -> dict[str, Artifact]:
    """All contracts of a v3.6 market by name. The first call on a machine takes the compiler about twenty seconds."""
    paths = [f"src/contracts/{folder}/{name}.sol" for folder, names in _AAVE_SOURCES.items() for name in names]
    return Job(
        name="aave_v36",
        sources={f"{_AAVE}/{path}": package_file(_AAVE, path) for path in paths},
        packages=(_AAVE, "@openzeppelin/contracts"),
        remapped={"openzeppelin-contracts/contracts/": "@openzeppelin/contracts/"},
    ).artifacts()


@lru_cache(maxsize=1)
def morpho() -> dict[str, Artifact]:
    """Morpho Blue and its mocks of tokens and oracles, with the compiler version that its source demands."""
    paths = [f"src/{name}.sol" for name in _MORPHO_SOURCES]
    return Job(
        name="morpho",
        sources={f"{_MORPHO}/{path}": package_file(_MORPHO, path) for path in paths},
        compiler="solc-0.8.19",
        evm="paris",
        packages=(_MORPHO,),
        through_ir=True,
    ).artifacts()
