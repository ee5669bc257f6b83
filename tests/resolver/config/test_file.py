"""Loading a configuration: accepted values, and the position and text of each problem."""

import os
import socket
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from resolver import settings
from resolver.admin_settings import AdminSettings
from resolver.config.file import ConfigError, load
from resolver.host_port import HostPort
from zones.azure.configured_names import NameEntry
from zones.claims.policy import ConflictPolicy, Pin, ZonePolicy
from zones.clocks import WallTime
from zones.networks.excepted import ExceptedItem
from zones.networks.network import Network

VNET_FORM = "/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Network/virtualNetworks/NAME"
VNET = "/subscriptions/s1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/"
ZONE = "$TTL 60\n@ SOA ns hostmaster 1 3600 300 2419200 60\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\n"

Load = Callable[..., settings.Accepted]
Refused = Callable[..., list[tuple[int, int, str, str]]]


EXAMPLE = f"""\
dns:
  listen: ["127.0.0.1:5300"]          # UDP and TCP
  workers: 2
  allow: [127.0.0.0/8, 10.0.0.0/8, "::1/128"]
sources:
  - {{name: estate, type: files, path: ./endpoints}}
networks:
  - {{name: weu, clients: [10.1.0.0/16], vnets: [{VNET}weu],
     reach: [{VNET}hub, "region:North Europe", /subscriptions/s2]}}
zones:
  defaults: {{ttl: 30s, negative_ttl: 5m, on_miss: public, chain: flat}}
  overrides:
    Privatelink.Vaultcore.Azure.Net.: {{on_miss: "forward:onprem"}}
  files: [./static/*.zone]
upstreams:
  public: {{servers: ["udp://192.0.2.53", "tcp://[2001:DB8::1]:5353"]}}
  onprem: {{servers: ["udp://10.9.0.4:5353"], suffixes: [Corp.Example.]}}
conflicts:
  policy: merge
  policies: {{blob.core.windows.net: refuse}}
  pins:
    - {{name: Acct.blob.core.windows.net, network: weu, endpoint: pe-1, until: 2030-01-01T00:00:00Z, reason: move}}
admin: {{listen: "127.0.0.1:8053"}}
state: {{directory: ./state}}
"""


def test_the_whole_example_is_accepted_as_plain_values(accepted: Load, file: Path) -> None:
    (file.parent / "static").mkdir()
    zone = file.parent / "static" / "corp.zone"
    zone.write_text("$ORIGIN Static.Example.\n" + ZONE)

    got = accepted(EXAMPLE)

    networks = (
        Network("weu", ("10.1.0.0/16",), (VNET + "weu",), (VNET + "hub", "region:North Europe", "/subscriptions/s2")),
    )
    zones = settings.Zones(
        defaults=ZonePolicy(30, 300, "public", "flat"),
        overrides={"privatelink.vaultcore.azure.net": ZonePolicy(on_miss="forward:onprem")},
        files=(str(zone),),
        origins=("static.example",),
        patterns=got.control.zones.patterns,
    )
    upstreams = (
        settings.UpstreamGroup(
            "public",
            (settings.Server("udp", "192.0.2.53", 53), settings.Server("tcp", "2001:db8::1", 5353)),
            rebinding=settings.Rebinding("strip"),
        ),
        settings.UpstreamGroup(
            "onprem",
            (settings.Server("udp", "10.9.0.4", 5353),),
            ("corp.example",),
            rebinding=settings.Rebinding("pass"),
        ),
    )
    pin = Pin("acct.blob.core.windows.net", "pe-1", "weu", WallTime(1893456000.0), "move")
    assert len(got.worker.cookies.root) == 32
    assert len(got.worker.mark) == 8
    assert got == settings.Accepted(
        log=settings.LogSettings(time="auto"),
        path=str(file),
        worker=settings.WorkerSettings(
            cookies=got.worker.cookies,
            mark=got.worker.mark,
            identity=socket.gethostname(),
            listen=(HostPort("127.0.0.1", 5300),),
            allow=("127.0.0.0/8", "10.0.0.0/8", "::1/128"),
            networks=networks,
            zones=zones,
            upstreams=upstreams,
            unsynced=True,
        ),
        control=settings.ControlSettings(
            networks=networks,
            zones=zones,
            sources=(settings.SourceSettings("estate", "files", str(file.parent / "endpoints")),),
            conflicts=settings.ConflictSettings(
                ConflictPolicy.MERGE, {"blob.core.windows.net": ConflictPolicy.REFUSE}, (pin,)
            ),
            upstreams=upstreams,
            admin=AdminSettings(HostPort("127.0.0.1", 8053), socket=str(file.parent / "state" / "admin.sock")),
            state_directory=str(file.parent / "state"),
            workers=2,
        ),
        workers=2,
        source=got.source,
        keys=got.keys,
    )


