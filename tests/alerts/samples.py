"""A small world to alert about: two wallets, one market, WETH against USDC, with the prices and feeds under them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from watcher.alerts.sighting import View
from watcher.domain.health import Health
from watcher.domain.position import (
    Asset,
    Because,
    Check,
    Leg,
    Numeraire,
    Position,
    PositionId,
    State,
    Unreadable,
)
from watcher.domain.price import Expression, FeedReading, Leaf, Price
from watcher.domain.source import Address, Block, Holder

NOW = 1_700_000_000
MAIN = Address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
COLD = Address("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
WETH = Asset(address=Address("0x" + "0e" * 20), symbol="WETH", decimals=18)
USDC = Asset(address=Address("0x" + "0c" * 20), symbol="USDC", decimals=6)
ETH_FEED, USD_FEED = Address("0x" + "fe" * 20), Address("0x" + "fd" * 20)
DEPLOYMENT = "aave_v3_ethereum"
USD = Numeraire(symbol="USD", decimals=8)
BLOCK = Block(chain="ethereum", number=21_034_551, hash="0x01", timestamp=NOW - 12)


def reading(
    feed: Address = ETH_FEED,
    pair: str = "ETH / USD",
    answer: int = 2000_00000000,
    age: int = 300,
    heartbeat: int | None = 3600,
) -> FeedReading:
    return FeedReading(
        feed=feed, pair=pair, answer=answer, decimals=8, updated_at=BLOCK.timestamp - age, heartbeat=heartbeat
    )


ETH_USD = reading()
USDC_USD = reading(USD_FEED, "USDC / USD", 1_00000000, 40_000, 86_400)


def position(
    health: str | None,
    *,
    wallet: Address = MAIN,
    feeds: tuple[FeedReading | Expression, FeedReading | Expression] = (ETH_USD, USDC_USD),
    deployment: str = DEPLOYMENT,
    market: str = "Aave v3 Ethereum",
    block: Block = BLOCK,
    inclusive: bool = False,
) -> Position:
    """10 WETH at 80 % against as many USDC as make this health. None: nothing is owed."""
    backing = 10**18 if health is None else int(Decimal(health) * 10**18)
    required = 0 if health is None else 10**18
    debt = 0 if health is None else int(Decimal(16_000_000_000) / Decimal(health))
    prices = [Price.of(one if isinstance(one, Expression) else Leaf(one)) for one in feeds]
    legs = [Leg(asset=WETH, amount=10 * 10**18, price=prices[0], backing=Fraction(4, 5), priced_as=WETH.address)]
    if debt:
        legs.append(
            Leg(asset=USDC, amount=-debt, price=prices[1], required=Fraction(1), priced_as=USDC.address),
        )
    found = Health(backing=backing, required=required, inclusive=inclusive)
    state = State.LIQUIDATABLE if found.liquidatable else State.HEALTHY if required else State.NO_DEBT
    return Position(
        id=PositionId(deployment=deployment, wallet=wallet, account=wallet),
        holder=Holder.of(wallet),
        at=block,
        market=market,
        state=state,
        health=found,
        legs=tuple(legs),
        collateral=20_000_00000000,
        debt=debt * 100,
        numeraire=USD,
        check=Check.VERIFIED,
    )


def unreadable(
    wallet: Address = MAIN, reason: str = "getUserAccountData on 0xAb reverted without a reason"
) -> Unreadable:
    return Unreadable(
        id=PositionId(deployment=DEPLOYMENT, wallet=wallet, account=wallet),
        holder=Holder.of(wallet),
        at=BLOCK,
        market="Aave v3 Ethereum",
        because=Because.REVERTED,
        reason=reason,
    )


def view(
    *positions: Position,
    lost: tuple[Unreadable, ...] = (),
    covered: tuple[Address, ...] | None = None,
    block: Block = BLOCK,
) -> View:
    """A snapshot; by default it covers the wallets whose positions are in it."""
    wallets = covered if covered is not None else tuple(one.id.wallet for one in positions)
    pairs = {(DEPLOYMENT, wallet) for wallet in wallets}
    return View(block=block, positions=positions, unreadable=lost, covered=frozenset(pairs))


def later(block: Block, blocks: int = 1) -> Block:
    return replace(block, number=block.number + blocks, timestamp=block.timestamp + 12 * blocks)
