"""VAI, which Venus's core pool lets users mint against the same collateral: a debt that is counted at one dollar.

Read beside `getVAIRepayAmount` and `getVAICalculateRepayAmount` of VenusProtocol/venus-protocol 10.3.0,
contracts/Tokens/VAI/VAIController.sol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from watcher.domain.source import Address
from watcher.protocols.compound_v2 import calls
from watcher.protocols.rounding import WAD, mul_div_down
from watcher.reads import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Vai:
    """What one user minted and has not paid back, in base units, `past` of it interest that was written down to him.

    `growth` is by how much the index has risen above the user's, as WAD.
    """

    minted: int
    past: int
    growth: int

    @property
    def owed(self) -> int:
        """`getVAIRepayAmount`: interest is due on what was minted alone."""
        return self.minted + self.interest

    @property
    def interest(self) -> int:
        return mul_div_down(self.growth, self.minted - self.past, WAD)

    def after_repay(self, amount: int) -> Vai:
        """`repayVAIFresh`: a part pays minted VAI, old and new interest alike; the new one is not written down."""
        if amount >= self.owed:
            return replace(self, minted=0, past=0)
        part = mul_div_down(amount, WAD, self.owed)
        burnt = mul_div_down(self.owed - (self.past + self.interest), part, WAD)
        past = mul_div_down(self.past, part, WAD)
        return replace(self, minted=self.minted - burnt - past, past=self.past - past)


def reads(comptroller: Address, controller: Address, user: Address) -> Sequence[Call[int]]:
    """What tells of a user's VAI, in the order that `vai_of` takes it."""
    return (
        calls.minted_vai(comptroller, user),
        calls.past_interest(controller, user),
        calls.vai_index(controller),
        calls.vai_index_of(controller, user),
    )


def vai_of(minted: int, past: int, index: int, own_index: int) -> Vai:
    return Vai(minted=minted, past=past, growth=index - own_index)
