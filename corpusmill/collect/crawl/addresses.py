"""Where a crawl may connect: public addresses only, unless the recipe allows others.

A crawler follows links that strangers wrote, so a link, a redirect or a DNS record could lead it into the network that
it runs in (server-side request forgery).  The check sits where the socket is made, so it sees every address that a
connection is really tried with: those that names resolve to (also the second time, when an attacker's DNS has changed
its answer), those written in URLs, and those of redirects.

`ipaddress.is_global` is true for multicast, NAT64, 6to4 and other addresses that embed one, hence the list here.
Addresses: IANA's special-purpose registries (RFC 6890); NAT64: RFC 6052; 6to4: RFC 7526; IPv6 unicast: RFC 4291.
"""

import ipaddress
import socket
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from corpusmill.collect.crawl.urls import HostPatterns
from corpusmill.collect.settings import CrawlSettings

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]


class NotPublicError(OSError):
    """A connection that was not made, because it would have led to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address, as text, is one that the whole internet can reach."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:  # only ever a way to a public IPv4 address (RFC 6052, section 3.1)
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
        if ip not in _IPV6_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _REFUSED)


def connector(settings: CrawlSettings, max_connections: int) -> aiohttp.TCPConnector:
    """Connections for one crawl: names resolved with `connect_to`, addresses checked, at most one a host at a time."""
    return aiohttp.TCPConnector(
        resolver=_Resolver(settings.connect_to),
        socket_factory=None if settings.allow_private_addresses else _public_socket,
        limit=max_connections,
        limit_per_host=1,
    )


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for one address that is about to be tried."""
    family, kind, protocol, _, (address, *_) = info
    if not is_public(address):
        raise NotPublicError(f"{address} is not a public address")
    return socket.socket(family, kind, protocol)


class _Resolver(ThreadedResolver):
    """The system's resolver, but names that match a pattern of `connect_to` lead to the address given there."""

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
