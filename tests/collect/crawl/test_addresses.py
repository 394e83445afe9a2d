import asyncio
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.collect.crawl.addresses import is_public
from corpusmill.collect.crawl.fetch import FetchError, fetching
from corpusmill.reasons import Fate
from tests.collect.crawl.server import page, redirect, serving

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.9
192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::808:808
100::1 2001::1 2001:2::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1
5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
""".split()

PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 2606:4700::1111 2001:4860:4860::8888 ::ffff:8.8.8.8".split()


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_no_embedding_makes_an_address_public(number):
    v4 = ipaddress.IPv4Address(number)
    embedded = [number, 0xFFFF << 32 | number, 0x64_FF9B << 96 | number, 0x2002 << 112 | number << 80]
    for whole in embedded:
        if is_public(str(ipaddress.IPv6Address(whole))):
            assert is_public(str(v4))


def get(settings, url):
    async def run():
        async with fetching(settings, 0.0) as fetcher:
            return await fetcher.get(url, 1000)

    return asyncio.run(run())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "a.example"])
def test_no_connection_is_made_to_a_private_address(host):
    with serving({f"http://{host}/": page()}) as server:
        settings = server.settings(allow_private_addresses=False)
        with pytest.raises(FetchError) as caught:
            get(settings, f"http://{host}/" if host == "a.example" else f"http://{host}:{server.port}/")
    assert caught.value.fate is Fate.PRIVATE_ADDRESS
    assert "is not a public address" in caught.value.message
    assert server.connections == 0


def test_private_addresses_if_the_recipe_allows_them():
    with serving({"http://a.example/": page()}) as server:
        assert get(server.settings(), "http://a.example/").status == 200


def test_a_redirect_is_not_followed_by_itself():
    with serving({"http://a.example/": redirect("http://127.0.0.1/secret")}) as server:
        answer = get(server.settings(), "http://a.example/")
    assert (answer.status, answer.location) == (301, "http://127.0.0.1/secret")
    assert server.paths == ["a.example/"]
