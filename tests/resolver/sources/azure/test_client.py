"""The token goes to one origin only, by scheme, host and port, whatever a link looks like."""

import aiohttp
import pytest

from resolver.azure_settings import Credential
from resolver.sources.azure.client import ManagementClient, RequestFailed
from resolver.sources.azure.credential import Tokens
from resolver.sources.azure.protocol.budget import Budget
from zones.azure.clouds import CLOUDS

HERE = "https://management.azure.com"


@pytest.fixture
def client(http: aiohttp.ClientSession) -> ManagementClient:
    return ManagementClient(http, HERE, Tokens(Credential(), CLOUDS["public"], http), Budget())


@pytest.mark.parametrize(
    "link",
    [
        f"{HERE}/subscriptions?api-version=1&$skipToken=a%2Bb%3D%3D",
        f"{HERE}:443/subscriptions?$skipToken=ab",
        "HTTPS://Management.Azure.Com/subscriptions",
        "/subscriptions?$skipToken=a%2fb",
    ],
)
def test_links_to_the_management_origin_are_followed_as_they_are(client: ManagementClient, link: str) -> None:
    url = client._own(link)
    assert (url.scheme, url.host, url.port) == ("https", "management.azure.com", 443)
    assert url.raw_query_string == link.partition("?")[2]


def test_characters_that_no_url_may_have_are_encoded(client: ManagementClient) -> None:
    assert client._own(f"{HERE}/a b?c=\u00fc d").raw_path_qs == "/a%20b?c=%C3%BC+d"
    assert "\r" not in str(client._own(f"{HERE}/a?b=1 HTTP/1.1\r\nHost: evil.example"))


@pytest.mark.parametrize(
    "link",
    [
        "http://management.azure.com/subscriptions",
        f"{HERE}:8443/subscriptions",
        f"{HERE}.example/subscriptions",
        "https://evil.example/subscriptions",
        "https://management.azure.com@evil.example/",
        "https://evil@management.azure.com/",
        "https://evil.example#management.azure.com",
        "//evil.example/subscriptions",
        "//management.azure.com/subscriptions",
        "https://[::1",
        "https://management.azure.com\\@evil.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_links_to_anywhere_else_are_refused(client: ManagementClient, link: str) -> None:
    with pytest.raises(RequestFailed, match="it was not followed"):
        client._own(link)
