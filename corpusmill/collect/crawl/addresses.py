"""Where a crawl may connect: public addresses only, unless the recipe allows others.

A crawler follows links that strangers wrote.  So a link, a redirect or a DNS record could lead it into the network in
which it runs (server-side request forgery).  The check is made where the socket is created, so it sees every address
that a connection really uses.  These are the addresses that names resolve to, those written in URLs, and those of
redirects.  Names are checked at each resolution, because an attacker's DNS may change its answer.

`ipaddress.is_global` is true for multicast, NAT64, 6to4 and other addresses that embed one, so they are listed here.
NAT64 and 6to4 addresses lead wherever a gateway of the network lets them, so also those of public hosts are refused.
Addresses: IANA's special-purpose registries (RFC 6890); NAT64: RFC 6052 and 8215; 6to4: RFC 7526; IPv6 unicast: RFC
4291.
"""

import ipaddress
import os
import socket
import ssl
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from corpusmill.collect.crawl.urls import HostPatterns
from corpusmill.collect.settings import CrawlSettings

_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")  # NAT64 (64:ff9b::/96 and 64:ff9b:1::/48) is outside
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # IETF protocol assignments, including Teredo
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]


class NotPublicError(OSError):
    """A connection was not made, because the address is not public."""


def is_public(address: str) -> bool:
    """Whether the whole internet can reach an IPv4 or IPv6 address, given as text."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip not in _IPV6_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _REFUSED)


def connector(settings: CrawlSettings, max_connections: int) -> aiohttp.TCPConnector:
    """Connections for one crawl, one per host at a time: names are resolved with `connect_to`, addresses checked."""
    return aiohttp.TCPConnector(
        resolver=_Resolver(settings.connect_to),
        socket_factory=None if settings.allow_private_addresses else _public_socket,
        ssl=_verifying(os.environ.get("SSL_CERT_FILE")),
        limit=max_connections,
        limit_per_host=1,
    )


@lru_cache(maxsize=2)
def _verifying(certificates: str | None) -> ssl.SSLContext:
    """A context that verifies names and certificates.  It costs 20 ms.

    certificates: a file that OpenSSL reads in place of the system's; it finds it by itself
    """
    return ssl.create_default_context()


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for one address that is about to be tried.  NotPublicError if the address is not public."""
    family, kind, protocol, _, (address, *_) = info
    if not is_public(address):
        raise NotPublicError(f"{address} is not a public address")
    return socket.socket(family, kind, protocol)


class _Resolver(ThreadedResolver):
    """The system's resolver, except that names that match a pattern of `connect_to` have the address given there."""

    def __init__(self, connect_to: dict[str, str]) -> None:
        super().__init__()
        self._patterns = HostPatterns(connect_to)
        self._targets = list(connect_to.values())

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        index = self._patterns.first(f"{host}:{port}")
        if index is None:
            return await super().resolve(host, port, family)
        address, _, target_port = self._targets[index].rpartition(":")
        address = address.strip("[]")
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=int(target_port), family=kind, proto=0, flags=0)]
