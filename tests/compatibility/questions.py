"""The questions that are tried through each resolver, and how two replies differ.

Does not know which resolver is in front of pldns or behind it.
"""

from typing import Final, NamedTuple

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

from tests.live.daemon import REPLY

PUBLIC: Final = f"""
$TTL 300
@                        SOA    ns h 1 3600 600 86400 60
@                        NS     ns
ns                       A      20.60.0.53
de                       TXT    "a top-level domain"
www.example.org          A      20.60.0.1
www.example.org          AAAA   2603:1000::1
www.example.org          HTTPS  1 . alpn=h2 ipv4hint=20.60.0.1
alias.example.org        CNAME  second.example.org.
second.example.org       CNAME  www.example.org.
shop.example.org         CNAME  stcontososhop.blob.core.windows.net.
vault.example.org        CNAME  kv-contoso-shop.vault.azure.net.
big.example.org          TXT    {" ".join(f'"{"x" * 200}{i}"' for i in range(12))}
unknown.example.org      TYPE65280 \\# 4 0a000001
windows.net              NS     ns
azure.net                NS     ns
"""
"""The root zone of public DNS, which is signed."""
_APEX: Final = "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns.\n"
UNSIGNED: Final = {
    "windows.net": f"""{_APEX}
blob.core                  NS    ns.
blob.ams.store.core        A     20.60.0.67
other.queue.core           A     20.60.0.69
""",
    "blob.core.windows.net": f"""{_APEX}
other                      A     20.60.0.66
alias                      CNAME blob.ams.store.core.windows.net.
stcontososhop              CNAME stcontososhop.privatelink
stcontososhop.privatelink  CNAME blob.ams.store.core.windows.net.
""",
    "azure.net": f"""{_APEX}
vault                      NS    ns.
vaultcore                  NS    ns.
""",
    "vault.azure.net": f"{_APEX}kv-contoso-shop CNAME kv-contoso-shop.privatelink.vaultcore.azure.net.\n",
    "vaultcore.azure.net": f"{_APEX}kv-contoso-shop.privatelink A 20.60.0.68\n",
}
"""The zones of Azure's services in public DNS, which are not signed."""


MORE: Final = f"""
$ORIGIN more.example.
$TTL 300
@    SOA    ns h 1 3600 600 86400 60
@    NS     ns
@    MX     10 mail
ns   A      192.168.0.53
mail A      192.168.0.25
*    A      192.168.0.80
out  CNAME  www.example.org.
big  TXT    {" ".join(f'"{"y" * 200}{i}"' for i in range(12))}
big  TYPE65280 \\# 4 0a000001
"""
"""A zone file beside those of the example estate."""


class Question(NamedTuple):
    """One query. `what` says to people what is tried."""

    what: str
    name: str
    rtype: str = "A"
    dnssec: bool = False
    option: dns.edns.Option | None = None
    tcp: bool = False


