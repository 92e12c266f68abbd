"""Configuration files on disk, an environment with canary secrets, and what must never be shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watcher.config import Settings, load
from watcher.domain.errors import ConfigError

BOT_TOKEN = "7654321:canaryCANARYcanaryCANARYcanary_bot-t0ken"
RPC_KEY = "canary-rpc-key"
PRIVATE_KEY = "c0ffee" * 10 + "beef"
SECRETS = (BOT_TOKEN, RPC_KEY, PRIVATE_KEY, "canary")

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER_WALLET = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"  # both from EIP-55

Load = Callable[..., Settings]
Refuse = Callable[..., str]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TOKEN": BOT_TOKEN, "KEY": RPC_KEY, "EMPTY": "", "LINES": "canary\ncanary", "NO_TOKEN": "canary"}


@pytest.fixture
def load_text(tmp_path: Path, environ: dict[str, str]) -> Load:
    """Load a watcher.toml with this text; further files by name stand beside it."""

    def load_it(text: str, **options: Any) -> Settings:
        path = tmp_path / "watcher.toml"
        path.write_text(text, encoding="utf-8")
        return load(path, environ=environ, **options)

    return load_it


@pytest.fixture
def refusal(load_text: Load) -> Refuse:
    """The text with which a watcher.toml is refused; nothing in it may be secret."""

    def refuse(text: str, **options: object) -> str:
        with pytest.raises(ConfigError) as refused:
            load_text(text, **options)
        told = str(refused.value)
        assert [secret for secret in SECRETS if secret in told] == []
        return told

    return refuse