def test_exceptions_know_their_place_in_the_file(accepted: Load, file: Path) -> None:
    got = accepted("""\
        networks:
          - auto
          - name: local
            clients: [10.0.0.0/8]
            except:
              - pe-arc
              - gbl.his.arc.azure.com
        sources: [{name: s, type: files, path: .}]
    """)
    (network,) = got.control.networks
    assert network.excepted == (
        ExceptedItem("pe-arc", f"networks[1].except[0] ({file}:6)"),
        ExceptedItem("gbl.his.arc.azure.com", f"networks[1].except[1] ({file}:7)"),
    )


def test_configured_names_know_their_place_in_the_file(accepted: Load, file: Path) -> None:
    got = accepted("""\
        names:
          - {name: DB.Partner.Example., endpoint: pe-1}
          - {name: "*.apps.example", endpoint: pe-2, member: gateway}
    """)
    assert got.control.names == (
        NameEntry("db.partner.example", "pe-1", "", f"names[0] ({file}:2)"),
        NameEntry("*.apps.example", "pe-2", "gateway", f"names[1] ({file}:3)"),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "dns:\nsources:\n", "{}"])
def test_an_empty_file_or_section_means_the_defaults(accepted: Load, file: Path, text: str) -> None:
    got = accepted(text)

    assert got.worker.listen == (HostPort("127.0.0.1", 53),)
    assert len(got.worker.allow) == 9
    assert got.worker.zones.defaults == settings.Zones().defaults
    assert not got.worker.unsynced
    assert got.control.admin.listen == HostPort("127.0.0.1", 8053)
    assert got.control.state_directory == str(file.parent / "state")
    assert got.warnings == ()


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml", {})

    assert str(caught.value) == f"{tmp_path}/none.yaml: cannot read the file: No such file or directory"


def test_a_file_that_is_not_utf8_is_one_line(file: Path) -> None:
    file.write_bytes(b"dns: \xff")
    with pytest.raises(ConfigError, match=r"not UTF-8 \(at octet 5\)"):
        load(file, {})


def test_a_syntax_error_has_line_and_column_and_the_line_of_the_open_bracket(refused: Refused) -> None:
    assert refused("dns:\n  listen: [a\nadmin: {}\n") == [
        (3, 6, "", "not YAML: expected ',' or ']', but got ':' (while parsing a flow sequence that begins in line 2)")
    ]


@pytest.mark.parametrize("text", ["dns: &a [*a]", "[" * 5000])
def test_yaml_without_end_is_refused(refused: Refused, text: str) -> None:
    [(line, _, _, message)] = refused(text)
    assert line == 1
    assert message in {"nested too deeply, or contains itself", "not YAML: found undefined alias 'a'"}


def test_a_control_character_is_a_syntax_error(refused: Refused) -> None:
    [(_, _, _, message)] = refused("dns: \x07")
    assert message.startswith("not YAML: ")


