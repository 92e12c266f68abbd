"""The exact price at which the contract itself changes its mind about an account."""

from .aave import AaveWorld
from .chain import Address

_WAD = 10**18


def flip(world: AaveWorld, user: Address, symbol: str, low: int, high: int) -> tuple[int, int]:
    """Two neighbouring prices between `low` and `high`, liquidatable at one and not at the other, by bisection.

    Every probe is the next block, undone afterwards: `world.set_price` with either of them, as the next action, leads
    to exactly the state that was probed. Where health is not monotonous in the price (the floored average threshold
    up to v3.4) there may be other such pairs.
    """
    at_low, at_high = _liquidatable(world, user, symbol, low), _liquidatable(world, user, symbol, high)
    if at_low == at_high:
        raise ValueError(f"{user} is {'' if at_low else 'not '}liquidatable at {symbol} prices {low} and {high} alike")
    while high - low > 1:
        middle = (low + high) // 2
        if _liquidatable(world, user, symbol, middle) == at_low:
            low = middle
        else:
            high = middle
    return low, high


def _liquidatable(world: AaveWorld, user: Address, symbol: str, price: int) -> bool:
    with world.chain.undone():
        world.set_price(symbol, price)
        return world.account_data(user)[5] < _WAD
