"""Where a message may be sent: public addresses alone, whatever the name says and however it is written."""

import pytest

from churnml.errors import UsageError
from churnml.service.push.destination import Destination, destination, is_public

PUBLIC = "93.184.215.14"


def leading_to(*addresses):
    return lambda _host, _port: addresses


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.9.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "::ffff:8.8.8.8",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
        "3fff::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "::127.0.0.1", "nonsense",
        "2606:4700:4700::1111%eth0",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_open_internet_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111"])
def test_an_address_of_the_open_internet_is_public(address):
    assert is_public(address)


def test_where_a_url_leads_is_told_in_its_parts():
    found = destination("https://CRM.example.com:8443/a/b?c=d", resolve=leading_to(PUBLIC, PUBLIC))
    assert found == Destination("https", "crm.example.com", 8443, "/a/b?c=d", (PUBLIC,))
    assert destination("https://crm.example.com", resolve=leading_to(PUBLIC)).target == "/"


def test_one_private_address_among_several_is_enough_to_refuse():
    with pytest.raises(UsageError, match=r"`crm.example.com` must lead to public addresses alone") as told:
        destination("https://crm.example.com", resolve=leading_to(PUBLIC, "10.0.0.5"))
    assert "10.0.0.5" not in str(told.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost", "LOCALHOST."]
)
def test_a_private_host_is_refused_however_it_is_written(host):
    with pytest.raises(UsageError, match="must lead to public addresses alone"):
        destination(f"https://{host}/hook")


@pytest.mark.parametrize(
    "url, said",
    [
        ("http://crm.example.com/", "must begin with https://"),
        ("ftp://crm.example.com/", "must be one such as https://"),
        ("https:///path", "must be one such as https://"),
        ("crm.example.com", "must be one such as https://"),
        ("https://crm.example.com:0/", "must be one such as https://"),
        ("https://crm.example.com:99999/", "must be one, such as https://"),
        ("https://[::1/", "must be one, such as https://"),
        ("https://user:word@crm.example.com/", "must hold no user, password or fragment"),
        ("https://crm.example.com/#part", "must hold no user, password or fragment"),
        ("https://crm.example.com\\@127.0.0.1/", "must be plain ASCII"),
        ("https://crm.example.com/a b", "must be plain ASCII"),
        ("https://crm.example.com/\r\nX-Other: 1", "must be plain ASCII"),
        ("https://客户.example/", "must be plain ASCII"),
        (f"https://{'a' * 254}/", "must be one such as https://"),
    ],
)
def test_a_url_that_is_not_plain_is_refused_in_words(url, said):
    with pytest.raises(UsageError, match=said):
        destination(url, resolve=leading_to(PUBLIC))


def test_a_name_without_an_address_is_refused():
    with pytest.raises(UsageError, match="must have an address, found none"):
        destination("https://crm.example.invalid/", resolve=leading_to())


def test_a_host_that_was_allowed_may_be_private_and_without_tls_and_no_other_may():
    assert destination("http://Crm.internal/", {"crm.internal"}, leading_to("10.0.0.5")).addresses == ("10.0.0.5",)
    with pytest.raises(UsageError):
        destination("http://crm.internal.example.com/", {"crm.internal"}, leading_to("10.0.0.5"))