def test_duplicate_keys_are_refused_with_both_lines(refused: Refused) -> None:
    assert refused("admin: {}\ndns:\n  workers: 1\n  workers: 2\nadmin: {}\n") == [
        (4, 3, "dns.workers", "the key `workers` is repeated (first in line 3, again in line 4)"),
        (5, 1, "admin", "the key `admin` is repeated (first in line 1, again in line 5)"),
    ]


def test_all_errors_come_at_once_one_line_each(accepted: Load, file: Path) -> None:
    text = """\
        dns:
          lisen: ["127.0.0.1:5300"]
          workers: true
        networks:
          - {name: weu, clients: [10.1.0.0/16, 10.2.3.0/16]}
          - {name: weu, clients: [10.1.0.0/16]}
        zones:
          defaults: {on_miss: "forward:onpre", chain: cnam}
        upstreams:
          onprem: {servers: ["udp://127.0.0.1:53"], suffixes: [corp.example]}
        """
    with pytest.raises(ConfigError) as caught:
        accepted(text)

    assert str(caught.value).replace(f"{file}:", "") == textwrap.dedent("""\
        2:3: dns.lisen: unknown key (did you mean `listen`?)
        3:12: dns.workers: must be a whole number
        5:40: networks[0].clients[1]: `10.2.3.0/16` has bits set after its prefix length (did you mean `10.2.0.0/16`?)
        6:12: networks[1].name: the network `weu` is listed twice
        6:27: networks[1].clients[0]: `10.1.0.0/16` is in both network `weu` and network `weu`
        8:23: zones.defaults.on_miss: there is no upstream group `onpre` (did you mean `onprem`?)
        8:47: zones.defaults.chain: must be `auto` or `cname` or `flat` (did you mean `cname`?)
        10:22: upstreams.onprem.servers[0]: `udp://127.0.0.1:53` is this server itself: a loop""")


RESERVED = (
    "the name `{}` is reserved: `none` means clients in no network, `default` the network "
    "without configuration, `auto` networks made by virtual networks"
)
NETWORK = "networks: [{name: a, clients: [10.0.0.0/8]"


