"""The table of attacks on `url`: every line is refused before a connection is opened."""

from __future__ import annotations

import ipaddress

import pytest

from core import addresses, download
from core.errors import FetchFailed, FetchOff, UrlRefused
from core.settings import FetchRules

RULES = FetchRules()

NUMBERS = [
    "2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0x0.0x0.0x1",
    "00000177.1", "127.0.0.01", "127.0.0.256", "1.2.3", "1.2.3.4.5", "3232235777", "0x", "0xa9fea9fe", "134744072",
    "8.8.8.0x8", "010.8.8.8", "127.0.0.1.", "1",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200",
    "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "168.63.129.16",
    "[::]", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]",
    "[::ffff:8.8.8.8]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::808:808]",
    "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fec0::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[fd20:ce::254]", "[ff02::1]", "[2001:db8::1]", "[100::1]",
]  # fmt: skip
SPELLINGS = [
    "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com", "data:image/png;base64,AAAA", "jar:http://a!/b",
    "javascript:alert(1)", "//example.com/a", "/a", "a", "", "http://", "http:///a", "https:example.com",
    "http//a.com", "http://user@example.com/", "http://user:pass@example.com/", "http://example.com@127.0.0.1/", "http://@example.com/",
    "http://example.com./", "http://localhost./", "http://.example.com/", "http://a..b/", "http://.../",
    "http://example.com:99999/", "http://example.com:-1/", "http://example.com:x/", "http://example.com:22/",
    "http://example.com:25/", "https://example.com:0/",
    "http://exa mple.com/", "http://example.com/a b", "http://example.com/\r\nHost: x", "http://example.com/\x00",
    "http://example.com\\@127.0.0.1/", "http:\\\\example.com", "\thttp://example.com", "http://example.com\n",
    "http://[::1", "http://[fe80::1%25eth0]/", "http://[v1.a]/", "http://[1.2.3.4]/", "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2f@example.com/", "http://exam%70le.com/", "http://a_b$.com/", "http://\uff11\uff12\uff17.0.0.1/",
    "http://\u2460\u2461\u2466.0.0.1/", "http://" + "a" * 64 + ".com/", "http://example.com/" + "a" * 3000,
]  # fmt: skip


def never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def itself(host: str, port: int) -> list[str]:
    """A resolver that takes an IP address and gives it back, as the system's does."""
    return [str(ipaddress.ip_address(host))]


@pytest.mark.parametrize("host", NUMBERS)
def test_a_number_in_an_odd_spelling_is_refused_before_it_is_looked_up(host: str) -> None:
    with pytest.raises(UrlRefused):
        download.fetch(f"http://{host}/", RULES, resolve=never)


@pytest.mark.parametrize("host", PRIVATE)
def test_no_address_outside_the_public_internet_is_connected_to(host: str) -> None:
    with pytest.raises(UrlRefused, match="only public addresses"):
        download.fetch(f"http://{host}/latest/meta-data", RULES, resolve=itself)


@pytest.mark.parametrize("url", SPELLINGS)
def test_an_odd_url_is_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises(UrlRefused):
        download.fetch(url, RULES, resolve=never)


@pytest.mark.parametrize("host", PRIVATE)
def test_a_name_that_leads_to_such_an_address_is_refused_too(host: str) -> None:
    with pytest.raises(UrlRefused, match="only public addresses"):
        download.fetch("http://innocent.example/", RULES, resolve=lambda name, port: [host.strip("[]")])


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(UrlRefused, match="only public addresses"):
        download.fetch("http://innocent.example/", RULES, resolve=lambda name, port: ["8.8.8.8", "10.0.0.1"])


@pytest.mark.parametrize(
    "ip", ["8.8.8.8", "1.1.1.1", "151.101.1.140", "2606:4700:4700::1111", "2a00:1450:4001::200e"]
)
def test_public_addresses_are_public(ip: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(ip))


def test_a_scoped_address_is_not_public() -> None:
    assert not addresses.is_public(ipaddress.ip_address("2606:4700:4700::1111%eth0"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", addresses.Address("https", "example.com", 443, "/")),
        ("HTTP://Example.COM:80/a%20b?c=d&e#f", addresses.Address("http", "example.com", 80, "/a%20b?c=d&e")),
        ("https://example.com:8443/é?ü", addresses.Address("https", "example.com", 8443, "/%C3%A9?%C3%BC")),
        ("https://bücher.example/", addresses.Address("https", "xn--bcher-kva.example", 443, "/")),
        ("http://8.8.8.8/a", addresses.Address("http", "8.8.8.8", 80, "/a")),
        ("http://[2606:4700::1]:8080/", addresses.Address("http", "2606:4700::1", 8080, "/")),
        ("http://my_bucket.s3.example.com/k", addresses.Address("http", "my_bucket.s3.example.com", 80, "/k")),
    ],
)
def test_a_plain_url_is_taken_apart(url: str, expected: addresses.Address) -> None:
    assert addresses.parse(url, hosts=(), private=False) == expected


def test_the_host_header_names_the_port_only_when_it_is_unusual() -> None:
    assert addresses.parse("https://a.com:443/", hosts=(), private=False).authority == "a.com"
    assert addresses.parse("https://a.com:444/", hosts=(), private=True).authority == "a.com:444"
    assert addresses.parse("http://[2606:4700::1]:8080/", hosts=(), private=False).authority == "[2606:4700::1]:8080"


def test_with_a_list_of_hosts_only_these_are_fetched() -> None:
    assert addresses.parse("https://Photos.Example/a", hosts=("photos.example",), private=False).host
    for url in ("https://example.com/", "https://evil-photos.example/", "https://photos.example.evil.com/"):
        with pytest.raises(UrlRefused, match="TRIPOINT_FETCH_HOSTS"):
            addresses.parse(url, hosts=("photos.example",), private=False)


def test_private_fetching_for_tests_still_refuses_multicast_and_odd_spellings() -> None:
    addresses.check_public("127.0.0.1", private=True)
    for ip in ("224.0.0.1", "0.0.0.0", "ff02::1", "::"):
        with pytest.raises(UrlRefused):
            addresses.check_public(ip, private=True)
    with pytest.raises(UrlRefused):
        addresses.parse("http://2130706433/", hosts=(), private=True)


def test_switched_off_means_off() -> None:
    with pytest.raises(FetchOff):
        download.fetch("https://example.com/", FetchRules(on=False), resolve=never)


def test_a_name_without_an_address_is_told() -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise OSError("not found")

    with pytest.raises(FetchFailed, match="check its spelling"):
        download.fetch("https://nowhere.example/", RULES, resolve=nothing)
