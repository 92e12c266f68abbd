"""Printed remedies, done on the chain, and what they leave."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from tests.worlds.aave import AaveWorld
from watcher.domain.position import Check, Position, Repay
from watcher.domain.source import Address
from watcher.protocols.aave.state import Account
from watcher.risk.restore import Remedy
from watcher.snapshot import Held

Shares = Mapping[Address, tuple[int, int, int]]


def shares(account: Account) -> Shares:
    """Scaled supply, scaled debt and stable debt by asset, without what is nothing."""
    all_of_it = {h.asset: (h.scaled_supply, h.scaled_debt, h.stable_debt) for h in account.holdings}
    return {asset: amounts for asset, amounts in all_of_it.items() if any(amounts)}


def take_action(world: AaveWorld, wallet: str, remedy: Remedy) -> None:
    """What is printed, with no rounding of ours, in the very next block."""
    act = world.repay if isinstance(remedy.action, Repay) else world.supply
    act(wallet, remedy.asset.symbol, remedy.action.amount)


def assert_as_foretold(forecast: Held, remedy: Remedy, came: Held, target: Decimal) -> None:
    where = (forecast.position.id, remedy)
    assert came.position.at.timestamp == forecast.position.at.timestamp
    account = forecast.reader.after(forecast.market, forecast.account, remedy.action)
    assert isinstance(account, Account)
    assert shares(came.account) == shares(account), where
    foretold = forecast.after(remedy.action)
    assert isinstance(foretold, Position)
    assert came.position.check is Check.VERIFIED
    assert came.position.health == foretold.health, where
    assert came.position.health.factor == remedy.health
    assert (came.position.health.factor >= target) == remedy.enough