@pytest.mark.parametrize(
    ("text", "line", "column", "path", "message"),
    [
        ("[a]", 1, 1, "", "must be a mapping of keys to values"),
        ("dnss: {}", 1, 1, "dnss", "unknown key -> dns"),
        ("dns: 5", 1, 6, "dns", "must be a mapping of keys to values"),
        ("? [a]\n: b", 1, 3, "", "a key must be text"),
        ('state: {directory: "a\\0b"}', 1, 20, "state.directory", "control characters are not allowed"),
        ('zones: {files: ["a\\ud800"]}', 1, 17, "zones.files[0]", "control characters are not allowed"),
        ('"d\\0": 1', 1, 1, "", "control characters are not allowed in a key"),
        ("dns: !secret {}", 1, 6, "dns", "the tag `!secret` is not supported"),
        ("dns: {workers: 0}", 1, 16, "dns.workers", "must be greater than or equal to 1"),
        ("dns: {workers: }", 1, 15, "dns.workers", "has no value, and must be a whole number"),
        (
            "admin: {tokens: [{name: a, role: read, sha256: }]}", 1, 47, "admin.tokens[0].sha256",
            "has no value, and must be text",
        ),
        ("dns: {workers: all}", 1, 16, "dns.workers", "must be a whole number"),
        ("dns: {listen: '127.0.0.1:53'}", 1, 15, "dns.listen", "must be a list"),
        ("dns: {listen: []}", 1, 15, "dns.listen", "must not be empty"),
        ("dns: {listen: [localhost:53]}", 1, 16, "dns.listen[0]", "`localhost` is not an IP address"),
        ("dns: {listen: [127.0.0.1]}", 1, 16, "dns.listen[0]", "`127.0.0.1` has no port -> 127.0.0.1:53"),
        ("dns: {listen: [127.0.0.1:70000]}", 1, 16, "dns.listen[0]", "`127.0.0.1:70000`: a port is at most 65535"),
        ("dns: {listen: ['::1']}", 1, 16, "dns.listen[0]", "`::1`: an IPv6 address must be in brackets"),
        (
            "dns: {listen: ['[fe80::1%eth0]:53']}", 1, 16, "dns.listen[0]",
            "`[fe80::1%eth0]:53`: pldns does not listen on one link only; `[::]` has the link-local addresses too",
        ),
        (
            "dns: {listen: ['[fe80::1%eth0]']}", 1, 16, "dns.listen[0]",
            "`[fe80::1%eth0]`: pldns does not listen on one link only; `[::]` has the link-local addresses too",
        ),
        (
            "dns: {listen: ['[fe80::1]:53']}", 1, 16, "dns.listen[0]",
            "`[fe80::1]:53`: pldns does not listen on one link only; `[::]` has the link-local addresses too",
        ),
        (
            'dns: {listen: ["[::1]:53", "[0:0::1]:53"]}', 1, 28, "dns.listen[1]",
            "the address `[::1]:53` is listed twice",
        ),
        ("dns: {allow: [10.0.0.0/33]}", 1, 15, "dns.allow[0]",
         "`10.0.0.0/33` is not a prefix such as 10.0.0.0/8 or fd00::/8"),
        ("dns: {allow: ['::ffff:10.0.0.0/104']}", 1, 15, "dns.allow[0]",
         "`::ffff:10.0.0.0/104`: IPv4-mapped clients are IPv4 clients here -> 10.0.0.0/8"),
        ("networks: Auto", 1, 11, "networks", "must be a list"),
        ("networks: [auto, auto]", 1, 18, "networks[1].name", "the network `auto` is listed twice"),
        ("networks: [{name: auto, clients: [10.0.0.0/8]}]", 1, 19, "networks[0].name", RESERVED.format("auto")),
        ("dns: {listeners: {'127.0.0.2:53': default}}", 1, 35, 'dns.listeners["127.0.0.2:53"]',
         "nothing listens on `127.0.0.2:53` -> 127.0.0.1:53"),
        ("dns: {listeners: {'127.0.0.1:53': weu}}", 1, 35, 'dns.listeners["127.0.0.1:53"]',
         "there is no network `weu`"),
        ("dns: {listen: ['127.0.0.1:0'], listeners: {'127.0.0.1:0': default}}", 1, 59,
         'dns.listeners["127.0.0.1:0"]', "`127.0.0.1:0`: a listener for one network needs a fixed port"),
        ("dns: {listeners: {'127.0.0.1:53': a b}}", 1, 35, 'dns.listeners["127.0.0.1:53"]',
         "`a b` is not the name of a network"),
        ("sources: [{name: a, type: files, path: a, hold_down: 5m}]", 1, 43, "sources[0].hold_down", "unknown key"),
        ("sources: [{name: a, type: azure, event: {}}]", 1, 34, "sources[0].event", "unknown key -> events"),
        (
            "sources: [{name: a, type: azure, events: {listen: '127.0.0.1:8053', secret: {file: s}}}]", 1, 51,
            "sources[0].events.listen", "`127.0.0.1:8053` is already used by another listener",
        ),
        (
            "sources: [{name: a, type: azure, events: {listen: '127.0.0.1:81', secret: {}}}]", 1, 67,
            "sources[0].events.secret", "needs either `file` or `environment`",
        ),
        (
            "sources: [{name: a, type: azure, events: {listen: '127.0.0.1:81', secret: hush}}]", 1, 75,
            "sources[0].events.secret",
            "must not be the secret itself, but where it is: {file: PATH} or {environment: NAME}",
        ),
        ("sources: [{type: files, path: a}]", 1, 11, "sources[0]", "`name` is missing"),
        ("sources: [{name: a b, type: files, path: a}]", 1, 18, "sources[0].name",
         "`a b` is not a name of letters, digits, `-`, `_` and `.`, at most 63"),
        (
            "sources: [{name: a, type: file, path: a}]",
            1,
            27,
            "sources[0].type",
            "must be `files` or `azure` or `registry` or `hub` -> files",
        ),
        ("sources: [{name: a, path: a}]", 1, 11, "sources[0]", "`type` is missing"),
        ("sources: [a]", 1, 11, "sources[0]", "must be a mapping of keys to values"),
        ("sources: [{name: a, type: files, path: a, on_unsynced: never}]", 1, 56, "sources[0].on_unsynced",
         "must be `servfail` or `public`"),
        ("sources: [{name: a, type: files, path: ''}]", 1, 40, "sources[0].path", "must not be empty"),
        ("sources: [{name: a, type: files, path: a}, {name: a, type: files, path: b}]", 1, 51, "sources[1].name",
         "the source `a` is listed twice"),
        ("networks: [{name: none, clients: [10.0.0.0/8]}]", 1, 19, "networks[0].name",
         RESERVED.format("none")),
        (NETWORK + ", vnets: [spoke]}]", 1, 53, "networks[0].vnets[0]",
         f"`spoke` is not the resource id of a virtual network: {VNET_FORM}"),
        (NETWORK + ", reach: [everything]}]", 1, 53, "networks[0].reach[0]",
         f"`everything` is none of: {VNET_FORM}, /subscriptions/ID, region:NAME, all"),
        (NETWORK + "}, {name: b, clients: [10.0.0.0/8]}]", 1, 66, "networks[1].clients[0]",
         "`10.0.0.0/8` is in both network `a` and network `b`"),
        ("zones: {defaults: {ttl: 250ms}}", 1, 25, "zones.defaults.ttl",
         "`250ms` is not a duration in whole seconds such as 10s, 5m, 1h, 1d or 10"),
        ("zones: {defaults: {ttl: -1}}", 1, 25, "zones.defaults.ttl",
         "`-1` is not a duration in whole seconds such as 10s, 5m, 1h, 1d or 10"),
        ("zones: {defaults: {ttl: 8d}}", 1, 25, "zones.defaults.ttl", "`8d` is more than 7 days"),
        ("zones: {defaults: {on_miss: nope}}", 1, 29, "zones.defaults.on_miss",
         "`nope` is none of: public, nxdomain, nodata, servfail, forward:GROUP"),
        ("zones: {overrides: {a..b: {}}}", 1, 21, 'zones.overrides["a..b"]',
         "not a domain name: 'a..b': empty label"),
        ("zones: {overrides: {a.b: {chain: flatt}}}", 1, 34, 'zones.overrides["a.b"].chain',
         "must be `auto` or `cname` or `flat` -> flat"),
        ("zones: {overrides: {a.b: {}, A.B.: {}}}", 1, 30, 'zones.overrides["A.B."]',
         "`A.B.` and `a.b` are the same name"),
        ("zones: {files: [a.zone]}", 1, 17, "zones.files[0]", "there is no file `a.zone`"),
        ("conflicts: {policy: first}", 1, 21, "conflicts.policy", "must be `sticky` or `merge` or `refuse`"),
        ("conflicts: {policies: {a.b: stick}}", 1, 29, 'conflicts.policies["a.b"]',
         "must be `sticky` or `merge` or `refuse` -> sticky"),
        ("conflicts: {pins: [{name: 'a b', endpoint: e}]}", 1, 27, "conflicts.pins[0].name",
         "not a host name: 'a b': label 'a b' has characters that are not allowed in a host name"),
        ("conflicts: {pins: [{name: a.b, endpoint: e, until: 2030-01-01}]}", 1, 52, "conflicts.pins[0].until",
         "`2030-01-01` has no time zone -> 2030-01-01T00:00:00Z"),
        ("conflicts: {pins: [{name: a.b, endpoint: e, until: soon}]}", 1, 52, "conflicts.pins[0].until",
         "`soon` is not a date and time such as 2030-01-31T18:00:00Z"),
        ("conflicts: {pins: [{name: a.b, endpoint: e, network: weu}]}", 1, 54, "conflicts.pins[0].network",
         "there is no network `weu`"),
        ("conflicts: {pins: [{name: a.b, endpoint: e}, {name: A.b., endpoint: f}]}", 1, 53, "conflicts.pins[1].name",
         "`a.b` is already pinned in all networks by pins[0]"),
        (NETWORK + ", except: ['']}]", 1, 54, "networks[0].except[0]",
         "must be the resource id or name of an endpoint, or an FQDN"),
        (NETWORK + ", except: [Pe, a.b, pE]}]", 1, 63, "networks[0].except[2]", "the item `pe` is listed twice"),
        (NETWORK + ", excepts: [Pe]}]", 1, 45, "networks[0].excepts", "unknown key -> except"),
        ("names: [{name: 'a b', endpoint: e}]", 1, 16, "names[0].name",
         "not a host name: 'a b': label 'a b' has characters that are not allowed in a host name"),
        ("names:\n  - {name: …, endpoint: e}", 2, 12, "names[0].name",
         ("not a host name: '…': an escape, or a character that is equivalent to a dot, together with letters "
          "outside ASCII")),
        ("names: [{name: a.b}]", 1, 9, "names[0]", "`endpoint` is missing"),
        ("names: [{name: a.b, endpoint: e, members: m}]", 1, 34, "names[0].members", "unknown key -> member"),
        ("names:\n  - {name: a.b, endpoint: Pe}\n  - {name: A.b., endpoint: pE}", 3, 5, "names[1]",
         "names[0] gives this endpoint `a.b` already"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands(
    refused: Refused, file: Path, text: str, line: int, column: int, path: str, message: str
) -> None:
    assert refused(text) == [(line, column, path, message.replace("HERE", str(file.parent)))]


def test_a_reference_to_an_invalid_group_is_not_a_second_mistake(refused: Refused) -> None:
    text = "upstreams: {onprem: {servers: [nowhere], suffixes: [a..b]}}\nzones: {defaults: {on_miss: forward:onprem}}\n"
    assert [path for _, _, path, _ in refused(text)] == ["upstreams.onprem.servers[0]", "upstreams.onprem.suffixes[0]"]


def test_words_of_yaml_1_1_are_text(accepted: Load) -> None:
    got = accepted("networks: [{name: no, clients: [10.0.0.0/8]}, {name: 12, clients: [10.1.2.3]}]")

    assert [network.name for network in got.worker.networks] == ["no", "12"]
    assert got.worker.networks[1].clients == ("10.1.2.3/32",)


def test_anchors_repeat_a_value_and_errors_name_each_use(refused: Refused, accepted: Load) -> None:
    text = """\
        networks:
        - {name: a, clients: [10.0.0.0/8], reach: &hub [%s]}
        - {name: b, clients: [10.1.0.0/16], reach: *hub}
        """

    assert [network.reach for network in accepted(text % "all").worker.networks] == [("all",), ("all",)]
    assert [path for _, _, path, _ in refused(text % "some")] == ["networks[0].reach[0]", "networks[1].reach[0]"]


def test_port_0_may_be_listed_twice(accepted: Load) -> None:
    listen = HostPort("127.0.0.1", 0), HostPort("127.0.0.1", 0), HostPort("::1", 0)
    assert accepted('dns: {listen: ["127.0.0.1:0", "127.0.0.1:0", "[::1]:0"]}').worker.listen == listen


def test_an_open_resolver_and_clients_that_are_not_allowed_are_warned_of(accepted: Load) -> None:
    assert accepted("dns: {allow: [0.0.0.0/0]}").warnings == ("dns.allow has 0.0.0.0/0: any client may ask",)
    assert accepted("networks: [{name: a, clients: [203.0.113.0/24, 0.0.0.0/0]}]").warnings == (
        "network `a`: clients in 203.0.113.0/24 are refused, because dns.allow does not have them",
    )


def test_zone_files_are_found_by_glob_beside_the_file_each_once(accepted: Load, file: Path) -> None:
    folder = file.parent
    for name in ("b", "a"):
        (folder / f"{name}.zone").write_text(f"$ORIGIN {name}.example.\n{ZONE}")
    (folder / "sub.zone").mkdir()

    got = accepted("zones: {files: [b.zone, '*.zone', './sub.zone/../a.zone', 'none*']}")

    assert got.worker.zones.files == (str(folder / "b.zone"), str(folder / "a.zone"))
    assert got.worker.zones.origins == ("b.example", "a.example")
    assert got.warnings == ("zones.files[3]: no file matches `none*`",)


def test_zone_files_that_cannot_be_served_are_errors(refused: Refused, file: Path) -> None:
    folder = file.parent
    (folder / "a.zone").write_text(f"$ORIGIN a.example.\n{ZONE}")
    (folder / "b.zone").write_text(f"$ORIGIN A.example.\n{ZONE}")
    (folder / "c.zone").write_text("$ORIGIN c.example.\n@ SOA nonsense\nbad IN A 300.1.1.1\n")
    (folder / "d.zone").write_bytes(b"; \xff\n")
    (folder / "e.zone").symlink_to(folder / "gone")

    problems = refused("zones:\n  files: [a.zone, b.zone, c.zone, d.zone, '*.zone']\n")

    positions = {(line, column, path) for line, column, path, _ in problems}
    assert {(2, 19, "zones.files[1]"), (2, 27, "zones.files[2]"), (2, 35, "zones.files[3]")} <= positions
    messages = [message for _, _, _, message in problems]
    assert f"{folder}/b.zone and {folder}/a.zone are both the zone `a.example`" in messages
    assert f"{folder}/c.zone:2:15: `@ SOA nonsense`: less data than a record of type SOA has" in messages
    assert f"{folder}/c.zone:3:10: `bad IN A 300.1.1.1`: not an IPv4 address" in messages
    assert f"{folder}/d.zone is not UTF-8 (at octet 2)" in messages
    assert f"cannot read {folder}/e.zone: No such file or directory" in messages


def test_auto_workers_are_as_many_as_the_available_cores(accepted: Load) -> None:
    assert accepted("dns: {workers: auto}\n").workers == len(os.sched_getaffinity(0))


def test_systemds_state_directory_is_the_default_only(accepted: Load, file: Path) -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/pldns:/var/lib/other"}
    assert accepted("", environ).control.state_directory == "/var/lib/pldns"
    assert accepted("state: {directory: mine}", environ).control.state_directory == str(file.parent / "mine")


def test_a_missing_source_is_not_a_mistake(accepted: Load, file: Path) -> None:
    got = accepted("sources: [{name: a, type: files, path: ../gone, on_unsynced: public}]")
    assert got.control.sources == (settings.SourceSettings("a", "files", str(file.parent.parent / "gone"), "public"),)
    assert not got.worker.unsynced


def test_listeners_are_compared_by_canonical_address(accepted: Load) -> None:
    found = accepted(
        "dns: {listen: ['[0:0::1]:5353'], listeners: {'[::0:1]:5353': weu}}\n"
        "networks: [{name: weu, clients: [10.0.0.0/8]}]"
    )
    assert found.worker.listeners == (settings.NetworkListener(HostPort("::1", 5353), "weu"),)


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "y", "1", "'true'"])
@pytest.mark.parametrize("key", ["dns: {rotate: %s}", "cache: {prefetch: %s}", "zones: {strip_hints: %s}"])
def test_only_true_and_false_are_switches(refused: Refused, key: str, word: str) -> None:
    """YAML 1.1 has 22 words for them, YAML 1.2 and the docs have two."""
    assert [message for *_, message in refused(key % word)] == ["must be `true` or `false`"]
