"""What strangers may call their tokens, and what is left of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.alerts.clean import NAMELESS, clean, visible


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
