"""Many random accounts, fast: one phase at a time for all of them, two hundred transactions to a block."""

from dataclasses import dataclass
from random import Random

from .aave import STABLE, VARIABLE, AaveWorld
from .chain import Address, Tx, named
from .listings import LISTINGS, Category

_PRICES = {listing.symbol: listing for listing in LISTINGS}
_COLLATERAL = tuple(listing.symbol for listing in LISTINGS if listing.threshold)
_STABLE_RATE = tuple(listing.symbol for listing in LISTINGS if listing.stable_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What one account is going to do; fractions are of what it may borrow."""

    user: Address
    category: int
    supplies: tuple[tuple[str, int], ...]
    borrows: tuple[tuple[str, float, int], ...]  # symbol, fraction, rate mode
    dust_debt: str | None
    idle: str | None  # supplied, but not to count as collateral


def fill(world: AaveWorld, count: int, seed: int) -> tuple[Address, ...]:
    """Open `count` accounts that `seed` determines, let time pass and prices move; returns their addresses.

    About a third use an e-mode, a seventh have no debt, a twentieth supply dust, a twentieth owe nothing but dust,
    a tenth have a supply that they do not use as collateral.
    The others borrow up to 98 % of what they may, and a fall of ether by a fifth leaves some of them liquidatable.
    """
    rng = Random(seed)
    intents = [_intent(world, rng, named(f"{world.name} {seed} account {number}")) for number in range(count)]
    send = world.chain.send_all
    send([world.entering_emode(intent.user, intent.category) for intent in intents if intent.category])
    send([tx for intent in intents for supply in intent.supplies for tx in world.supplying(intent.user, *supply)])
    send([world.switching_collateral(intent.user, intent.idle, False) for intent in intents if intent.idle])
    send([tx for intent in intents for tx in _dust_borrow(world, rng, intent)])
    world.wander(rng, per_mille=20)
    send(_borrows(world, intents))
    world.wander(rng)
    world.set_prices({symbol: world.answer(symbol) * 4 // 5 for symbol in ("WETH", "wstETH")})
    accounts = tuple(intent.user for intent in intents)
    world.accounts += accounts
    return accounts


def _intent(world: AaveWorld, rng: Random, user: Address) -> Intent:
    numbers = list(world.categories) if rng.random() < 0.35 else []
    category = world.categories[rng.choice(numbers)] if numbers else None
    symbols = _collaterals(rng, category)
    dust_supply = rng.random() < 0.05
    supplies = tuple((symbol, _supply_amount(rng, symbol, dust_supply)) for symbol in symbols)
    indebted = not dust_supply and rng.random() > 0.1
    dust_debt = indebted and rng.random() < 0.05
    return Intent(
        user=user,
        category=category.number if category else 0,
        supplies=supplies,
        borrows=_shares(world, rng, category, symbols) if indebted and not dust_debt else (),
        dust_debt=rng.choice(_borrowable(category)) if dust_debt else None,
        idle=symbols[-1] if len(symbols) > 1 and rng.random() < 0.2 else None,
    )


def _collaterals(rng: Random, category: Category | None) -> list[str]:
    """At least one that counts by itself; in an e-mode mostly the category's own."""
    chosen = rng.sample(_COLLATERAL, rng.randint(1, 3))
    if category is None:
        return chosen
    own = [symbol for symbol in category.collateral if symbol in _COLLATERAL]
    extra = [symbol for symbol in category.collateral if symbol not in _COLLATERAL]
    return list(dict.fromkeys([rng.choice(own), *extra[: rng.randint(0, 1)], *(chosen if rng.random() < 0.4 else [])]))


def _supply_amount(rng: Random, symbol: str, dust: bool) -> int:
    """Ten dollars to a million, evenly over the magnitudes, odd in the last digits."""
    if dust:
        return rng.randint(2, 1000)
    listing = _PRICES[symbol]
    cents = int(10 ** rng.uniform(3, 8))
    return int(cents * 10 ** (6 + listing.decimals) // listing.price) + rng.randrange(1, 1000)


def _shares(
    world: AaveWorld, rng: Random, category: Category | None, supplied: list[str]
) -> tuple[tuple[str, float, int], ...]:
    """One to three debts that together take 5 to 98 % of what the account may borrow; half of them nearly all."""
    total = rng.uniform(0.85, 0.98) if rng.random() < 0.5 else rng.uniform(0.05, 0.85)
    allowed = _borrowable(category)
    chosen = rng.sample(allowed, rng.randint(1, min(3, len(allowed))))
    weights = [rng.uniform(0.1, 1) for _ in chosen]
    return tuple(
        (symbol, total * weight / sum(weights), _rate_mode(world, rng, symbol, supplied))
        for symbol, weight in zip(chosen, weights, strict=True)
    )


def _rate_mode(world: AaveWorld, rng: Random, symbol: str, supplied: list[str]) -> int:
    """A stable rate is refused to those who supply the same asset."""
    offered = world.tokens[symbol].stable_debt is not None and symbol in _STABLE_RATE and symbol not in supplied
    return STABLE if offered and rng.random() < 0.5 else VARIABLE


def _borrowable(category: Category | None) -> tuple[str, ...]:
    return category.borrowable if category else tuple(_PRICES)


def _dust_borrow(world: AaveWorld, rng: Random, intent: Intent) -> list[Tx]:
    if intent.dust_debt is None:
        return []
    return [world.borrowing(intent.user, intent.dust_debt, rng.randint(2, 1000))]


def _borrows(world: AaveWorld, intents: list[Intent]) -> list[Tx]:
    """Sized by what the contract itself says each may borrow now."""
    indebted = [intent for intent in intents if intent.borrows]
    answers = {symbol: world.answer(symbol) for symbol in world.tokens}
    available = [data[2] for data in world.accounts_data([intent.user for intent in indebted])]
    return [
        world.borrowing(intent.user, symbol, amount, rate_mode)
        for intent, base in zip(indebted, available, strict=True)
        for symbol, fraction, rate_mode in intent.borrows
        if (amount := int(base * fraction) * 10 ** world.tokens[symbol].decimals // answers[symbol]) > 1
    ]
