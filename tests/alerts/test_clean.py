"""What strangers may call their tokens, and what is left of it."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import clickable, names
from watcher.alerts.clean import NAMELESS, clean, sentence, visible


@pytest.mark.parametrize(
    "plain",
    ["USDC", "wstETH", "1INCH", "PT-sUSDe-27NOV2025", "Ξ", "円", "Stablecoins", "crvUSD", "0x5aAe…eAed", "ETH / USD"],
)
def test_it_leaves_honest_names_alone(plain: str) -> None:
    assert clean(plain) == plain


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("USDC\u202e\u202dX", "USDCX"),  # turns the direction of what follows
        ("US\u200bDC\ufeff", "USDC"),  # zero width
        ("U\u0338S\u0301DC", "UŚDC"),  # a stroke through it; what composes to one letter is one letter
        ("USDC\nhealth 9.99", "USDC health 9·99"),
        ("\u001b[31mUSDC\u0007", "[31mUSDC"),
        ("ＵＳＤＣ", "USDC"),
        ("claim-usdc.com", "claim-usdc·com"),
        ("claim-usdc․com", "claim-usdc·com"),  # U+2024 becomes a full stop by normalisation
        ("claim-usdc。com", "claim-usdc·com"),
        ("https://t.me/x", "https:∕∕t·me∕x"),
        ("Done. Next.x", "Done. Next·x"),
        ("@support", "(at)support"),
        ("＠support", "(at)support"),
        ("/start", "∕start"),
        ("#free", "♯free"),
        ("$USDC", "＄USDC"),
        ("＄USDC", "＄USDC"),
        ("US\ufffcDC\U0001d159", "USDC"),
        ("A" * 25, "A" * 23 + "…"),
        ("@" * 24, "(at)" * 5 + "(at…"),
        ("\u200b\u115f \u2800\u0301", NAMELESS),
        ("", NAMELESS),
        ("\U000e0041\U0010ffff\ud800", NAMELESS),  # tags, private use, half of a surrogate pair
    ],
)
def test_it_takes_the_sting_out(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


@settings(max_examples=500)
@given(st.text())
def test_it_keeps_text_on_one_line(text: str) -> None:
    assert len(visible(text).splitlines()) <= 1
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("it says 1,900.00, 5.1 % below 2,000.00; 5.0 % is the limit.", None),
        ("0.05 of it", None),
        ("see evil.com 1.05", "see evil·com 1.05"),
        ("1.05.example", "1·05·example"),
        ("at 1.2.3.4 now", "at 1·2·3·4 now"),
        ("v1.05", "v1·05"),
        ("1.05x", "1·05x"),
        ("/start 1.5", "∕start 1.5"),
    ],
)
def test_a_sentence_keeps_its_decimal_points_and_no_other_dots(said: str, shown: str | None) -> None:
    assert sentence(said, 100) == (said if shown is None else shown)


@settings(max_examples=500)
@given(st.text() | st.sampled_from(list(islice(names(7), 500))), st.integers(1, 60))
def test_a_sentence_is_as_safe_as_a_name(said: str, limit: int) -> None:
    once = sentence(said, limit)
    assert not clickable(once)
    assert len(once) <= max(limit, len(NAMELESS))
    assert sentence(once, max(limit, len(NAMELESS))) == once
