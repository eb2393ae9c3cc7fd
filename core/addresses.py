"""Decide which addresses an image may be fetched from: public ones only, in plain spelling only."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from core.errors import UrlRefused

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

# Ranges that `ipaddress` calls global in some version of Python, and that are no place for a public photograph.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's platform (learn.microsoft.com, "What is IP address 168.63.129.16?", 2026-11-20)
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598; some clouds' metadata
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "240.0.0.0/4",  # reserved, RFC 1112
        "::/96",  # IPv4-compatible, RFC 4291
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64 for local use, RFC 8215
        "2001::/32",  # Teredo, RFC 4380
        "2002::/16",  # 6to4, RFC 3056
        "fec0::/10",  # site-local, RFC 3879
    )
)
_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """An http(s) URL in parts that are safe to send: `target` is the path with its query, percent-encoded."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str, *, hosts: tuple[str, ...], private: bool) -> Address:
    """Take a URL apart. Raises UrlRefused for anything but a plainly spelled http(s) address.

    Refused: other schemes, user names, control characters and spaces, trailing dots, numbers as hosts in
    any spelling but four decimals, ports below 1024 that are not 80 or 443, hosts outside `hosts`.
    """
    if len(url) > 2048 or any(character <= " " or character in "\x7f\\" for character in url):
        raise UrlRefused("`url` is longer than 2048 characters, or has spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UrlRefused(f"`url` cannot be read ({error}): send https://host/path") from error
    if parts.scheme not in _PORTS or not host:
        raise UrlRefused(f"`url` has the scheme {parts.scheme[:20]!r}: only http and https addresses are fetched")
    if "@" in parts.netloc:
        raise UrlRefused("`url` has a user name in it: send an address without one")
    host = _plain_host(host, bracketed="[" in parts.netloc)
    if hosts and host not in hosts:
        raise UrlRefused(f"the host {host[:80]!r} is not on the list of this function (TRIPOINT_FETCH_HOSTS)")
    number = _PORTS[parts.scheme] if port is None else port
    if not private and number not in _PORTS.values() and number < 1024:
        raise UrlRefused(f"`url` has port {number}: use 80, 443, or one from 1024 on")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return Address(parts.scheme, host, number, f"{target}?{query}" if query else target)


def _plain_host(host: str, *, bracketed: bool) -> str:
    """Lower case, non-ASCII names as IDNA; refuses every other spelling of an address or name."""
    if bracketed:
        try:
            if "%" in host:
                raise ValueError("a scope")
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise UrlRefused(f"the host {host[:80]!r} is no IPv6 address") from error
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise UrlRefused(f"the host {host[:80]!r} is no host name") from error
    labels = name.split(".")
    if not all(label and len(label) < 64 and _is_label(label) for label in labels):
        raise UrlRefused(f"the host {name[:80]!r} is no plain host name (a trailing dot, an empty or odd part)")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            if not host.isascii():
                raise ValueError("other digits")
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise UrlRefused(f"the host {name[:80]!r} is a number in an odd spelling: send a host name") from error
    return name


def _is_label(label: str) -> bool:
    return label.isascii() and label.replace("-", "").replace("_", "").isalnum()


def check_public(text: str, *, private: bool) -> None:
    """Raise UrlRefused unless `text` is the IP address of a public host. `private` allows every unicast one."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError as error:
        raise UrlRefused(f"{text[:80]!r} is no plain IP address") from error
    if not is_public(ip) and not (private and not ip.is_multicast and not ip.is_unspecified):
        raise UrlRefused(
            "`url` leads to a loopback, private, link-local or otherwise reserved address: "
            "only public addresses are fetched; send the image itself instead"
        )


def is_public(ip: Ip) -> bool:
    """Whether `ip` belongs to the public internet."""
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id:
        return False
    return not any(ip in network for network in _REFUSED if network.version == ip.version)