PRIVATE_NAMES: Final = [
    Question("storage, A", "stcontososhop.blob.core.windows.net"),
    Question("storage, AAAA", "stcontososhop.blob.core.windows.net", "AAAA"),
    Question("storage, HTTPS", "stcontososhop.blob.core.windows.net", "HTTPS"),
    Question("storage, DO bit", "stcontososhop.blob.core.windows.net", dnssec=True),
    Question("storage, mixed case", "StContosoShop.BLOB.core.Windows.NET"),
    Question(
        "storage, client subnet", "stcontososhop.blob.core.windows.net", option=dns.edns.ECSOption("10.0.0.0", 24)
    ),
    Question("storage, cookie", "stcontososhop.blob.core.windows.net", option=dns.edns.CookieOption(b"cookie!!", b"")),
    Question("storage, over TCP", "stcontososhop.blob.core.windows.net", tcp=True),
    Question("storage, ANY", "stcontososhop.blob.core.windows.net", "ANY"),
    Question("private name, A", "stcontososhop.privatelink.blob.core.windows.net"),
    Question("Key Vault, A", "kv-contoso-shop.vault.azure.net"),
    Question("Key Vault, AAAA", "kv-contoso-shop.vault.azure.net", "AAAA"),
    Question("Key Vault, HTTPS", "kv-contoso-shop.vault.azure.net", "HTTPS"),
    Question("Key Vault, private name", "kv-contoso-shop.privatelink.vaultcore.azure.net"),
    Question("Key Vault, NXDOMAIN", "none.vault.azure.net"),
    Question("name without a private zone, A", "payments.fabrikam.example"),
    Question("name without a private zone, AAAA", "payments.fabrikam.example", "AAAA"),
    Question("zone file, alias chain", "files.corp.example"),
    Question("zone file, SRV", "_ldap._tcp.corp.example", "SRV"),
    Question("zone file, NXDOMAIN", "none.corp.example"),
    Question("zone file, NODATA", "gateway.corp.example", "AAAA"),
    Question("zone file, empty non-terminal", "_tcp.corp.example"),
    Question("zone file, wildcard", "any.more.example"),
    Question("zone file, MX", "more.example", "MX"),
    Question("zone file, TXT of 2.4 kB", "big.more.example", "TXT"),
    Question("zone file, TXT of 2.4 kB over TCP", "big.more.example", "TXT", tcp=True),
    Question("zone file, unknown type", "big.more.example", "TYPE65280"),
    Question("zone file, alias to public DNS", "out.more.example"),
    Question("private zone, DS", "privatelink.blob.core.windows.net", "DS"),
    Question("private zone, SOA", "privatelink.blob.core.windows.net", "SOA"),
    Question("address of an endpoint, PTR", "6.2.2.10.in-addr.arpa", "PTR"),
]
PUBLIC_NAMES: Final = [
    Question("public, A", "www.example.org"),
    Question("public, AAAA", "www.example.org", "AAAA"),
    Question("public, HTTPS", "www.example.org", "HTTPS"),
    Question("public, no endpoint", "other.blob.core.windows.net"),
    Question("public, alias chain", "alias.example.org"),
    Question("public, NXDOMAIN", "none.example.org"),
    Question("public, NODATA", "www.example.org", "MX"),
    Question("public, no endpoint, NODATA", "other.blob.core.windows.net", "AAAA"),
    Question("public, no endpoint, alias", "alias.blob.core.windows.net"),
    Question("public, no endpoint, alias, NODATA", "alias.blob.core.windows.net", "AAAA"),
    Question("public, no endpoint, SOA above suffix", "other.queue.core.windows.net", "AAAA"),
    Question("public, TXT of 2.4 kB", "big.example.org", "TXT"),
    Question("public, unknown type", "unknown.example.org", "TYPE65280"),
    Question("public, DO bit", "www.example.org", dnssec=True),
    Question("public, NXDOMAIN, DO bit", "none.example.org", dnssec=True),
    Question("public, mixed case", "wWw.eXample.Org"),
    Question("public, client subnet", "www.example.org", option=dns.edns.ECSOption("10.0.0.0", 24)),
    Question("public, cookie", "www.example.org", option=dns.edns.CookieOption(b"cookie!!", b"")),
    Question("public, over TCP", "big.example.org", "TXT", tcp=True),
    Question("public, ANY", "www.example.org", "ANY"),
]
ALIASES: Final = [
    Question("public alias to storage", "shop.example.org"),
    Question("public alias to storage, AAAA", "shop.example.org", "AAAA"),
    Question("public alias to Key Vault", "vault.example.org"),
    Question("public alias to storage, DO bit", "shop.example.org", dnssec=True),
]
"""Public names that lead to private ones: pldns follows them."""


class Answer(NamedTuple):
    """What a client uses of a reply."""

    rcode: str
    records: frozenset[str]
    """Owner, type and data, without TTLs. Signatures count as one record each, without data."""
    question: str
    """As the reply repeats it, with its case."""

    def __str__(self) -> str:
        return f"{self.rcode} {', '.join(sorted(self.records)) or 'without records'}"


def ask(port: int, question: Question) -> Answer:
    """Send the question to a port of 127.0.0.1, over TCP as well where the reply is truncated."""
    options = [question.option] if question.option else []
    query = dns.message.make_query(
        question.name, question.rtype, use_edns=0, want_dnssec=question.dnssec, payload=1232, options=options
    )
    if question.tcp:
        reply = dns.query.tcp(query, "127.0.0.1", REPLY, port)
    else:
        reply = dns.query.udp_with_fallback(query, "127.0.0.1", REPLY, port)[0]
    records = frozenset(_shown(rrset, rdata) for rrset in reply.answer for rdata in rrset)
    return Answer(dns.rcode.to_text(reply.rcode()), records, str(reply.question[0].name) if reply.question else "")


def _shown(rrset: dns.rrset.RRset, rdata: dns.rdata.Rdata) -> str:
    """Return a record as text. Names have no case (RFC 4343)."""
    kind = dns.rdatatype.to_text(rrset.rdtype)
    data = "" if kind == "RRSIG" else str(rdata).lower()[:80]
    return f"{str(rrset.name).lower()} {kind} {data}".strip()
