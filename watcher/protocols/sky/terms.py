"""What is laid down for a kind of vaults, in words."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.domain.position import Term
from watcher.protocols.figures import SECONDS_A_YEAR, amount, percent
from watcher.protocols.rounding import RAY, WAD, pow_half_up
from watcher.protocols.sky.maths import RAD, Ilk, Market, dripped


def terms_of(market: Market, ilk: Ilk) -> Iterator[Term]:
    """Rules first, then the figure that moves by itself."""
    fee = max(pow_half_up(ilk.fee, SECONDS_A_YEAR, RAY) - RAY, 0)
    yield Term(what="liquidation ratio", of=ilk.name, value=percent(ilk.mat, RAY))
    yield Term(what="liquidation penalty", of=ilk.name, value=percent(max(ilk.chop - WAD, 0)))
    yield Term(what="stability fee", of=ilk.name, value=f"{percent(fee, RAY)} a year")
    yield Term(what="minimum debt", of=ilk.name, value=amount(ilk.dust // RAY, 18))
    yield Term(what="debt ceiling", of=ilk.name, value=amount(ilk.line // RAY, 18))
    yield Term(what="most in auction", of=ilk.name, value=amount(ilk.hole // RAY, 18))
    yield Term(what="price source", of=ilk.name, value=ilk.pip.source)
    yield Term(what="target price", of=ilk.debt.symbol, value=amount(market.par, 27))
    stopped = ilk.clip_stopped or not market.dog_live
    yield Term(what="liquidations", of=ilk.name, value="stopped" if stopped else "open")
    owed = ilk.all_art * dripped(market, ilk)
    yield Term(what="debt of all", of=ilk.name, value=amount(owed // RAD, 0), set_by_rule=False)
