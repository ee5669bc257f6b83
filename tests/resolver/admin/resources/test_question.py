"""Questions as people type them."""

import pytest

from resolver.admin.resources.question import Client, InvalidQuestion, client, question
from resolver.wire import codes
from zones.dns.name import to_text
from zones.networks.network import Network


@pytest.mark.parametrize(
    ("name", "rtype", "asked"),
    [
        ("Acct.Blob.core.windows.net.", None, "acct.blob.core.windows.net A"),
        (" acct.blob.core.windows.net ", "aaaa", "acct.blob.core.windows.net AAAA"),
        ("acct.example", "TYPE65", "acct.example HTTPS"),
        ("10.1.0.4", None, "4.0.1.10.in-addr.arpa PTR"),
        ("10.1.0.4", "ptr", "4.0.1.10.in-addr.arpa PTR"),
        ("[2001:db8::1]", None, f"1.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa PTR"),
        ("0/25.2.0.192.in-addr.arpa", "NS", "0/25.2.0.192.in-addr.arpa NS"),
        ("bücher.example", None, "xn--bcher-kva.example A"),
        (".", "NS", ". NS"),
    ],
)
def test_a_question_is_what_a_person_means(name: str, rtype: str | None, asked: str) -> None:
    found = question(name, rtype)
    assert f"{to_text(found.name)} {codes.type_text(found.type)}" == asked


@pytest.mark.parametrize(
    ("name", "rtype", "says"),
    [
        ("https://acct.blob.core.windows.net/container?x=1", None, "the name in it is acct.blob.core.windows.net"),
        ("sftp://user@acct.blob.core.windows.net:22/x", None, "the name in it is acct.blob.core.windows.net"),
        ("//acct.example/x", None, "the name in it is acct.example"),
        ("acct.blob.core.windows.net/container", None, "the name in it is acct.blob.core.windows.net"),
        ("acct.example:443/x", None, "the name in it is acct.example"),
        ("acct.blob.core.windows.net:443", None, "has a port; the name in it is acct.blob.core.windows.net"),
        ("https://10.1.0.4/", None, "the address in it is 10.1.0.4"),
        ("https://[::1", None, "give a domain name or an address"),
        ("10.1.0.4", "A", "leave out A"),
        ("a..b", None, "empty label"),
        ("", None, "no domain name"),
        ("acct.example", "BOGUS", "TYPE65"),
    ],
)
def test_anything_else_is_refused_with_what_to_type_instead(name: str, rtype: str | None, says: str) -> None:
    with pytest.raises(InvalidQuestion, match=says.replace(".", r"\.")):
        question(name, rtype)


def test_a_client_is_one_address() -> None:
    assert client("10.1.0.4", []) == client("::ffff:10.1.0.4", []) == Client(b"\x0a\x01\0\4")
    assert client("[fe80::1%eth0]", []).address[-1] == 1
    with pytest.raises(InvalidQuestion, match=r"give one address of it, such as 10\.1\.0\.0"):
        client("10.1.0.0/16", [])
    with pytest.raises(InvalidQuestion, match="not an IP address"):
        client("me", [])


def test_a_network_is_the_first_address_of_its_first_prefix() -> None:
    networks = [Network("Spoke-App", ("10.2.1.0/24", "10.3.0.0/16")), Network("branch", ())]
    assert client("spoke-app", networks) == Client(b"\x0a\2\1\0", "Spoke-App")
    with pytest.raises(InvalidQuestion, match="nor the name of a network; nearest: `Spoke-App`"):
        client("spoke-ap", networks)
    with pytest.raises(InvalidQuestion, match="network branch has no client prefix"):
        client("branch", networks)
