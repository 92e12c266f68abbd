"""Numbers as they are shown, and the side on which they are rounded."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.alerts import figures
from watcher.domain.position import Numeraire

USD = Numeraire(symbol="USD", decimals=8)
ETH = Numeraire(symbol="ETH", decimals=18)
WEI = st.integers(0, 2**256)


@pytest.mark.parametrize(
    ("raw", "decimals", "shown"),
    [
        (1_234_567_800_000_000_000_000, 18, "1,234.5678"),
        (1_234_567_812_345_678_901_234, 18, "1,234.5678"),
        (20_000 * 10**6, 6, "20,000"),
        (12_345_678_901_234, 6, "12,345,679"),
        (123_456_789_012, 6, "123,456.79"),
        (1_500_000_000_000_000_000, 18, "1.5"),
        (12_345_678, 9, "0.01235"),
        (1, 18, "<0.000001"),
        (1, 6, "0.000001"),
        (1, 0, "1"),
        (0, 18, "0"),
        (-(15 * 10**17), 18, "−1.5"),
        (-1, 18, "−<0.000001"),
        (999_999, 6, "1"),
    ],
)
def test_it_shows_tokens(raw: int, decimals: int, shown: str) -> None:
    assert figures.amount(raw, decimals) == shown


@pytest.mark.parametrize(
    ("raw", "decimals", "shown"),
    [
        (1_234_567_812_345_678_901_234, 18, "1234.567813"),
        (1_234_567_812, 6, "1234.567812"),
        (20_000 * 10**6, 6, "20000"),
        (12_345_678, 8, "0.123457"),
        (1, 18, "0.000000000000000001"),
        (1_234_567_891, 18, "0.00000000123457"),
        (999_999_999_999_999_999, 18, "1"),
        (7, 0, "7"),
        (0, 18, "0"),
    ],
)
def test_it_writes_amounts_to_be_paid(raw: int, decimals: int, shown: str) -> None:
    assert figures.exact_amount_up(raw, decimals) == shown


@given(WEI, st.integers(0, 36))
def test_paying_what_is_written_suffices(raw: int, decimals: int) -> None:
    written = Fraction(figures.exact_amount_up(raw, decimals)) * 10**decimals
    assert raw <= written <= raw * (1 + Fraction(1, 10**5))
    assert written.denominator == 1  # no more places than the token has


@given(WEI.filter(bool), st.integers(0, 36))
def test_what_is_not_nothing_is_never_shown_as_nothing(raw: int, decimals: int) -> None:
    texts = [
        figures.amount(raw, decimals),
        figures.exact_amount_up(raw, decimals),
        figures.value(raw, Numeraire(symbol="USD", decimals=decimals)),
        figures.price(raw, Numeraire(symbol="USD", decimals=decimals)),
        figures.percent(Fraction(raw, 10**decimals)),
    ]
    assert [text for text in texts if not set("123456789") & set(text)] == []


@pytest.mark.parametrize(
    ("raw", "numeraire", "shown"),
    [
        (123_456_000_000, USD, "$1,234.56"),
        (123_456_789_012_345_678, USD, "$1,234,567,890.12"),
        (-123_456_000_000, USD, "−$1,234.56"),
        (400_000, USD, "<$0.01"),
        (0, USD, "$0.00"),
        (1_234_560_000_000_000_000_000, ETH, "1,234.56 ETH"),
        (10**18, Numeraire(symbol="claim.com/@x", decimals=18), "1 claim·com∕(at)x"),
    ],
)
def test_it_shows_values(raw: int, numeraire: Numeraire, shown: str) -> None:
    assert figures.value(raw, numeraire) == shown


@pytest.mark.parametrize(
    ("raw", "numeraire", "shown"),
    [
        (153_210_000_000, USD, "$1,532.10"),
        (99_987_654, USD, "$0.9999"),
        (100_012_345, USD, "$1.0001"),
        (123, USD, "$0.00000123"),
        (0, USD, "$0.00"),
        (51_234_567_890_123_456, ETH, "0.05123 ETH"),
    ],
)
def test_it_shows_prices(raw: int, numeraire: Numeraire, shown: str) -> None:
    assert figures.price(raw, numeraire) == shown


@pytest.mark.parametrize(
    ("now", "then", "shown"),
    [
        ("1.0416", "1.0728", "−0.0312"),
        ("1.04169", "1.0416", "±0"),  # no move is shown between two that look the same
        ("1.5", "1.25", "+0.2500"),
        ("12.5", "9.8765", "+2.63"),
        ("9.8765", "12.5", "−2.6235"),
        ("1500", "250.7", "+1,250"),
        ("1.5", "Infinity", "was ∞"),
        ("Infinity", "1.5", "was 1.5000"),
        ("Infinity", "Infinity", "±0"),
    ],
)
def test_it_shows_how_a_health_has_moved(now: str, then: str, shown: str) -> None:
    assert figures.health_change(Decimal(now), Decimal(then)) == shown


@pytest.mark.parametrize(
    ("factor", "shown"),
    [
        ("1.08329999", "1.0832"),
        ("0.99999999999", "0.9999"),
        ("1", "1.0000"),
        ("9.99999", "9.9999"),
        ("31.0799", "31.07"),
        ("4123.9", "4,123"),
        ("0", "0.0000"),
        ("-0.03121", "−0.0313"),
        ("Infinity", "∞"),
        ("-Infinity", "−∞"),
        ("1E+60", f"{10**60:,}"),
    ],
)
def test_it_shows_health_rounded_down(factor: str, shown: str) -> None:
    assert figures.health(Decimal(factor)) == shown


@given(st.decimals(min_value=-10, max_value=10**6, allow_nan=False, places=30))
def test_it_never_shows_a_health_that_is_not_reached(factor: Decimal) -> None:
    shown = figures.health(factor).replace(",", "").replace("−", "-")
    assert Decimal(shown) <= factor


@pytest.mark.parametrize(
    ("move", "shown"),
    [
        (Fraction(-234, 1000), "−23.4 %"),
        (Fraction(-23499, 100_000), "−23.4 %"),
        (Fraction(31, 10_000), "0.31 %"),
        (Fraction(-1, 100), "−1.0 %"),
        (Fraction(-9, 1000), "−0.90 %"),
        (Fraction(-1, 10**9), "−<0.01 %"),
        (Fraction(3125, 1000), "312 %"),
        (Fraction(0), "0 %"),
    ],
)
def test_it_shows_moves_no_larger_than_they_are(move: Fraction, shown: str) -> None:
    assert figures.percent(move) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (27, "27 s"),
        (60, "1 min"),
        (119, "119 s"),
        (12 * 60 + 59, "12 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (86_400, "24 h"),
        (48 * 3600, "2 d"),
        (3 * 86_400 + 4 * 3600 + 59, "3 d 4 h"),
        (-30, "−30 s"),
        (4000 * 86_400, "4,000 d"),
    ],
)
def test_it_shows_spans_of_time(seconds: int, shown: str) -> None:
    assert figures.duration(seconds) == shown
