"""Names that somebody chose who means us harm, and what Telegram would do with a text by itself.

What it makes clickable without being asked is as in its own library (github.com/tdlib/td, MessageEntity.cpp, 2023),
taken a little wider: any top-level domain counts, any scheme, and any mention.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from dataclasses import replace as changed
from random import Random
from types import MappingProxyType
from typing import Any, Final, TypeVar

from watcher.alerts.message import Style, Text
from watcher.chain.spec import ChainSpec
from watcher.config import Wallet
from watcher.domain.position import Asset, Numeraire, Position, Unreadable
from watcher.domain.price import FeedReading
from watcher.risk.liquidation import Lever

T = TypeVar("T")

# --- What Telegram would make of a text -------------------------------------------------------------------------------

_HOST: Final = r"[A-Za-z0-9_~\-\u00c0-\u1fff\u200c\u200d\u2010-\u2015\u2070-\U0010ffff]"
"""What a host may be made of there: also arrows, emoji and dashes, but no punctuation of ours."""

CLICKABLE: Final = {
    "domain": re.compile(rf"{_HOST}\.(?:{_HOST}+\.)*[^\W\d_]"),
    "address": re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"),
    "scheme": re.compile(r"\w://"),
    "e-mail": re.compile(r"[\w.+-]+@\w"),
    "mention": re.compile(r"@\w"),
    "command": re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?![\w/<>])"),
    "hashtag": re.compile(r"(?<![\w\u200c\u00b7])[#\uff03][\w\u200c\u00b7]*[^\W\d_]"),
    "cashtag": re.compile(r"(?<![\w\u200c\u00b7$])\$(?:1INCH|[A-Z]{1,8})(?![\w\u200c\u00b7$])"),
}


def clickable(text: Text | str) -> list[str]:
    """What of it could be touched, and lead away. In what is code Telegram looks for nothing."""
    text = text if isinstance(text, str) else _without_code(text)
    return [f"{kind} {found[0]!r}" for kind, pattern in CLICKABLE.items() for found in pattern.finditer(text)]


def _without_code(text: Text) -> str:
    units = bytearray(text.text.encode("utf-16-le"))
    for span in text.spans:
        if span.style is Style.CODE:
            units[2 * span.offset : 2 * (span.offset + span.length)] = b"\n\0" * span.length
    return units.decode("utf-16-le")


def unseen(text: str) -> list[str]:
    """Characters that show nothing, that change what others show or where, or that end a line in disguise."""
    return [
        f"U+{ord(one):04X}"
        for one in text
        if one != "\n"
        and (unicodedata.category(one) in _UNSEEN or one in _BLANK or unicodedata.bidirectional(one) in _BIDI)
    ]


_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})
_BIDI: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159")

# --- Names ------------------------------------------------------------------------------------------------------------

_BAITS: Final = (
    *("evil.com", "https://evil.com/claim?a=1", "HTTP://EVIL.COM", "t.me/joinchat", "1.1.1.1", "xn--e1aybc.com"),
    *("tg://resolve?domain=x", "ton://transfer/x", "tonsite://x.ton", "evil。com", "evil｡com", "evil．com", "evil․com"),
    *("пример.рф", "例え.テスト", "evil.com:8080/x", "a@b.co", "me+you@evil.org", "@support", "＠support", "@all"),
    *("/start", "/ack@watcher_bot", "／mute", "/whatif ETH -20%", "#free", "＃free", "$USDC", "$1INCH", "＄AVE", "﹩A"),
    *("<b>x</b>", "<a href='https://evil.com'>x</a>", "[x](https://evil.com)", "**x**", "__x__", "`x`", "||x||"),
    *("USDС", "UЅDC", "ЕTH", "WΕTH", "ꓴSDC", "𝐔𝐒𝐃𝐂", "Ⓤⓢⓓⓒ", "ＵＳＤＣ", "USÐC", "1NCH", "l1NK"),
    *("x\nOK · main · Aave", "x\r\nhealth 9.99", "x\u2028health 9.99", "x\x85y", "\x1b[31mx\x1b[0m", "x\x00y", "\t\t"),
    *("👩\u200d👩\u200d👧", "🏴\U000e0067\U000e007f", "☠\ufe0f", "🇺🇸", "\ud800", "\udfff\ud800", "\ufffe"),
    *("", " ", "\u200b", "\u3164", "\u2800", "\ufffc", "\U0001d159", "\u00a0", "\u3000", "…", "....", "(unnamed)"),
    *("health 1.0500", "CRITICAL", "repay 0 USDC", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "%s %d {0} ${HOME}"),
    *("אבגד", "سلام", "ไทยกำ", "हिन्दी", "한국어", "ﷺ", "ﬃ", "½", "㎏", "㏂", "Ⅷ", "℀", "⁄", "ᴬᴬⱽᴱ"),
)  # fmt: skip
_INVISIBLE: Final = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2061\u2066\u2067\u2068\u2069\ufeff\u00ad\u061c\u180e\u034f\u3164\u115f\u2800"
)
_COMBINING: Final = "\u0300\u0301\u0308\u0336\u0338\u0489\u20dd\u20e3\u0e49\u0f84\u1ab0\u1dc0\ufe20\u0903\u0bbe"


def _bait(dice: Random) -> str:
    return dice.choice(_BAITS)


def _riddled(dice: Random) -> str:
    """With something invisible between any two characters: the check must come after the cleaning."""
    return "".join(one + dice.choice(_INVISIBLE) * dice.randint(0, 2) for one in _bait(dice))


def _flooded(dice: Random) -> str:
    return "".join(one + "".join(dice.choices(_COMBINING, k=dice.randint(0, 40))) for one in _bait(dice) or "x")


def _turned(dice: Random) -> str:
    return dice.choice("\u202e\u202d\u2067\u2066\u200f") + _bait(dice)[::-1] + dice.choice(["", "\u202c", "\u2069"])


def _long(dice: Random) -> str:
    return ((_bait(dice) or "A") * 10_000)[: dice.choice([30, 300, 10_000])]


def _joined(dice: Random) -> str:
    return dice.choice(["", " ", "/", ".", "@", "\u200b", "$", "#", "·", "…"]).join(
        _bait(dice) for _ in range(dice.randint(2, 5))
    )


def _padded(dice: Random) -> str:
    """So that the cut at the limit falls anywhere in the bait."""
    return "A" * dice.randint(0, 45) + dice.choice(["", " "]) + _bait(dice)


def _any(dice: Random) -> str:
    return "".join(
        chr(dice.choice((dice.randrange(0x110000), dice.randrange(0x3000)))) for _ in range(dice.randint(0, 40))
    )


_KINDS: Final[tuple[Callable[[Random], str], ...]] = (_bait, _riddled, _flooded, _turned, _long, _joined, _padded, _any)


def names(seed: int) -> Iterator[str]:
    """Without end, each kind as often as the others."""
    dice = Random(seed)
    while True:
        for kind in _KINDS:
            yield kind(dice)


# --- In everything that carries one -----------------------------------------------------------------------------------

_NAMED: Final[Mapping[type, tuple[str, ...]]] = {
    Asset: ("symbol",),
    FeedReading: ("pair",),
    Position: ("market", "notes"),
    Unreadable: ("market", "reason"),
    Lever: ("name",),
    Wallet: ("label",),
    ChainSpec: ("title",),
}
"""Where a stranger, a contract, an endpoint or a careless user puts a name."""


def poisoned(thing: T, name: Callable[[], str]) -> T:
    """The same, however deep, with another name wherever there is one. Frozen dataclasses, tuples and mappings.

    All count in the same money afterwards, as they did before.
    """
    money = name()
    return _poisoned(thing, name, money)  # type: ignore[no-any-return]


def _poisoned(thing: Any, name: Callable[[], str], money: str) -> Any:
    if isinstance(thing, Numeraire):
        return changed(thing, symbol=money)
    match thing:
        case tuple() | frozenset() if not hasattr(thing, "_fields"):
            return type(thing)(_poisoned(one, name, money) for one in thing)
        case dict() | MappingProxyType():
            return {key: _poisoned(value, name, money) for key, value in thing.items()}
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    named = _NAMED.get(type(thing), ())
    inside = {one.name: getattr(thing, one.name) for one in fields(thing) if one.init}
    return changed(
        thing,
        **{
            field: ((name(),) if isinstance(value, tuple) else name())
            if field in named
            else _poisoned(value, name, money)
            for field, value in inside.items()
        },
    )
