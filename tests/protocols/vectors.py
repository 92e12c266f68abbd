"""Recorded single positions (`tests/vectors/*.json`) as cases."""

from __future__ import annotations

from typing import Any

from tests.protocols.aave import Case
from watcher.domain.health import Health
from watcher.domain.position import Asset, Numeraire, Verdict
from watcher.domain.price import Opaque, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.aave.state import Account, EMode, Holding, Market, Reserve
from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.aave_v3.variants import variants_of
from watcher.protocols.reader import Place


def case_of(vector: dict[str, Any], revision: int) -> Case:
    """The position of a vector as a case, with the contract's own answer as its verdict."""
    holder = Holder.of(ZERO_ADDRESS)
    rows = vector["reserves"]
    mode = int(vector.get("userEMode", 0))
    expected = {key: int(value) for key, value in vector["expected"].items()}
    market = Market(
        at=Block(chain="vector", number=1, hash="0x", timestamp=int(vector["timestamp"])),
        revision=revision,
        variant=variants_of(revision)[0],
        numeraire=Numeraire(symbol="USD", decimals=8),
        reserves={Address(row["asset"]): _reserve(row) for row in rows},
        prices={Address(row["asset"]): Price.of(Opaque(ZERO_ADDRESS, int(row["price"]))) for row in rows},
        emodes={mode: _emode(vector)} if mode else {},
        sentinel_allows=True,
    )
    account = Account(
        holder=holder,
        emode=mode,
        holdings=tuple(
            Holding(
                asset=Address(row["asset"]),
                reserve=row["id"],
                collateral=row["flags"]["collateral"],
                borrowing=row["flags"]["borrowing"],
                scaled_supply=int(row["scaledA"]),
                scaled_debt=int(row["scaledV"]),
                stable_debt=int(row.get("stableDebt", 0)),
            )
            for row in rows
        ),
    )
    reader = AaveV3(place=Place(deployment="v", title="Vector", feeds={}), pool=ZERO_ADDRESS, provider=ZERO_ADDRESS)
    health = Health(backing=expected["healthFactor"], required=10**18)
    verdict = Verdict.valued(health, expected["totalCollateralBase"], expected["totalDebtBase"])
    return Case("vector", reader, market, account, verdict)


def _reserve(row: dict[str, Any]) -> Reserve:
    configuration = int(row["configuration"])
    return Reserve(
        id=row["id"],
        asset=Asset(address=Address(row["asset"]), symbol=f"R{row['id']}", decimals=configuration >> 48 & 0xFF),
        configuration=configuration,
        income=int(row["normalizedIncome"]),
        debt_index=int(row["normalizedDebt"]),
        supply_rate=0,
        borrow_rate=0,
        rate_model=ZERO_ADDRESS,
    )


def _emode(vector: dict[str, Any]) -> EMode:
    category = vector["eModeCategory"]
    return EMode(
        ltv=int(category.get("ltv", 0)),
        threshold=int(category["liquidationThreshold"]),
        collateral_bitmap=None,
        price_source=ZERO_ADDRESS,
        label="",
    )
