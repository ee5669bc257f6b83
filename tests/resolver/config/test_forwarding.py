"""Configuration of upstream groups and their servers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from resolver import settings

Load = Callable[..., settings.Accepted]
Refused = Callable[..., list[tuple[int, int, str, str]]]

PASS = settings.Rebinding("pass")


@pytest.mark.parametrize(
    ("text", "line", "column", "path", "message"),
    [
        ("upstreams: {public: {}}", 1, 13, "upstreams.public", "group `public` has no server"),
        ("upstreams: {public: {servers: []}}", 1, 13, "upstreams.public", "group `public` has no server"),
        ("upstreams: {public: {servers: [192.0.2.1]}}", 1, 32, "upstreams.public.servers[0]",
         "`192.0.2.1` has no protocol -> udp://192.0.2.1"),
        ("upstreams: {public: {servers: ['2001:db8::1']}}", 1, 32, "upstreams.public.servers[0]",
         "`2001:db8::1` has no protocol"),
        ("upstreams: {public: {servers: ['udp://2001:db8::1']}}", 1, 32, "upstreams.public.servers[0]",
         "an upstream server needs an IP address: `2001:db8::1`: an IPv6 address must be in brackets"),
        ("upstreams: {public: {servers: ['udp://255.255.255.255']}}", 1, 32, "upstreams.public.servers[0]",
         "`udp://255.255.255.255` is not the address of a server"),
        ("upstreams: {public: {servers: ['udp://[fe80::1]']}}", 1, 32, "upstreams.public.servers[0]",
         "`udp://[fe80::1]`: a link-local address needs its interface, as in `[fe80::1%eth0]`"),
        ("upstreams: {public: {servers: ['udp://[fe80::1%none0]']}}", 1, 32, "upstreams.public.servers[0]",
         "`fe80::1%none0`: this machine has no interface `none0`"),
        ("upstreams: {public: {servers: ['tls://a.b'], bootstrap: ['fe80::1%none0']}}", 1, 58,
         "upstreams.public.bootstrap[0]", "`fe80::1%none0`: this machine has no interface `none0`"),
        ("upstreams: {public: {servers: ['tls://a.b'], bootstrap: [192.0.2.1, 'fe80::1']}}", 1, 69,
         "upstreams.public.bootstrap[1]", "`fe80::1`: a link-local address needs its interface, as in `fe80::1%eth0`"),
        ("upstreams: {public: {servers: ['udp://[fe80::1%lo]'], source: 'fe80::2%none0'}}", 1, 63,
         "upstreams.public.source", "`fe80::2%none0`: this machine has no interface `none0`"),
        ("upstreams: {public: {servers: ['tls://192.0.2.1']}}", 1, 32, "upstreams.public.servers[0]",
         "`tls://192.0.2.1` does not say which certificate name or pin to expect -> tls://192.0.2.1#dns.example"),
        ("upstreams: {public: {servers: ['https://192.0.2.1/dns-query']}}", 1, 32, "upstreams.public.servers[0]",
         ("`https://192.0.2.1/dns-query` does not say which certificate name or pin to expect -> "
          "https://192.0.2.1/dns-query#dns.example")),
        ("upstreams: {public: {servers: ['https://192.0.2.1#a.b']}}", 1, 32, "upstreams.public.servers[0]",
         "`https://192.0.2.1#a.b` has no path -> https://192.0.2.1/dns-query#a.b"),
        ("upstreams: {public: {servers: ['https://a.b/dns query']}}", 1, 32, "upstreams.public.servers[0]",
         "`/dns query` is not the path of a URL such as /dns-query, without `?` and `#`"),
        ("upstreams: {public: {servers: ['https://a.b/x#c.d']}}", 1, 32, "upstreams.public.servers[0]",
         "`https://a.b/x#c.d` has two names"),
        ("upstreams: {public: {servers: ['tls://dns.example']}}", 1, 32, "upstreams.public.servers[0]",
         "`tls://dns.example:853`: its addresses must be in `bootstrap`; no name can be resolved yet"),
        ("upstreams: {public: {servers: ['tls://dns.example'], bootstrap: [192.0.2.1, a.b]}}", 1, 77,
         "upstreams.public.bootstrap[1]", "`a.b` is not an IP address"),
        ("upstreams: {public: {servers: ['tls://192.0.2.1#sha256/AAAA']}}", 1, 32, "upstreams.public.servers[0]",
         "`tls://192.0.2.1#sha256/AAAA`: a pin is the SHA-256 of a public key in base64"),
        ("upstreams: {public: {servers: ['tls://192.0.2.1#a b']}}", 1, 32, "upstreams.public.servers[0]",
         "not a host name: 'a b': label 'a b' has characters that are not allowed in a host name"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1#a.b']}}", 1, 32, "upstreams.public.servers[0]",
         "`udp://192.0.2.1#a.b`: only `https://` may have a path, only `tls://` and `https://` a certificate name"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1:0']}}", 1, 32, "upstreams.public.servers[0]",
         "`udp://192.0.2.1:0` is not the address of a server"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1'], resolv_conf: /etc/resolv.conf}}", 1, 13,
         "upstreams.public", "group `public` must have either `servers` or `resolv_conf`"),
        ("upstreams: {public: {servers: ['tls://192.0.2.1#a.b'], ca: none.pem}}", 1, 60, "upstreams.public.ca",
         "cannot read HERE/none.pem: No such file or directory"),
        ("upstreams: {public: {servers: ['tls://192.0.2.1#a.b'], ca: pldns.yaml}}", 1, 60, "upstreams.public.ca",
         "HERE/pldns.yaml has no PEM certificates"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1'], policy: fast}}", 1, 60, "upstreams.public.policy",
         "must be `sequential` or `fastest` or `race` or `round-robin` -> fastest"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1'], rate: 0}}", 1, 58, "upstreams.public.rate",
         "must be greater than or equal to 1"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1'], tries: 10}}", 1, 59, "upstreams.public.tries",
         "must be less than or equal to 9"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1'], timeout: 5s}}", 1, 61, "upstreams.public.timeout",
         "must be less than or equal to 4"),
        ("upstreams: {public: {servers: ['udp://[2001:db8::1]'], source: 10.0.0.1}}", 1, 64, "upstreams.public.source",
         "`udp://[2001:db8::1]:53` cannot be asked from `10.0.0.1`: one is IPv4, the other IPv6"),
        ("dns: {workers: 4}\nupstreams: {public: {servers: ['udp://192.0.2.1'], rate: 3}}", 2, 58,
         "upstreams.public.rate", "a rate of 3 cannot be divided among 4 workers (dns.workers)"),
        ("cache: {size: 64MB}", 1, 15, "cache.size", "`64MB` is not a size such as 64MiB, 1GiB or a number of octets"),
        ("zones: {private_only: [.]}", 1, 24, "zones.private_only[0]", "the root cannot be configured as a zone"),
        ("upstreams: {public: {servers: ['ftp://192.0.2.1']}}", 1, 32, "upstreams.public.servers[0]",
         "`ftp://` is not a protocol of upstream servers; the protocols are `udp://`, `tcp://`, `tls://` and `https://`"),
        ("upstreams: {public: {servers: ['udp://dns.example']}}", 1, 32, "upstreams.public.servers[0]",
         "an upstream server needs an IP address: `dns.example` is not an IP address"),
        ("upstreams: {public: {servers: ['udp://0.0.0.0']}}", 1, 32, "upstreams.public.servers[0]",
         "`udp://0.0.0.0` is not the address of a server"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1', 'udp://192.0.2.1:53']}}", 1, 51,
         "upstreams.public.servers[1]", "the server `udp://192.0.2.1:53` is listed twice"),
        ("upstreams: {public: {servers: ['udp://192.0.2.1'], suffixes: [a.b]}}", 1, 62, "upstreams.public.suffixes",
         "`public` takes all names without a suffix and cannot have suffixes"),
        ("upstreams: {far: {servers: ['udp://192.0.2.1']}}", 1, 13, "upstreams.far",
         "group `far` is never asked: it has no `suffixes`, and no zone forwards to it"),
        ("upstreams: {a: {servers: ['udp://10.0.0.1'], suffixes: [x.y, X.y.]}}", 1, 62, "upstreams.a.suffixes[1]",
         "`X.y.` is listed twice, in group `a`"),
        ("upstreams:\n  a: {servers: &s ['udp://10.0.0.1'], suffixes: [x.y]}\n  b: {servers: *s, suffixes: [X.y.]}",
         3, 31, "upstreams.b.suffixes[0]",
         "`X.y.` is listed twice, in groups `a` and `b`"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands(
    refused: Refused, file: Path, text: str, line: int, column: int, path: str, message: str
) -> None:
    assert refused(text) == [(line, column, path, message.replace("HERE", str(file.parent)))]


@pytest.mark.parametrize(
    ("listen", "server"),
    [("0.0.0.0:53", "udp://127.0.0.53"), ("[::]:53", "tcp://[::1]"), ("10.0.0.1:53", "udp://[::ffff:10.0.0.1]:53")],
)
def test_an_upstream_that_is_an_own_listener_is_a_loop(refused: Refused, listen: str, server: str) -> None:
    text = f'dns: {{listen: ["{listen}"]}}\nupstreams: {{public: {{servers: ["{server}"]}}}}\n'
    [(line, column, path, message)] = refused(text)
    assert (line, column, path) == (2, 32, "upstreams.public.servers[0]")
    assert "is this server itself" in message


def test_a_group_has_its_own_options_for_queries(accepted: Load) -> None:
    got = accepted(
        "upstreams: {public: {servers: ['udp://192.0.2.1'], cookies: false, mark: false, edns: off, timeout: 2s, "
        "tries: 2, source: 192.0.2.7}}"
    )
    (public,) = got.worker.upstreams
    assert (public.cookies, public.mark, public.edns, public.timeout, public.tries, public.source) == (
        False, False, "off", 2, 2, "192.0.2.7",
    )  # fmt: skip
    (public,) = accepted("upstreams: {public: {servers: ['udp://192.0.2.1']}}").worker.upstreams
    assert (public.cookies, public.mark, public.edns, public.timeout, public.tries, public.source) == (
        True, True, "auto", 4.8, 3, "",
    )  # fmt: skip


def test_a_group_without_suffixes_is_valid_if_a_zone_forwards_to_it(accepted: Load) -> None:
    got = accepted(
        "zones: {overrides: {a.b: {on_miss: forward:far}}}\nupstreams: {far: {servers: ['udp://192.0.2.1']}}"
    )
    assert got.worker.upstreams[0] == settings.UpstreamGroup(
        "far", (settings.Server("udp", "192.0.2.1", 53),), rebinding=settings.Rebinding("strip")
    )


def test_without_public_servers_those_of_resolv_conf_are_used_except_this_server(accepted: Load, file: Path) -> None:
    resolv = file.parent / "resolv.conf"
    resolv.write_text(
        "# comment\nsearch example\nnameserver 127.0.0.1\nnameserver 192.0.2.1 \nnameserver fe80::1\n"
        "nameserver 2001:db8::1\nnameserver 192.0.2.1\n"
    )

    got = accepted("")

    servers = (settings.Server("udp", "192.0.2.1", 53), settings.Server("udp", "2001:db8::1", 53))
    assert got.worker.upstreams == got.control.upstreams == (settings.UpstreamGroup("public", servers, rebinding=PASS),)
    assert got.warnings == (
        f"{resolv}: skipping name server 127.0.0.1, which is this server itself",
        f"{resolv}: skipping name server fe80::1, a link-local address without its interface",
    )


def test_the_rate_of_a_group_is_shared_among_the_workers(accepted: Load) -> None:
    got = accepted("dns: {workers: 3}\nupstreams: {public: {servers: ['udp://168.63.129.16'], rate: 1000}}")
    assert got.worker.upstreams[0].rate == 333


def test_a_group_can_take_its_servers_from_a_resolv_conf_of_its_own(accepted: Load, file: Path) -> None:
    (file.parent / "vpn.conf").write_text("nameserver 10.9.0.4\nnameserver 198.51.100.4\nnameserver 127.0.0.1\n")

    got = accepted("upstreams: {onprem: {resolv_conf: vpn.conf, suffixes: [a.b], count_errors: false}}")

    servers = tuple(settings.Server("udp", each, 53, count_errors=False) for each in ("10.9.0.4", "198.51.100.4"))
    assert got.worker.upstreams[0] == settings.UpstreamGroup("onprem", servers, ("a.b",), rebinding=PASS), (
        "never guarded against rebinding"
    )
    assert got.warnings == (f"{file.parent / 'vpn.conf'}: skipping name server 127.0.0.1, which is this server itself",)


def test_servers_over_tls_have_a_name_or_pin_and_an_address_or_bootstrap(accepted: Load) -> None:
    pin = "8Rw90Ej3Ttt8RRkrg+WYDS9n7IS03bk5bjP/UXPtaY8="
    got = accepted(f"""
