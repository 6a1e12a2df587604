"""What happens on the wire: each fault is made by a real server."""

import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event, Thread
from time import sleep as real_sleep

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists, sampled_from, tuples
from pydantic import ValidationError
from requests.auth import HTTPBasicAuth

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sources import http
from sms_etl.sources.auth import BearerAuth, NoAuth
from sms_etl.sources.http import HttpClient, HttpSettings
from sms_etl.sources.rate_budget import ON_THE_WAY, RateBudget, rate_budget
from sms_etl.sources.slices import Recall, Recording
from tests.sources.scripted_server import Reply

SECRET = "very-secret-7f3a"
FINE = Reply(b'{ "fine": true }')


class Time:
    """A clock that moves when somebody sleeps; `meanwhile` happens during the next sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.oversleep = 0.0
        self.meanwhile = None

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self.oversleep
        if self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            happens()

    def budget(self, per_second: float) -> RateBudget:
        return RateBudget(per_second, lambda: self.now, self.sleep)


def until(holds) -> None:
    """Wait for another thread."""
    for _ in range(10_000):
        if holds():
            return
        real_sleep(0.001)
    raise AssertionError("it did not happen within 10 s")


def client(url, inspect=None, **knobs) -> HttpClient:
    settings = HttpSettings(kind="test", base_url=url, **{"requests_per_second": 1000, **knobs})
    return HttpClient("shop", "account", settings, BearerAuth(SECRET), SECRET, inspect)


def test_the_body_comes_back_byte_for_byte_beside_its_json(server):
    server.script = [Reply('{ "text":"Знижка",\n "n" : 1.50 }'.encode())]
    answer = client(server.url).get_json("/list", {"DateSent>": "2025-03-05"})
    assert answer.body == '{ "text":"Знижка",\n "n" : 1.50 }'.encode()
    assert answer.data == {"text": "Знижка", "n": 1.5}
    assert server.asked[0].target == "/list?DateSent%3E=2025-03-05"
    assert server.asked[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert answer.page(3).meta == {}


@pytest.mark.parametrize(
    "fault",
    [
        *[Reply(b"busy", status) for status in (429, 500, 502, 503, 504)],
        Reply(b'{"fine": true}' * 1000, cut_after=100),
        Reply(b'{"fine": tr'),
        Reply(b"\xff\xfe\x00"),
    ],
    ids=["429", "500", "502", "503", "504", "cut body", "truncated JSON", "no text"],
)
def test_passing_faults_are_asked_again_and_counted(server, naps, fault):
    server.script = [fault, fault, FINE]
    answer = client(server.url).get_json("/list")
    assert answer.body == FINE.body
    assert answer.retries == 2
    assert answer.waited_seconds == pytest.approx(sum(naps))
    assert answer.page(1).meta["retries"] == "2"


def test_retry_after_in_seconds_is_waited_for(server, naps):
    server.script = [Reply(b"{}", 429, {"Retry-After": "17"}), FINE]
    client(server.url).get_json("/list")
    assert max(naps) >= 17


def test_retry_after_holds_every_user_of_the_account(server, naps):
    server.script = [Reply(b"{}", 429, {"Retry-After": "30"}), FINE]
    knobs = {"requests_per_second": 996, "retry_budget_seconds": 0}
    with pytest.raises(TransientSourceError):
        client(server.url, **knobs).get_json("/list")
    assert naps == []
    client(server.url, **knobs).get_json("/list")
    assert 29 < naps[0] <= 30


def test_retry_after_as_a_date_is_waited_for(server, naps):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.script = [Reply(b"{}", 503, {"Retry-After": later}), FINE]
    client(server.url, requests_per_second=999).get_json("/list")
    assert 35 < max(naps) <= 60


def test_nonsense_in_retry_after_is_as_if_it_were_not_there(server, naps):
    server.script = [Reply(b"{}", 429, {"Retry-After": "soon"}), FINE]
    assert client(server.url, requests_per_second=998).get_json("/list").retries == 1


def test_a_wait_beyond_the_budget_is_not_begun(server, naps):
    server.script = [Reply(b"{}", 429, {"Retry-After": "3600"})]
    with pytest.raises(TransientSourceError, match="HTTP 429"):
        client(server.url, requests_per_second=997).get_json("/list")
    assert naps == []
    assert len(server.asked) == 1


def test_the_budget_ends_the_retries(server, naps):
    server.otherwise = lambda asked: Reply(b"{}", 500)
    with pytest.raises(TransientSourceError, match=r"HTTP 500 \(after \d+ tries\)"):
        client(server.url, retry_budget_seconds=5).get_json("/list")
    assert len(server.asked) == len(naps) + 1
    assert max(naps) < 5


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "settings"), (401, "secret"), (403, "right"), (404, "base_url"), (302, "base_url")],
)
def test_refusals_are_not_asked_again_and_say_what_to_mend(server, naps, status, advice):
    server.script = [Reply(b'{"code": 20003, "message": "No"}', status, {"Location": "/other"})]
    with pytest.raises(PermanentSourceError, match=advice) as caught:
        client(server.url).get_json("/list")
    assert f"HTTP {status}" in str(caught.value)
    assert len(server.asked) == 1


def test_a_status_that_is_an_answer_here_is_one_and_others_are_not(server, naps):
    server.script = [Reply(b'{"message": "gone"}', 404), Reply(b"{}", 403)]
    asker = client(server.url)
    assert asker.get_json("/message/1", accepted=(404,)).data == {"message": "gone"}
    with pytest.raises(PermanentSourceError, match="HTTP 403"):
        asker.get_json("/message/2", accepted=(404,))
    assert naps == []


def test_the_machines_own_certificates_are_used(server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    asker = client(server.url.replace("http://", "https://"), retry_budget_seconds=0)
    with pytest.raises(PermanentSourceError, match=r"/nowhere/ca\.pem"):
        asker.get_json("/list")


def test_an_unreachable_host_is_named_and_transient(naps):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TransientSourceError, match=f"127.0.0.1:{port}.*base_url"):
        client(f"http://127.0.0.1:{port}", retry_budget_seconds=0).get_json("/list")


def test_a_server_that_does_not_answer_is_given_up(naps):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        asker = client(
            f"http://127.0.0.1:{silent.getsockname()[1]}",
            timeout_seconds=0.2,
            retry_budget_seconds=0,
        )
        with pytest.raises(TransientSourceError, match="no answer in time"):
            asker.get_json("/list")


def test_an_answer_without_end_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(http, "LARGEST_BODY_BYTES", 1000)
    server.script = [Reply(b'"' + b"x" * 5000 + b'"')]
    with pytest.raises(PermanentSourceError, match="larger than 1000 bytes"):
        client(server.url).get_json("/list")


def test_links_to_another_host_are_not_followed(server):
    for link in ("https://evil.example/list", "//evil.example/list", "http://127.0.0.1:1/list"):
        with pytest.raises(PermanentSourceError, match="another host"):
            client(server.url).get_json(link)
    assert server.asked == []


def test_an_error_inside_http_200_is_asked_again_or_raised_as_the_source_says(server, naps):
    def inspect(data):
        if data.get("busy"):
            raise TransientSourceError("busy")
        if data.get("refused"):
            raise PermanentSourceError("shop: refused")

    server.script = [Reply.of({"busy": True}), FINE]
    assert client(server.url, inspect).get_json("/list").retries == 1
    server.script = [Reply.of({"refused": True})]
    with pytest.raises(PermanentSourceError, match="refused"):
        client(server.url, inspect).get_json("/list")


def test_secrets_and_queries_reach_neither_errors_nor_logs(server, naps, caplog):
    caplog.set_level(logging.DEBUG, logger="sms_etl")
    server.script = [
        Reply(b"{}", 500),
        Reply.of({"code": 1, "message": f"the token {SECRET} is wrong"}, status=401),
    ]
    asker = client(server.url)
    with pytest.raises(PermanentSourceError) as caught:
        asker.get_json("/list", {"To": "+380671234567"})
    told = f"{caught.value} {caplog.text} {asker!r} {vars(asker)['_settings']!r}"
    assert "the token *** is wrong" in told
    assert SECRET not in told
    assert "380671234567" not in told


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://x", "https://u:p@x", "https://x/?key=1", "nonsense"]
)
def test_only_https_or_this_machine_is_allowed(url):
    with pytest.raises(ValidationError):
        HttpSettings(kind="test", base_url=url)


def test_basic_authorization_is_sent(server):
    server.script = [FINE]
    settings = HttpSettings(kind="test", base_url=server.url)
    HttpClient("shop", "a", settings, HTTPBasicAuth("me", SECRET), SECRET).get_json("/")
    assert server.asked[0].headers["Authorization"].startswith("Basic ")


class TestFingerprint:
    """By it the answers of a dead pull are known again: the same question of the same account."""

    @pytest.fixture
    def of(self, server):
        server.otherwise = lambda asked: FINE
        settings = HttpSettings(kind="test", base_url=server.url, requests_per_second=1000)

        def asked(call, account="account", secret=SECRET):
            return call(HttpClient("shop", account, settings, NoAuth(), secret)).fingerprint

        return asked

    def test_another_account_method_query_or_body_is_another_question(self, of):
        told = [
            of(lambda asker: asker.get_json("/list", {"page": "1"})),
            of(lambda asker: asker.get_json("/list", {"page": "1"}), account="other"),
            of(lambda asker: asker.get_json("/list", {"page": "2"})),
            of(lambda asker: asker.get_json("/other", {"page": "1"})),
            of(lambda asker: asker.post_json("/list", {"page": "1"})),
            of(lambda asker: asker.post_json("/list", {"page": "2"})),
            of(lambda asker: asker.post_form("/list", {"page": "1"})),
        ]
        assert len(set(told)) == len(told)

    @pytest.mark.parametrize("way", ["post_json", "post_form"])
    def test_a_new_secret_in_the_body_asks_the_same(self, of, way):
        def by(secret):
            return of(lambda asker: getattr(asker, way)("/l", {"key": secret}), secret=secret)

        assert by('old "ключ" &1') == by('new+"ключ" =2')

    def test_what_is_recalled_is_not_asked_and_looks_as_it_did(self, server):
        server.script = [Reply(b"busy", 503, {"Retry-After": "0"}), Reply(b'{"n": 1.50}')]
        asker = client(server.url)
        first = asker.get_json("/list")
        page = first.page(1)
        recording = Recording(page.received_at, page.meta, lambda: page.body)
        again = asker.recalling(Recall({page.fingerprint: recording})).get_json("/list")
        assert len(server.asked) == 2
        assert again.page(1) == page
        assert again.data == first.data
        server.script = [FINE]
        asker.get_json("/list")
        assert len(server.asked) == 3, "the client itself recalls nothing"


class TestRateBudget:
    def test_a_second_of_requests_at_once_and_the_next_a_second_later(self):
        time = Time()
        budget = time.budget(4)
        waited = [budget.wait_turn() for _ in range(9)]
        second = 1 + ON_THE_WAY
        assert waited == pytest.approx([0, 0, 0, 0, second, 0, 0, 0, second])

    def test_less_than_one_a_second_and_no_whole_number(self):
        slow, odd = Time(), Time()
        slow_budget, odd_budget = slow.budget(0.25), odd.budget(2.5)
        waited = [slow_budget.wait_turn() for _ in range(3)]
        assert waited == pytest.approx([0, 4 + ON_THE_WAY, 4 + ON_THE_WAY])
        waited = [odd_budget.wait_turn() for _ in range(4)]
        assert waited == pytest.approx([0, 0, 1 + ON_THE_WAY, 0])

    def test_a_pause_holds_everybody(self):
        time = Time()
        budget = time.budget(100)
        budget.pause(30)
        time.now = 10.0
        assert budget.wait_turn() == 20

    def test_a_pause_that_comes_while_somebody_waits_holds_them_too(self):
        time = Time()
        budget = time.budget(1)
        budget.wait_turn()
        time.meanwhile = lambda: budget.pause(5)
        waited = 6 + ON_THE_WAY
        assert budget.wait_turn() == waited, "paused for 5 s when the second was over"

    @given(
        per_second=integers(1, 5),
        steps=lists(
            tuples(floats(0, 1.5), floats(0, 0.7), sampled_from([0, 0, 0, 0.5, 2])), max_size=40
        ),
    )
    def test_no_second_has_more_requests_than_allowed(self, per_second, steps):
        """Whatever happens between requests, and however late a sleeper wakes up."""
        time = Time()
        budget, sent = time.budget(per_second), []
        for idle, oversleep, pause in steps:
            time.now += idle
            time.oversleep = oversleep
            if pause:
                budget.pause(pause)
            budget.wait_turn()
            sent.append(time.now)
        for early, late in zip(sent, sent[per_second:], strict=False):
            assert late - early > 1 - 1e-6

    def test_threads_share_it_exactly(self):
        time = Time()
        budget = time.budget(5)

        def asker(_name):
            return sum(budget.wait_turn() for _ in range(20))

        with ThreadPoolExecutor(4) as threads:
            waited = sum(threads.map(asker, range(4)))
        expected = pytest.approx(15 * (1 + ON_THE_WAY))
        assert time.now == expected, "80 requests: 5 at once, then 5 every second"
        assert waited == expected

    def test_those_who_wait_are_served_in_the_order_they_came(self):
        time, served = Time(), []
        budget = time.budget(1)
        budget.wait_turn()
        holding, waiting = Event(), Event()
        time.meanwhile = lambda: (waiting.set(), holding.wait(10))

        def ask(name):
            budget.wait_turn()
            served.append(name)

        threads = [Thread(target=ask, args=(name,)) for name in range(5)]
        for at, thread in enumerate(threads):
            thread.start()
            waiting.wait(10)
            until(lambda at=at: budget._tickets == at + 2)
        holding.set()
        for thread in threads:
            thread.join(10)
        assert served == [0, 1, 2, 3, 4]

    def test_users_of_one_account_share_it(self):
        assert rate_budget("https://x one", 5) is rate_budget("https://x one", 5)
        assert rate_budget("https://x one", 5) is not rate_budget("https://x two", 5)
