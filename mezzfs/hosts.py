"""Which addresses of the network may be read on behalf of somebody else: public ones.

A service that fetches what strangers name must not fetch from its own network: metadata services (169.254.169.254), loopback,
private ranges. A name is checked when it is given, and the address that was really connected to is checked again
(`mezzfs.stores.http`), since a name may resolve differently the next time, and a server may redirect.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

VARIABLE = "CINEMILL_PUBLIC_HOSTS_ONLY"
"""Set to 1 in the environment of whoever reads for strangers; workers inherit it."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[..., Sequence[Any]]


def public_only() -> bool:
    """True where only public addresses may be connected to in this process."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def is_public(address: str) -> bool:
    """True for an address of the public internet; addresses that stand for others are looked through.

    Args:
        address: numeric IPv4 or IPv6, as `getaddrinfo` and `getpeername` give it.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    inner = _inner(found)
    return all(each.is_global and not each.is_multicast for each in (found, inner) if each is not None)


def resolved(host: str, port: int, resolve: Resolve = socket.getaddrinfo) -> list[str]:
    """Numeric addresses of a host, as the system's resolver finds them: also of `0x7f.1` and `2130706433`.

    Raises:
        OSError: it has none.
    """
    return list(dict.fromkeys(str(found[4][0]) for found in resolve(host, port, type=socket.SOCK_STREAM)))


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address carries; None where it carries none."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.sixtofour or (teredo[1] if teredo else None)
