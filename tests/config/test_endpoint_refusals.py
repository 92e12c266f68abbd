"""Every way to get an endpoint wrong, and the words that put it right."""

import pytest

from tests.config.conftest import Refuse
from tests.config.test_user_refusals import ONE, Bad, assert_told, bad


def endpoint(written: str) -> str:
    return f"{ONE}[endpoints]\nethereum = {written}"


FIRST = "endpoints.ethereum[1]"
LONG_KEY = "canary0" + "1a2B" * 8

ENDPOINTS = [
    bad(endpoint('"https://a.b"'), "endpoints.ethereum", '"https://a.b" is not a list of endpoints; write ["https://…"]'),
    bad(endpoint("[]"), "endpoints.ethereum", "an empty list is not a list of endpoints"),
    bad(endpoint("[5]"), FIRST, '5 is not an endpoint; write "https://…"'),
    bad(f'{ONE}[endpoints]\nethereun = ["https://a.b"]', "endpoints.ethereun", 'did you mean "ethereum"?'),
    bad(endpoint('["ftp://a.b"]'), FIRST, "does not start with https://, http://, wss:// or ws://",
        "no path of a socket such as /run/geth/geth.ipc"),
    bad(endpoint('["geth.ipc"]'), FIRST, "does not start with https://", "such as /run/geth/geth.ipc"),
    bad(endpoint('["~/geth.ipc"]'), FIRST, "does not start with https://", "such as /run/geth/geth.ipc"),
    bad(endpoint('["ipc:geth.ipc"]'), FIRST, "is not the absolute path of a socket", "such as /run/geth/geth.ipc"),
    bad(endpoint('["ipc://run/geth.ipc"]'), FIRST, "is not the absolute path of a socket"),
    bad(endpoint('["ipc:///run/geth/"]'), FIRST, "is not the absolute path of a socket"),
    bad(endpoint('["/run/a\\tb"]'), FIRST, "is not the absolute path of a socket"),
    bad(endpoint(f'["/{"x" * 107}"]'), FIRST, "is a path of 108 bytes", "at most 107", "link to it"),
    bad(endpoint('["wss://"]'), FIRST, "names no host"),
    bad(endpoint('["wss://me:canary@a.b"]'), FIRST, "user or password before '@'", "auth = {"),
    bad(endpoint('["wss://a.b/#canary"]'), FIRST, "'#'", "remove it"),
    bad(endpoint(f'["wss://a.b/v2/{LONG_KEY}"]'), FIRST, "looks like a key", "${credential:rpc_key}"),
    bad(endpoint('["ipc:///run/geth.ipc", "/run/geth.ipc"]'), "endpoints.ethereum", "stands twice"),
    bad(endpoint('[{ url = "/run/geth.ipc", headers = { X = "y" } }]'), FIRST, "takes neither headers nor auth"),
    bad(endpoint('[{ url = "https://a.b", rate = 0 }]'), f"{FIRST}.rate", "0 is not a whole number of requests",
        "such as 20"),
    bad(endpoint('[{ url = "https://a.b", rate = "20/s" }]'), f"{FIRST}.rate", '"20/s" is not a whole number'),
    bad(endpoint('[{ url = "https://a.b", rate = 2.5 }]'), f"{FIRST}.rate", "2.5 is not a whole number"),
    bad(endpoint('[{ url = "https://a.b", auth = "me:canary" }]'), f"{FIRST}.auth", "is not a table; write { user"),
    bad(endpoint('[{ url = "https://a.b", auth = { user = "me" } }]'), f"{FIRST}.auth.password", "missing; write"),
    bad(endpoint('[{ url = "https://a.b", auth = { user = "me", password = 5 } }]'), f"{FIRST}.auth.password",
        "is not a text", "${credential:rpc_password}"),
    bad(endpoint('[{ url = "https://a.b", auth = { user = "me", pass = "x" } }]'), f"{FIRST}.auth.pass",
        'did you mean "password"?'),
    bad(endpoint('[{ url = "https://a.b", auth = { user = "me", password = "canary" } }]'), f"{FIRST}.auth.password",
        "stands in the open", "${credential:rpc_key}"),
    bad(endpoint('[{ url = "https://a.b", auth = { user = "a:b", password = "${env:KEY}" } }]'), f"{FIRST}.auth.user",
        "has a ':'"),
    bad(endpoint('[{ url = "https://a.b", auth = { user = "me", password = "${env:GONE}" } }]'), f"{FIRST}.auth",
        "${env:GONE} cannot be found"),
    bad(endpoint('[{ url = "https://a.b", headers = { authorization = "Bearer ${env:KEY}" },'
                 ' auth = { user = "me", password = "${env:KEY}" } }]'), f"{FIRST}.auth", "write one of them"),
    bad(endpoint('["https://"]'), FIRST, "names no host", "https://host/path"),
    bad(endpoint('["https://me:canary@a.b"]'), FIRST, "user or password before '@'", "auth = {"),
    bad(endpoint('["https://a.b:99999/canary"]'), FIRST, "bad host or port", "https://host:8545"),
    bad(endpoint('["https://[::1/canary"]'), FIRST, "bad host or port"),
    bad(endpoint('["https://a.b/x y"]'), FIRST, "spaces, line breaks", "one plain word"),
    bad(endpoint('["https://a.b/#canary"]'), FIRST, "'#'", "remove it"),
    bad(endpoint(f'["https://a.b/v2/{LONG_KEY}"]'), FIRST, "looks like a key", "${credential:rpc_key}"),
    bad(endpoint(f'["https://a.b/?apikey={LONG_KEY}"]'), FIRST, "looks like a key", "secrets only by reference"),
    bad(endpoint('["https://a.b", "https://a.b"]'), "endpoints.ethereum", "stands twice", "write each endpoint once"),
    bad(endpoint('[{ headers = {} }]'), f"{FIRST}.url", "missing; write a text"),
    bad(endpoint('[{ uri = "https://a.b" }]'), f"{FIRST}.uri", 'did you mean "url"?'),
    bad(endpoint('[{ url = "https://a.b", headers = "x" }]'), f"{FIRST}.headers", "is not a table of keys"),
    bad(endpoint('[{ url = "https://a.b", headers = { "A B" = "x" } }]'), f'{FIRST}.headers."A B"', "Authorization"),
    bad(endpoint('[{ url = "https://a.b", headers = { X = 5 } }]'), f"{FIRST}.headers.X", "write it in quotes"),
    bad(endpoint('[{ url = "https://a.b", headers = { Authorization = "Bearer canary" } }]'),
        f"{FIRST}.headers.Authorization", "looks like a secret", "${credential:rpc_key}"),
    bad(endpoint('["https://a.b/${env:GONE}"]'), FIRST, "${env:GONE} cannot be found", "GONE is not set"),
    bad(endpoint('["https://a.b/${env:EMPTY}"]'), FIRST, "${env:EMPTY} is empty", "put the secret in it"),
    bad(endpoint('["https://a.b/${env:LINES}"]'), FIRST, "more than one line", "the secret alone"),
    bad(endpoint('["https://a.b/${vault:x}"]'), FIRST, "${vault:x} is no kind of reference", "${env:NAME}"),
    bad(endpoint('["https://a.b/${KEY}"]'), FIRST, "is no kind of reference", "${env:NAME}"),
    bad(endpoint('["https://a.b/${env:KEY"]'), FIRST, "not a reference", "${env:NAME}"),
    bad(endpoint('["https://a.b/${env:A-B}"]'), FIRST, "names no environment variable", "${env:RPC_KEY}"),
    bad(endpoint('["https://a.b/${credential:../x}"]'), FIRST, "names no credential", "${credential:rpc_key}"),
    bad(endpoint('["https://a.b/${credential:x}"]'), FIRST, "$CREDENTIALS_DIRECTORY is not set", "LoadCredential=x"),
    bad(endpoint('["https://a.b/${file:gone}"]'), FIRST, "${file:gone} cannot be found: looked for /"),
]  # fmt: skip


@pytest.mark.parametrize("case", ENDPOINTS, ids=lambda case: f"{case.key}-{case.fragments[0][:30]}")
def test_it_refuses_an_endpoint_in_words_that_put_it_right(case: Bad, refusal: Refuse) -> None:
    assert_told(case, refusal(case.text))