upstreams:
  public:
    servers: ["tls://dns.example", "https://dns.example:8443/dns-query", "tls://[2001:db8::1]:8853#a.b",
              "https://192.0.2.9/q#sha256/{pin}", "tcp://192.0.2.9:5353"]
    bootstrap: [192.0.2.1, "2001:db8::53"]
    policy: fastest
    mixed_case: true
    rate: 1000
    rebinding: {{allow: [Plex.Direct]}}
""").worker.upstreams[0]

    server = settings.Server
    assert got.servers == (
        server("tls", "192.0.2.1", 853, "dns.example"), server("tls", "2001:db8::53", 853, "dns.example"),
        server("https", "192.0.2.1", 8443, "dns.example", path="/dns-query"),
        server("https", "2001:db8::53", 8443, "dns.example", path="/dns-query"),
        server("tls", "2001:db8::1", 8853, "a.b"), server("https", "192.0.2.9", 443, pin=pin, path="/q"),
        server("tcp", "192.0.2.9", 5353),
    )  # fmt: skip
    assert (got.policy, got.mixed_case, got.rate, got.rebinding.allow) == ("fastest", True, 1000, ("plex.direct",))


@pytest.mark.parametrize(
    ("servers", "rebinding", "guarded"),
    [
        ("'udp://198.51.100.1', 'tls://[2001:db8::1]#a.b'", "", True),
        ("'udp://198.51.100.1', 'udp://10.0.0.1'", "", False),
        ("'udp://168.63.129.16'", "", False),
        ("'udp://[fd00::1]'", "", False),
        ("'udp://10.0.0.1'", "rebinding: {answers: strip}", True),
        ("'udp://198.51.100.1'", "rebinding: {answers: pass}", False),
    ],
)
def test_by_default_only_groups_of_public_servers_are_guarded_against_rebinding(
    accepted: Load, servers: str, rebinding: str, guarded: bool
) -> None:
    got = accepted(f"upstreams: {{public: {{servers: [{servers}], {rebinding}}}}}")
    assert got.worker.upstreams[0].rebinding.answers == ("strip" if guarded else "pass")


def test_every_address_of_this_machine_is_a_loop_with_a_wildcard_listener(refused: Refused) -> None:
    text = "dns: {listen: ['0.0.0.0:53']}\nupstreams: {public: {servers: ['udp://127.9.9.9']}}"
    assert refused(text) == [
        (2, 32, "upstreams.public.servers[0]", "`udp://127.9.9.9:53` is this server itself: a loop")
    ]


def test_no_public_servers_at_all_is_a_warning(accepted: Load, file: Path) -> None:
    accepted("")
    resolv = file.parent / "resolv.conf"
    resolv.unlink()

    got = accepted("")

    assert got.worker.upstreams == (settings.UpstreamGroup("public", (), rebinding=PASS),)
    assert got.warnings == (
        f"cannot read {resolv}: No such file or directory",
        f"{resolv} has no usable name server: public names cannot be resolved",
    )


@pytest.mark.parametrize("uri", ["udp://[fe80::1%lo]", "tcp://[fe80::1%lo]", "tls://[fe80::1%lo]#dns.example"])
def test_a_link_local_server_has_its_interface(accepted: Load, uri: str) -> None:
    (group,) = accepted(f"upstreams: {{public: {{servers: ['{uri}'], source: 'fe80::2%lo'}}}}").worker.upstreams
    assert [(server.address, group.source) for server in group.servers] == [("fe80::1%lo", "fe80::2%lo")]


def test_an_interface_that_does_not_exist_yet_is_waited_for(accepted: Load) -> None:
    got = accepted("dns: {bind: wait}\nupstreams: {public: {servers: ['udp://[fe80::1%none0]']}}")
    assert got.worker.upstreams[0].servers[0].address == "fe80::1%none0"
    (warning,) = got.warnings
    assert warning == "upstreams.public.servers: `fe80::1%none0`: this machine has no interface `none0` yet"


def test_caches_that_do_not_fit_into_the_memory_are_named(accepted: Load) -> None:
    assert accepted("{memory: 512MiB, dns: {workers: 2}, cache: {size: 512MiB}}").warnings == (
        "cache.size: both caches of each worker together have 146 MiB instead of 704, because `memory` is 512 MiB",
    )
    assert accepted("{memory: 1GiB, cache: {size: 64MiB, answers: 64MiB}}").warnings == ()
    assert accepted("memory: 128MiB").warnings == ()


def test_memory_is_a_size_that_is_large_enough(accepted: Load, refused: Refused) -> None:
    assert accepted("memory: 96MiB").memory == 96 << 20
    assert accepted("").memory == 0
    [(line, _, path, _)] = refused("memory: 32MiB")
    assert (line, path) == (1, "memory")
