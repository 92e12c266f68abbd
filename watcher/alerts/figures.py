"""Numbers as people read them: in the table, and in messages. Exact integers in, text out; no float on the way.

What would comfort falsely is rounded the other way: health and distance down, an amount to pay up, and whatever is not
nothing is never shown as 0. Minus is "−", and thousands are parted by commas.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from watcher.alerts.clean import clean
from watcher.domain.position import Numeraire

_EXACT = Context(prec=120)
_SMALLEST_PLACES = 6
_PERCENT = 100
_ROUNDINGS = Decimal("0.000001")


def amount(raw: int, decimals: int) -> str:
    """Base units of a token as tokens: `1,234.5678`. Eight digits, four of them at most behind the point.

    Below 1, four digits that count; below a millionth, `<0.000001`.
    """
    return _signed(raw, _tokens(abs(raw), decimals))


def amount_down(raw: int, decimals: int) -> str:
    """The same of what somebody has to spend: there is never less of it than is written."""
    return _tokens(raw, decimals, ROUND_FLOOR)


def exact_amount_up(raw: int, decimals: int) -> str:
    """An amount to be paid, such that paying what is written suffices: `1234.567813`, rounded up at most.

    Six places where it is 1 or more, six digits that count below. Without commas: it is there to be pasted.
    """
    number = _scaled(raw, decimals)
    places = _SMALLEST_PLACES if number >= 1 else _SMALLEST_PLACES - 1 - number.adjusted() if number else 0
    return _trimmed(format(_rounded(number, min(places, decimals), ROUND_CEILING), "f"))


def value(raw: int, numeraire: Numeraire) -> str:
    """A market's value: `$1,234.56`, or `1,234.5678 ETH` where it does not count in US dollars."""
    if numeraire.symbol != "USD":
        return f"{amount(raw, numeraire.decimals)} {clean(numeraire.symbol)}"
    number = _scaled(abs(raw), numeraire.decimals)
    if 0 < number < Decimal("0.01"):
        return _signed(raw, "<$0.01")
    return _signed(raw, f"${_rounded(number, 2):,f}")


def price(raw: int, numeraire: Numeraire) -> str:
    """What one token is worth: `$1,532.10`, and with four digits that count where that is less than $10."""
    number = _scaled(abs(raw), numeraire.decimals)
    places = 2 if number >= 10 else 4 if number >= 1 else 3 - number.adjusted() if number else 2
    digits = f"{_rounded(number, min(places, max(numeraire.decimals, 2))):,f}"
    return _signed(raw, f"${digits}" if numeraire.symbol == "USD" else f"{digits} {clean(numeraire.symbol)}")


def health(factor: Decimal) -> str:
    """A health factor, rounded down: `1.0832`, `31.07`, `412`; `∞` where there is nothing to pay back."""
    if factor.is_infinite():
        return "∞" if factor > 0 else "−∞"
    return _with_minus(f"{_rounded(factor, _places(factor), ROUND_FLOOR):,f}")


def health_change(now: Decimal, then: Decimal) -> str:
    """How a health that is shown has moved: `+0.0123`, `−0.50`, `±0`, or `was ∞` where no number says it."""
    if now.is_infinite() or then.is_infinite():
        return "±0" if now == then else f"was {health(then)}"
    places = _places(now)
    move = _EXACT.subtract(_rounded(now, places, ROUND_FLOOR), _rounded(then, places, ROUND_FLOOR))
    return _with_minus(f"{move:+,f}") if move else "±0"


def health_move(move: Decimal) -> str:
    """By how much health would change: `−0.0123`, `+<0.0001`; `±0` where no more than roundings move it."""
    size, sign = abs(move), "−" if move < 0 else "+"
    if size < _ROUNDINGS:
        return "±0"
    return f"{sign}<0.0001" if size < Decimal("0.0001") else f"{sign}{_rounded(size, 4)}"


def _places(factor: Decimal) -> int:
    return 4 if abs(factor) < 10 else 2 if abs(factor) < 100 else 0


def _with_minus(digits: str) -> str:
    return digits.replace("-", "−")


def percent(move: Fraction) -> str:
    """A relative move, never shown larger than it is: `−23.4 %`, `0.31 %`, `−<0.01 %`."""
    if not move:
        return "0 %"
    size = abs(move) * _PERCENT
    if size < Fraction(1, _PERCENT):
        return "−<0.01 %" if move < 0 else "<0.01 %"
    places = 2 if size < 1 else 1 if size < _PERCENT else 0
    whole, rest = divmod(int(size * 10**places), 10**places)
    return f"{'−' if move < 0 else ''}{whole:,}{f'.{rest:0{places}}' if places else ''} %"


def duration(seconds: int) -> str:
    """A span of time, rounded down to what matters: `45 s`, `12 min`, `1 h 5 min`, `3 d 4 h`."""
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if seconds < 120 and seconds % 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < 3600:
        return f"{minutes} min" if seconds else "0 s"
    if hours < 48:
        return _two(hours, "h", minutes % 60, "min")
    return _two(days, "d", hours % 24, "h")


def _two(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first:,} {unit}{f' {second} {smaller}' if second else ''}"


def _tokens(raw: int, decimals: int, rounding: str = ROUND_HALF_EVEN) -> str:
    number = _scaled(raw, decimals)
    if number == 0:
        return "0"
    if number < Decimal(1).scaleb(-_SMALLEST_PLACES):
        return "<0.000001"
    places = min(max(7 - number.adjusted(), 0), 4) if number >= 1 else 3 - number.adjusted()
    return _trimmed(f"{_rounded(number, places, rounding):,f}")


def _scaled(raw: int, decimals: int) -> Decimal:
    return Decimal(raw).scaleb(-decimals, _EXACT)


def _rounded(number: Decimal, places: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding, _EXACT)


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _signed(raw: int, digits: str) -> str:
    return f"−{digits}" if raw < 0 else digits
