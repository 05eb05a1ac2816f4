"""Going out over HTTP: never to what is ours, never for long, never for much (IN-01 to IN-05)."""

import contextlib
import gzip
import socket
import threading
import time

import pytest
import requests

from identity.kernel import outbound
from identity.kernel.outbound import OutboundFailed, OutboundSession, fetch, is_public

OWN = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.1", "198.18.0.1", "203.0.113.5", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2002:a00:1::", "fd00:ec2::254", "fe80::1", "fe80::1%1", "ff02::1", "2001:db8::1", "not an address", "",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.fixture
def open_lab(settings):
    """This machine counts as outside, as a test's fakes need."""
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def served():
    """Start a server that answers each connection by a function; gives the port."""
    stops = []

    def start(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        stops.append(listener)

        def serve():
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(peer,), daemon=True).start()

        def handle(peer):
            with peer, contextlib.suppress(OSError):
                peer.recv(65536)
                answer(peer)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in stops:
        listener.close()


def says(text, *, body=b""):
    return lambda peer: peer.sendall(text.encode() + b"\r\n\r\n" + body)


@pytest.mark.parametrize("address", OWN)
def test_in_01_addresses_of_ours_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_outside_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0", "017700000001", "localhost", "localhost.", "[::1]",
     "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1"],
)  # fmt: skip
def test_in_01_every_spelling_of_an_own_address_is_refused_before_a_byte_is_sent(host, served):
    heard = []
    port = served(heard.append)
    with pytest.raises(OutboundFailed):
        fetch("GET", f"https://{host}:{port}/", seconds=3)
    assert not heard


@pytest.mark.parametrize(
    "url",
    ["gopher://example.com/", "file:///etc/passwd", "ftp://example.com/", "data:,x", "http://example.com/",
     "https://user@example.com/", "https://user:pass@example.com/", "https://example.com\\@evil.example/",
     "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com/\tx", "https:///x", "https://",
     "https://example.com:0/", "https://example.com:99999/", "//example.com/", "", "https://ex%61mple.com/",
     "https://[fe80::1%25eth0]/", "https://example.com/" + "x" * 2000],
)  # fmt: skip
def test_in_01_urls_that_hide_something_are_refused(url):
    with pytest.raises(OutboundFailed):
        fetch("GET", url)


def test_in_02_a_name_with_one_own_address_among_public_ones_is_refused(monkeypatch):
    monkeypatch.setattr(outbound, "_resolve", lambda *_: ["8.8.8.8", "127.0.0.1"])
    dialed = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **_: dialed.append(args))
    with pytest.raises(OutboundFailed):
        fetch("GET", "https://rebinding.example/")
    assert not dialed


def test_in_02_the_name_is_asked_once_and_its_answer_is_what_is_dialed(monkeypatch, open_lab, served):
    port = served(says("HTTP/1.1 200 OK\r\nContent-Length: 2", body=b"ok"))
    asked = []

    def flips(host, *_):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    monkeypatch.setattr(outbound, "_resolve", flips)
    assert fetch("GET", f"http://flips.example:{port}/").body == b"ok"
    assert asked == ["flips.example"]


def test_in_02_the_connected_address_is_looked_at_again(monkeypatch, served):
    port = served(says("HTTP/1.1 200 OK"))
    monkeypatch.setattr(outbound, "_resolve", lambda *_: ["8.8.8.8"])
    real = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: real(("127.0.0.1", port), timeout=2))
    with pytest.raises(OutboundFailed):
        fetch("GET", "https://example.com/")


def test_an_answer_comes_whole_with_its_headers(open_lab, served):
    port = served(says("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2", body=b"{}"))
    answer = fetch("POST", f"http://127.0.0.1:{port}/x?y=1", body=b"hello", headers={"X-A": "b"})
    assert (answer.status, answer.headers["content-type"], answer.body) == (201, "application/json", b"{}")
    assert answer.is_success


def test_in_01_a_redirect_is_an_answer_and_is_not_followed(open_lab, served):
    port = served(says("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0"))
    assert fetch("GET", f"http://127.0.0.1:{port}/").status == 302
    assert OutboundSession().get(f"http://127.0.0.1:{port}/").status_code == 302


@pytest.mark.parametrize(
    "answer",
    [
        says("HTTP/1.1 200 OK\r\nContent-Length: 999999999", body=b"x" * 400_000),
        says("HTTP/1.1 200 OK", body=b"x" * 400_000),
        says("HTTP/1.1 200 OK\r\nContent-Length: 10", body=b"short"),
        says("HTTP/1.1 200 OK\r\n" + "\r\n".join(f"X-{n}: y" for n in range(5000))),
        says("HTTP/1.1 200 OK\r\nX: " + "y" * 100_000),
        says("nonsense"),
        says("HTTP/1.1 200 OK\r\nContent-Encoding: gzip", body=gzip.compress(b"0" * 10_000_000)),
    ],
    ids=["long", "endless", "cut", "headers", "header", "nonsense", "packed"],
)
def test_in_04_hostile_answers_fail(answer, open_lab, served):
    with pytest.raises(OutboundFailed):
        fetch("GET", f"http://127.0.0.1:{served(answer)}/", seconds=5)


def trickle(start):
    def answer(peer):
        peer.sendall(start)
        for _ in range(200):
            peer.sendall(b"x")
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "answer",
    [trickle(b""), trickle(b"HTTP/1.1 200 OK\r\nX: "), trickle(b"HTTP/1.1 200 OK\r\n\r\n"), lambda _: time.sleep(5)],
    ids=["status", "header", "body", "silence"],
)
def test_in_04_one_deadline_holds_however_slowly_bytes_come(answer, open_lab, served):
    port = served(answer)
    began = time.monotonic()
    with pytest.raises(OutboundFailed):
        fetch("GET", f"http://127.0.0.1:{port}/", seconds=0.6)
    assert time.monotonic() - began < 3


def test_in_04_a_handshake_that_never_ends_is_ended(open_lab, served):
    port = served(trickle(b"\x16\x03\x03\x40\x00"))
    began = time.monotonic()
    with pytest.raises(OutboundFailed):
        fetch("GET", f"https://127.0.0.1:{port}/", seconds=0.6)
    assert time.monotonic() - began < 3


def test_in_05_every_failure_says_the_same(open_lab, served):
    texts = set()
    for url in ("https://169.254.169.254/", "https://nothing.invalid/", f"http://127.0.0.1:{served(says('x'))}/"):
        with pytest.raises(OutboundFailed) as refused:
            fetch("GET", url, seconds=3)
        texts.add(str(refused.value.message))
    assert len(texts) == 1


def test_libraries_go_out_the_same_way(open_lab, served, settings):
    port = served(says("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9", body=b'{"a": 1}\n'))
    session = OutboundSession()
    assert session.get(f"http://127.0.0.1:{port}/").json() == {"a": 1}
    settings.REALMKEEP_OUTBOUND_NETWORKS = []
    with pytest.raises(requests.ConnectionError):
        session.get(f"https://127.0.0.1:{port}/")
    assert not session.trust_env
