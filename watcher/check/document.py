"""The report as one JSON document. Its shape is described in docs/json.md, and changes only with `FORMAT`.

Amounts, values, prices and health are strings of whole numbers, because they may exceed 2**53; block numbers, times,
ages and decimals are numbers. Addresses are checksummed. Symbols and labels are what contracts and users wrote.
"""

from __future__ import annotations

from typing import Any

from watcher.check.look import ChainReport, Finding, Report
from watcher.check.prices import decimal, feed_of, price_of
from watcher.config import Wallet
from watcher.domain.doubt import Doubt
from watcher.domain.health import INFINITE
from watcher.domain.position import Asset, Leg, Numeraire, Position, PositionId, Scenario, Term, Unreadable
from watcher.domain.searched import Unsearched
from watcher.domain.source import Block
from watcher.risk.healths import Healths
from watcher.risk.liquidation import LiquidationPrice

FORMAT = 1

_DISTANCE_PLACES = 9


def as_document(report: Report, version: str) -> dict[str, Any]:
    """The whole report, ready for `json.dumps`."""
    chains = {chain.spec.name: chain for chain in report.chains}
    return {
        "format": FORMAT,
        "version": version,
        **beginning(report),
        "exit_code": report.exit_code,
        "positions": [_position(one, chains[one.position.at.chain]) for one in report.findings],
        **endings(report),
    }


def beginning(report: Report) -> dict[str, Any]:
    """When it was read, and from what chains."""
    return {
        "checked_at": report.checked_at,
        "chains": [_chain(chain, report.checked_at) for chain in report.chains],
    }


def endings(report: Report) -> dict[str, Any]:
    """What could not be read, and where nothing was found."""
    wallets = {wallet.address: wallet for wallet in report.wallets}
    return {
        "unreadable": [
            _unreadable(one, wallets[one.id.wallet], chain.spec.name)
            for chain in report.chains
            for one in chain.unreadable
        ],
        "unsearched": [
            _unsearched(one, wallets[one.wallet], chain.spec.name)
            for chain in report.chains
            for one in chain.unsearched
        ],
        "without_position": [_wallet(wallet) for wallet in report.idle],
        "not_known": [_wallet(wallet) for wallet in report.not_known],
    }


def _chain(chain: ChainReport, now: int) -> dict[str, Any]:
    return {
        "name": chain.spec.name,
        "title": chain.spec.title,
        "id": chain.spec.id,
        "readable": not chain.problem,
        "problem": chain.problem or None,
        "endpoint": chain.endpoint or None,
        "block": None if chain.block is None else {**_block(chain.block), "age": chain.block.age(now)},
        "max_age": chain.spec.max_age,
    }


def _position(finding: Finding, chain: ChainReport) -> dict[str, Any]:
    position, health = finding.position, finding.position.health
    return {
        **_place(position.id, finding.wallet, chain.spec.name, position.market),
        "level": finding.level.name.lower(),
        "state": position.state,
        "check": position.check,
        "current": not chain.problem,
        "health": {
            "backing": str(health.backing),
            "required": str(health.required),
            "factor": str(health.factor),
            "inclusive": health.inclusive,
            "liquidatable": health.liquidatable,
        },
        "numeraire": _numeraire(position.numeraire),
        "collateral": str(position.collateral),
        "debt": str(position.debt),
        "legs": [_leg(leg, position.at.timestamp) for leg in position.legs],
        "freshness": position.freshness,
        "doubts": [_doubt(one) for one in finding.trust.doubts],
        "healths": None if finding.trust.healths is None else _healths(finding.trust.healths),
        "feeds": [feed_of(reading, position.at.timestamp) for reading in position.feeds],
        "liquidations": [_liquidation(price, position) for price in finding.liquidations],
        "liquidations_unknown": finding.unsure or None,
        "notes": list(position.notes),
        "terms": [_term(term) for term in position.terms],
        "scenarios": [_scenario(one) for one in position.scenarios],
        "block": _block(position.at),
        "endpoint": chain.endpoint,
    }


def _doubt(one: Doubt) -> dict[str, Any]:
    return {"check": one.suspicion.value, "source": one.source, "of": one.name, "said": one.said}


def _healths(found: Healths) -> dict[str, Any]:
    return {
        "now": str(found.now),
        "second_source": None if found.second is None else str(found.second),
        "edge": None if found.edge is None else str(found.edge),
    }


def place_of(finding: Finding) -> dict[str, Any]:
    """Which position it is."""
    where = finding.position
    return _place(where.id, finding.wallet, where.at.chain, where.market)


def _unreadable(one: Unreadable, wallet: Wallet, chain: str) -> dict[str, Any]:
    return {
        **_place(one.id, wallet, chain, one.market),
        "because": one.because,
        "reason": one.reason,
        "block": None if one.at is None else _block(one.at),
    }


def _unsearched(one: Unsearched, wallet: Wallet, chain: str) -> dict[str, Any]:
    return {
        "wallet": _wallet(wallet),
        "account": one.account,
        "chain": chain,
        "deployment": one.deployment,
        "market": one.market,
        "blocks": one.blocks,
        "ranges": [list(each) for each in one.ranges],
        "problem": one.problem or None,
    }


def _place(where: PositionId, wallet: Wallet, chain: str, market: str) -> dict[str, Any]:
    return {
        "id": str(where),
        "wallet": _wallet(wallet),
        "account": where.account,
        "key": where.key,
        "chain": chain,
        "deployment": where.deployment,
        "market": market,
    }


def _term(term: Term) -> dict[str, Any]:
    return {"what": term.what, "of": term.of, "value": term.value, "set_by_rule": term.set_by_rule}


def _scenario(one: Scenario) -> dict[str, Any]:
    factor = one.health.factor
    health = None if factor == INFINITE else str(factor)
    return {"what": one.what, "health": health, "liquidatable": one.health.liquidatable, "at": one.at}


def _wallet(wallet: Wallet) -> dict[str, Any]:
    return {"address": wallet.address, "label": wallet.label}


def _block(block: Block) -> dict[str, Any]:
    return {"number": block.number, "hash": block.hash, "timestamp": block.timestamp}


def _leg(leg: Leg, now: int) -> dict[str, Any]:
    return {
        "asset": _asset(leg.asset),
        "amount": str(leg.amount),
        "price": price_of(leg.price, now),
        "priced_as": leg.priced_as,
        "backing": decimal(leg.backing),
        "required": decimal(leg.required),
    }


def _asset(asset: Asset) -> dict[str, Any]:
    return {"address": asset.address, "symbol": asset.symbol, "decimals": asset.decimals}


def _numeraire(numeraire: Numeraire) -> dict[str, Any]:
    return {"symbol": numeraire.symbol, "decimals": numeraire.decimals}


def _liquidation(price: LiquidationPrice, position: Position) -> dict[str, Any]:
    return {
        "of": price.lever.name,
        "feed": price.lever.feed,
        "prices": sorted(price.lever.keys),
        "unit": _numeraire(price.counted_in(position)),
        "now": str(price.lever.current),
        "at": str(price.value),
        "distance": decimal(price.distance, _DISTANCE_PLACES),
    }
