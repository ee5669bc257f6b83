"""Frames that bring no query end an HTTP/2 connection, and what a client does not read has a limit."""

import contextlib

import h2.errors
import pytest

from resolver.worker.net import http2
from resolver.worker.net.http2_frames import FrameCutter
from tests.resolver.worker.net.browsers import PATH, Browser, Site
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import packet

SENT = 3_000
"""Frames of a flood."""


def frame(kind: int, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


FLOODS = {
    "settings": frame(4),
    "settings-ack": frame(4, flags=1),
    "ping": frame(6, payload=bytes(8)),
    "ping-ack": frame(6, payload=bytes(8), flags=1),
    "altsvc": frame(10, payload=b"\0\1ax"),
    "priority": frame(2, 1, bytes(5)),
    "window-update": frame(8, payload=b"\0\0\0\1"),
    "window-update-stream": frame(8, 1, b"\0\0\0\1"),
    "empty-data": frame(0, 1),
    "small-data": frame(0, 1, b"x"),
    "unknown": frame(99, payload=b"what"),
}


async def sent(browser: Browser, octets: bytes) -> None:
    """Send octets as far as the server reads them."""
    for start in range(0, len(octets), 20_000):
        with contextlib.suppress(OSError):
            browser.client.send(octets[start : start + 20_000])
            await browser.client.writer.drain()


async def ended_as_flood(small: Small, browser: Browser) -> None:
    assert await browser.closed() == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
    assert small.count("dns_https_errors_total", "flood") == 1


@pytest.mark.parametrize("kind", FLOODS)
async def test_endless_frames_without_a_query_end_the_connection(small: Small, site: Site, kind: str) -> None:
    browser = await site.browse()
    browser.ask("POST", PATH, b"", "application/dns-message", end=False)
    await sent(browser, FLOODS[kind] * SENT)
    await ended_as_flood(small, browser)


async def test_endless_continuations_end_the_connection(small: Small, site: Site) -> None:
    browser = await site.browse()
    await sent(browser, frame(1, 1) + frame(9, 1) * SENT)
    assert await browser.closed() is not None
    assert small.count("dns_https_errors_total", "protocol") == 1


@pytest.mark.parametrize("whole", [True, False], ids=["whole queries", "incomplete queries"])
async def test_endless_resets_end_the_connection(small: Small, site: Site, whole: bool) -> None:
    browser = await site.browse()
    for _ in range(SENT):
        if whole:
            stream = browser.get(packet("slow.example"))
        else:
            stream = browser.ask("POST", PATH, b"", "application/dns-message", end=False)
        browser.h2.reset_stream(stream)
    await sent(browser, browser.h2.data_to_send())
    await ended_as_flood(small, browser)
    assert small.count("dns_requests_total", "https", "4") < 600


async def test_a_client_that_pings_and_cancels_now_and_then_is_no_flood(small: Small, site: Site) -> None:
    browser = await site.browse()
    for _ in range(400):
        browser.h2.ping(bytes(8))
        browser.h2.increment_flow_control_window(100)
        browser.h2.reset_stream(browser.ask("POST", PATH, b"", "application/dns-message", end=False))
        await browser.until(browser.get(packet()))
    assert small.count("dns_https_errors_total", "flood") == 0


async def test_other_clients_are_answered_between_the_frames_of_a_flood(small: Small, site: Site) -> None:
    flooding, good = await site.browse(), await site.browse()
    for _ in range(60):
        flooding.client.send(FLOODS["ping"] * 10)
        await good.until(good.get(packet()))
    assert small.count("dns_https_responses_total", "200") == 60


async def test_responses_beyond_the_clients_window_are_limited_in_all(small: Small, site: Site) -> None:
    site.listener.connections._most_waiting = 1 << 20
    browsers = [await site.browse() for _ in range(4)]
    for browser in browsers:
        browser.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        browser.flush()
    for number, browser in enumerate(browsers):
        for index in range(http2.STREAMS):
            browser.get(packet(f"{index}.{number}.example"))
    await small.until(lambda: len(small.asked) == 400)
    for name in list(small.asked):
        small.reply(name, 600)
    assert 0 < small.count("dns_connections_closed_total", "https", "memory") < 4
    assert sum(each.waiting for each in site.listener.held) == site.listener.connections._waiting <= 1 << 20
    good = await site.browse()
    await good.until(good.get(packet()))


def test_octets_are_cut_at_frames() -> None:
    cutter = FrameCutter()
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    frames = [frame(6, payload=bytes(8)), frame(0, 1, b"x" * 300), frame(4)] * 10
    whole = preface + b"".join(frames)
    for size in (1, 5, 9, 24, 33, 1000):
        cutter, taken = FrameCutter(), b""
        for start in range(0, len(whole), size):
            cutter.octets += whole[start : start + size]
            taken += cutter.take()
            while cutter.has_more:
                taken += cutter.take()
        assert taken + bytes(cutter.octets) == whole
        assert cutter._frames == len(frames)
