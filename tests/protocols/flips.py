"""Every lever of many accounts, put to the contract: it liquidates at the printed price, not a unit nearer to now."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocols.what_if import as_if, health_if
from tests.protocols.worlds import look
from tests.worlds.aave import AaveWorld
from watcher.domain.position import State
from watcher.risk.liquidation import Lever, LiquidationPrice, levers, liquidation_price
from watcher.snapshot import Held, Snapshot

WAD = 10**18
PROBED = 40


def probed(snapshot: Snapshot, accounts: int = PROBED) -> list[Held]:
    """Accounts with a debt and above one, spread over those with the most reserves first, for their levers."""
    healthy = [held for held in snapshot.held if held.position.state is State.HEALTHY]
    healthy.sort(key=lambda held: -len(held.position.legs))
    return healthy[:: max(1, len(healthy) // accounts)][:accounts]


def between(price: LiquidationPrice) -> list[int]:
    """Values on the way from now to the printed one, the last ten before it among them."""
    span = price.lever.current - price.value
    near = [price.value + (1 if span > 0 else -1) * step for step in range(1, min(10, abs(span)))]
    return near + [price.value + span * part // 17 for part in range(1, 17) if abs(span) > 17]


def every_lever(snapshot: Snapshot, accounts: int) -> Iterator[tuple[Held, Lever]]:
    for held in probed(snapshot, accounts):
        for lever in levers(held.position):
            yield held, lever


async def put_to_the_contract(world: AaveWorld, accounts: int = PROBED) -> tuple[list[LiquidationPrice], int]:
    """Every lever of the probed accounts. Returns the prices that stood, and how many levers have none."""
    snapshot = await look(world, world.accounts)
    stood, without = [], 0
    for held, lever in every_lever(snapshot, accounts):
        position, price = held.position, liquidation_price(held.position, lever, held.reprice)

        def contract(*values: int, wallet: str = position.id.wallet, moved: Lever = lever) -> list[int]:
            states = [as_if(world, moved, value) for value in values]
            return health_if(world, wallet, snapshot.block.hash, states)

        assert contract(lever.current) == [position.health.backing]  # the what-if itself changes nothing
        if price is None:
            without += 1
            assert min(contract(1, lever.current // 1000, lever.current * 1000, 10**30)) >= WAD, (position.id, lever)
            continue
        nearer = price.value + (1 if price.value < lever.current else -1)
        there, before, *on_the_way = contract(price.value, nearer, *between(price))
        assert there < WAD <= before, (position.id, lever, price.value)
        assert min(on_the_way, default=WAD) >= WAD, (position.id, lever, price.value)
        stood.append(price)
    return stood, without
