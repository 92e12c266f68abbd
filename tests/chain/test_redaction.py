"""Foreign text loses its secrets, however it is cut or dressed."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.chain.redaction import SHOWN, Redactor
from watcher.chain.spec import EndpointSpec

KEY = "s3cr+t/Key=="
ENDPOINT = EndpointSpec(
    name="alpha",
    url=f"https://ann:pa55word@rpc.example.org/v3/{quote(KEY, safe='')}?token=q8Token1",
    headers={"Authorization": "Bearer hEad3rTok"},
)
SECRETS = (KEY, quote(KEY, safe=""), "pa55word", "rpc.example.org", "q8Token1", "hEad3rTok", "YW5uOnBhNTV3b3Jk")


@pytest.mark.parametrize("secret", [*SECRETS, ENDPOINT.url])
def test_it_leaves_no_part_of_a_url(secret: str) -> None:
    redact = Redactor(ENDPOINT).excerpt
    assert redact(f"at {secret}: refused") == "at …: refused"
    assert redact(f"at {secret.upper()}!") == "at …!"
    assert redact("\u200b".join(f"at {secret}!")) == "at …!"


@pytest.mark.parametrize("dressed", ["s3cr%2Bt/Key%3D=", "s3cr+t%2fKey==", "s3cr%252Bt%252FKey==", "%73%33cr+t/Key=="])
def test_it_knows_a_secret_of_which_somebody_encoded_a_part(dressed: str) -> None:
    assert Redactor(ENDPOINT).excerpt(f"at {dressed}: refused") == "at …: refused"


@given(st.lists(st.one_of(st.sampled_from(SECRETS), st.text(max_size=400)), max_size=40))
def test_it_shows_short_printable_text_without_a_secret(pieces: list[str]) -> None:
    shown = Redactor(ENDPOINT).excerpt(" ".join(pieces))
    assert len(shown) <= SHOWN + 1
    assert shown.isprintable()
    assert not [secret for secret in SECRETS if secret.lower() in shown.lower()]


@pytest.mark.parametrize("before", range(4080, 4097))
def test_it_shows_no_half_of_a_secret_where_it_stops_looking(before: int) -> None:
    """Whatever is shown of a long text, redaction may have made room for its cut end."""
    text = (ENDPOINT.url + " ") * 100
    shown = Redactor(ENDPOINT).excerpt(text[-before:] + "pa55word" * 10)
    assert not any(part in shown for part in ("pa5", "s3c", "q8T"))


def test_it_leaves_ordinary_words_alone() -> None:
    assert Redactor(ENDPOINT).excerpt("header not found in v3") == "header not found in v3"


def test_it_knows_the_password_in_a_basic_header() -> None:
    headers = {"authorization": "basic " + b64encode(b"ann:pa55:w\xc3\xb6rd").decode()}
    redact = Redactor(EndpointSpec(name="alpha", url="https://a.example", headers=headers)).excerpt
    assert redact("no user with pa55:wörd, " + headers["authorization"]) == "no user with …, …"
    for malformed in ("basic", "basic !!!", "Basic //79"):
        Redactor(EndpointSpec(name="alpha", url="https://a.example", headers={"A": malformed}))


@pytest.mark.parametrize("url", ["ipc:///srv/node/geth.ipc", "/srv/node/geth.ipc"])
def test_it_does_not_tell_where_a_socket_lies(url: str) -> None:
    redact = Redactor(EndpointSpec(name="geth.ipc", url=url)).excerpt
    assert redact("no room in /srv/node for /srv/node/geth.ipc") == "no room in … for …"
    assert redact("geth/v1.16 says header not found") == "geth/v1.16 says header not found"
