"""Whatever stands in a watcher.toml, it is read or it is refused: no other error ever reaches the user."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.conftest import OTHER_WALLET, SECRETS, WALLET
from watcher.config import load
from watcher.domain.errors import ConfigError

KEYS = st.sampled_from(
    [
        *("interval", "min_interval", "state", "protocols_file", "public_endpoints"),
        *("telegram", "telegram.token", "telegram.api"),
        *("chats", "chats.me", "chats.me.id", "chats.me.thread", "endpoints", "endpoints.base", "wallets"),
        *("rules", "rules.warn", "rules.target", "rules.clear", "rules.good_reads", "rules.remind", "rules.stale"),
        *("prices", "prices.jump", "prices.jump_within", "prices.growth", "rules.suspect", "rules.unknown_age"),
    ]
)
SHAPES = ["true", "1979-05-27", "07:32:00", "[]", "{}", "[[]]", "[{}]", "{ a = 1 }", "[1, 'x']", "0xff", "-0.0"]
TEXTS = ["'12s'", "'${env:KEY}'", "'${env:'", "['https://${env:KEY}']", "'~nobody/x'", f"'{'x' * 300}'", "'/'"]
WALLETS = [f"[{{ address = '{WALLET}' }}]", f"[{{ address = '{OTHER_WALLET}', warn = 9 }}, 1]"]
VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(SHAPES + TEXTS + WALLETS),
    st.text("abc./:@[]#?%\\ \u202e", max_size=30).map(lambda text: f"['''{text}''', 'https://{text}']"),
)
LINES = st.lists(st.tuples(KEYS, VALUES).map(" = ".join), max_size=8).map("\n".join)


@pytest.mark.parametrize(
    "text", [pytest.param(LINES, id="keys with any value"), pytest.param(st.text(), id="any text")]
)
def test_it_reads_or_refuses_whatever_is_written(text: st.SearchStrategy[str], tmp_path: Path) -> None:
    path = tmp_path / "watcher.toml"
    told: list[str] = []

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text)
    def holds(written: str) -> None:
        path.write_text(written, encoding="utf-8", errors="replace", newline="")
        try:
            load(path, environ={"KEY": "canary"})
        except ConfigError as refused:
            told.append(str(refused))
            assert not any(secret in told[-1] for secret in SECRETS)

    holds()
    assert any(words.startswith(f"{path}: ") for words in told)
