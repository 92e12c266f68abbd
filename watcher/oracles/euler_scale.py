"""How Euler's oracles scale amounts, and what they refuse in: what its router and all its adapters share.

Source: euler-xyz/euler-price-oracle @ 18a3e34d, src/lib/ScaleUtils.sol, src/lib/Errors.sol and BaseAdapter.sol.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from eth_utils.crypto import keccak

from watcher.domain.errors import CallReverted, ReadFailed
from watcher.domain.price import Expression, Fixed, Opaque, Product, Rate, value_of
from watcher.domain.source import Address
from watcher.oracles.round import decimals_of
from watcher.reads import Call
from watcher.reads.call import Answers

Amount: TypeAlias = Expression | int
"""What an oracle is asked the worth of: so many of the token's smallest units, or what an oracle before it made."""

_RESERVED: Final = 0xFFFFFFFF
"""Addresses up to here are no contracts but currencies by their ISO 4217 number, of 18 decimals."""
_USUAL: Final = 18


class Unpriced(ReadFailed):
    """An oracle that gives no price now, and why: nobody can borrow, withdraw or liquidate by it until it does."""


def asked_decimals(token: Address) -> list[Call[int]]:
    """What has to be asked to know a token's decimals."""
    return [] if int(token, 16) <= _RESERVED else [decimals_of(token)]


def decimals_in(got: Answers, token: Address) -> int:
    """A token's decimals as `BaseAdapter._getDecimals` has them: 18 for whatever does not tell."""
    found = [got.outcome(call) for call in asked_decimals(token)]
    return next((told for told in found if not isinstance(told, ReadFailed)), _USUAL)


def worth(amount: Amount, price: Expression, exponents: tuple[int, int], source: Address, what: str) -> Expression:
    """`calcOutAmount` of a pair asked forwards: amount × price × 10^first ÷ 10^second."""
    times, over = _powers(exponents)
    if isinstance(amount, int):
        return Product(above=(price,), times=amount * times, over=over, source=source, what=what)
    return Product(above=(amount, price), times=times, over=over, source=source, what=what)


def worth_inverse(
    amount: Amount, price: Expression, exponents: tuple[int, int], source: Address, what: str
) -> Expression:
    """`calcOutAmount` of a pair asked backwards: amount × 10^second ÷ (10^first × price)."""
    over, times = _powers(exponents)
    if isinstance(amount, int):
        return Product(above=(), below=(price,), times=amount * times, over=over, source=source, what=what)
    return Product(above=(amount,), below=(price,), times=times, over=over, source=source, what=what)


def converted(amount: Amount, answer: Rate | Opaque) -> Expression:
    """What a contract makes of an amount by itself: its answer for that very amount.

    Exact for the amount as it is. For one that moves, in proportion: off by the contract's own rounding.
    """
    if isinstance(amount, int):
        return answer
    return Product(above=(amount, answer), over=value_of(amount), source=answer.source)


def plain(amount: Amount) -> Expression:
    """An amount of the very thing that it is to be worth in."""
    return Fixed(amount, "the unit of account itself") if isinstance(amount, int) else amount


def number(amount: Amount) -> int:
    return amount if isinstance(amount, int) else value_of(amount)


def _powers(exponents: tuple[int, int]) -> tuple[int, int]:
    """Ten to each; below zero it counts for the other, as `PythOracle` has it."""
    first, second = exponents
    return 10 ** (first + max(0, -second)), 10 ** max(0, second)


def _selector(error: str) -> bytes:
    return keccak(error.encode())[:4]


_ERRORS: Final = {
    _selector("PriceOracle_InvalidAnswer()"): "what it is answered is no price, or too old or too unsure",
    _selector("PriceOracle_InvalidConfiguration()"): "it is not set up as it has to be",
    _selector("PriceOracle_NotSupported(address,address)"): "it does not price this pair",
    _selector("PriceOracle_Overflow()"): "the amount is beyond what it can compute with",
}
_TOO_STALE: Final = _selector("PriceOracle_TooStale(uint256,uint256)")


def refusal(oracle: str, problem: CallReverted) -> Unpriced:
    """The oracle's own refusal in words."""
    selector, rest = problem.data[:4], problem.data[4:]
    if selector == _TOO_STALE and len(rest) >= 64:
        age, most = (int.from_bytes(rest[at : at + 32], "big") for at in (0, 32))
        return too_stale(oracle, age, most)
    return Unpriced(f"{oracle} gives no price: {_ERRORS.get(selector, problem)}")


def too_stale(oracle: str, age: int, most: int) -> Unpriced:
    """`PriceOracle_TooStale` in words."""
    return Unpriced(f"{oracle} gives no price: what it has is {age:,} s old, and it takes at most {most:,} s")
