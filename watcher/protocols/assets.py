"""Tokens as their contracts describe themselves."""

from __future__ import annotations

from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Asset
from watcher.domain.source import Address
from watcher.reads import Memo, Plan, lasting
from watcher.reads.abi import interface

REMEMBERED: Final = 86_400
"""Seconds for which a token's description is believed: some can change their symbol, none its decimals."""

_symbol_of = interface("erc20").function("symbol", str)
_decimals_of = interface("erc20").function("decimals", int)


def asset_of(token: Address) -> Plan[Asset]:
    """The token; one without a symbol in words is called by its address. Raises `ReadFailed` without decimals."""
    return (yield from lasting(Memo("asset", token), lambda: _described(token), lasts=REMEMBERED))


def _described(token: Address) -> Plan[Asset]:
    symbol, decimals = _symbol_of(token), _decimals_of(token)
    got = yield [symbol, decimals]
    said = got.outcome(symbol)
    name = f"{token[:6]}…{token[-4:]}" if isinstance(said, ReadFailed) else said
    return Asset(address=token, symbol=name, decimals=got[decimals])
