"""The sd_notify protocol: datagrams to the socket that systemd names (man 3 sd_notify). Silent where there is none."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> None:
    """Tell systemd, for example `notify("READY=1", "STATUS=watching 3 wallets")`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        channel.sendall("\n".join(lines).encode())
