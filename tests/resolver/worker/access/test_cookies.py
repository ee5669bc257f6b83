"""Server cookies against the vectors of RFC 9018, and against time, other clients and forgers."""

import pytest

from resolver.process.cookie_secrets import read_secrets
from resolver.worker.access.cookies import Cookies
from zones.clocks import WallTime

CLIENT = bytes.fromhex("2464c4abcf10c957")
SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
ADDRESS = bytes((198, 51, 100, 100))
NOW = WallTime(1_559_731_985.0)


def cookies(*secrets: bytes) -> Cookies:
    made = Cookies(bytes(32))
    made.secrets = secrets or (SECRET,)
    return made


def test_a_new_client_gets_the_cookie_of_the_standard() -> None:
    """RFC 9018 appendix A.1."""
    good, option = cookies().check(CLIENT, ADDRESS, NOW)
    assert not good
    assert option == bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")


def test_a_cookie_that_is_half_an_hour_old_is_renewed() -> None:
    """RFC 9018 appendix A.2, whose secret is the same, and A.3: reserved octets may be anything."""
    old = bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")
    good, option = cookies().check(old, ADDRESS, WallTime(1_559_734_385.0))
    assert good
    assert option == bytes.fromhex("2464c4abcf10c957010000005cf7a871d4a564a1442aca77")
    address = bytes((203, 0, 113, 203))
    odd = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    good, option = cookies().check(odd, address, WallTime(1_559_727_985.0))
    assert good
    assert option == odd
    good, option = cookies().check(odd, address, WallTime(1_559_734_700.0 - 4_000))
    assert good
    assert option == bytes.fromhex("fc93fc62807ddb8601000000") + option[12:]


def test_an_ipv6_client_and_a_secret_that_was_replaced() -> None:
    """RFC 9018 appendix A.4: the cookie was made with the old secret, the new one signs."""
    new = bytes.fromhex("445536bcd2513298075a5d379663c962")
    old = bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715")
    address = bytes.fromhex("20010db80220000159ded0f4876982b8")
    given = bytes.fromhex("22681ab97d52c298010000005cf7c57926556bd0934c72f8")
    good, option = cookies(new, old).check(given, address, WallTime(1_559_741_961.0))
    assert good
    assert option == bytes.fromhex("22681ab97d52c298010000005cf7c609a6bb79d16625507a")
    assert not cookies(new).check(given, address, WallTime(1_559_741_961.0))[0]


@pytest.mark.parametrize(("age", "good"), [(0, True), (3600, True), (3601, False), (-300, True), (-301, False)])
def test_a_cookie_lives_an_hour_and_may_come_from_a_clock_that_is_ahead(age: int, good: bool) -> None:
    made = cookies().check(CLIENT, ADDRESS, NOW)[1]
    assert cookies().check(made, ADDRESS, WallTime(NOW + age))[0] is good


def test_a_cookie_is_good_for_its_own_address_and_client_only() -> None:
    made = cookies().check(CLIENT, ADDRESS, NOW)[1]
    assert cookies().check(made, ADDRESS, NOW)[0]
    assert not cookies().check(made, bytes((198, 51, 100, 101)), NOW)[0]
    assert not cookies().check(bytes(8) + made[8:], ADDRESS, NOW)[0]
    assert not cookies().check(made[:-1] + bytes((made[-1] ^ 1,)), ADDRESS, NOW)[0]
    assert not cookies().check(CLIENT + bytes(16), ADDRESS, NOW)[0]
    assert not cookies().check(made + bytes(8), ADDRESS, NOW)[0]


def test_time_goes_on_over_the_end_of_32_bits() -> None:
    made = cookies().check(CLIENT, ADDRESS, WallTime(2**32 - 10))[1]
    assert cookies().check(made, ADDRESS, WallTime(2**32 + 10))[0]


def test_derived_secrets_change_and_the_one_before_is_still_good() -> None:
    one, other = Cookies(b"a" * 32), Cookies(b"a" * 32)
    start = WallTime(43_200 * 36_000.0)
    made = one.check(CLIENT, ADDRESS, WallTime(start - 1))[1]
    assert other.check(made, ADDRESS, WallTime(start + 1))[0], "another worker, an epoch later"
    assert one.check(CLIENT, ADDRESS, start)[1][-8:] != one.check(CLIENT, ADDRESS, WallTime(start - 1))[1][-8:]
    assert not Cookies(b"b" * 32).check(made, ADDRESS, start)[0]


def test_a_file_of_secrets() -> None:
    text = f"# the first one signs\n{SECRET.hex()}\n\n{'00' * 16} # before\n"
    assert read_secrets(text) == (SECRET, bytes(16))


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "no secret"), ("# x\n", "no secret"), ("abc\n", "line 1"), (f"{'0' * 32}\nab", "line 2")],
)
def test_a_file_that_holds_no_secrets_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_secrets(text)
