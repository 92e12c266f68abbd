"""What the test markets list, at prices and with risk parameters of the size that mainnet uses."""

from dataclasses import dataclass

PRICE_DECIMALS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One reserve. Basis points throughout; `price` has 8 decimals of a dollar. No threshold: not collateral."""

    symbol: str
    decimals: int
    price: int
    ltv: int = 0
    threshold: int = 0
    bonus: int = 0
    stable_rate: bool = False  # v3.0 only: may be borrowed at a stable rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One efficiency mode. Before v3.2 an asset is in one category at most, as collateral and as debt alike."""

    number: int
    label: str
    ltv: int
    threshold: int
    bonus: int
    collateral: tuple[str, ...]
    borrowable: tuple[str, ...]


LISTINGS = (
    Listing(symbol="WETH", decimals=18, price=3_512_40880000, ltv=8000, threshold=8250, bonus=10500),
    Listing(symbol="wstETH", decimals=18, price=4_189_77014233, ltv=7850, threshold=8100, bonus=10600),
    Listing(symbol="USDC", decimals=6, price=99987100, ltv=7500, threshold=7800, bonus=10450),
    Listing(symbol="WBTC", decimals=8, price=96_512_34000000, ltv=7300, threshold=7800, bonus=10500),
    Listing(symbol="DAI", decimals=18, price=1_00012345, ltv=6300, threshold=7700, bonus=10500, stable_rate=True),
    Listing(symbol="USDT", decimals=6, price=1_00003000),  # borrowable, collateral only where an e-mode says so
)

ETH_CORRELATED = Category(
    number=1,
    label="ETH correlated",
    ltv=9000,
    threshold=9300,
    bonus=10100,
    collateral=("WETH", "wstETH"),
    borrowable=("WETH", "wstETH"),
)
STABLECOINS = Category(
    number=2,
    label="Stablecoins",
    ltv=9300,
    threshold=9500,
    bonus=10100,
    collateral=("USDC", "DAI", "USDT"),
    borrowable=("USDC", "DAI", "USDT"),
)
STAKED_FOR_DOLLARS = Category(  # the same asset in a second category: only the liquid e-modes allow it
    number=3,
    label="wstETH for dollars",
    ltv=8200,
    threshold=8450,
    bonus=10400,
    collateral=("wstETH",),
    borrowable=("USDC", "USDT"),
)
