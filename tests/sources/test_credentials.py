"""How a request says who asks: headers, queries, and tokens that run out."""

import pytest

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.auth import HeaderAuth, NoAuth, QueryAuth
from sms_etl.sources.http import HttpClient, HttpSettings
from sms_etl.sources.oauth import ClientCredentials
from tests.sources.scripted_server import Reply

SECRET = "very-secret-7f3a"
FINE = Reply(b'{"fine": true}')


def settings(server, path="") -> HttpSettings:
    url = server.url + path
    return HttpSettings(
        kind="test", base_url=url, requests_per_second=1000, retry_budget_seconds=30
    )


def client(server, auth, path="") -> HttpClient:
    return HttpClient("shop", "account", settings(server, path), auth, SECRET)


def granted(token: str, **more) -> Reply:
    return Reply.of({"access_token": token, "token_type": "bearer", **more})


def test_a_key_goes_in_the_header_the_provider_names(server):
    server.script = [FINE]
    client(server, HeaderAuth("X-Api-Key", SECRET)).get_json("/list")
    assert server.asked[0].headers["X-Api-Key"] == SECRET


def test_a_key_in_the_query_is_sent_but_not_recorded(server, naps):
    server.script = [Reply(b"busy", 500), FINE, Reply(b"{}", 401)]
    asker = client(server, QueryAuth(apiKey=SECRET))
    answer = asker.get_json("/list", {"day": "2025-03-05"})
    assert [asked.target for asked in server.asked] == [f"/list?day=2025-03-05&apiKey={SECRET}"] * 2
    assert answer.page(1).request == "GET /list?day=2025-03-05"
    with pytest.raises(PermanentSourceError) as caught:
        asker.get_json("/list")
    assert SECRET not in str(caught.value)


def test_a_netrc_entry_is_never_sent(server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.script = [FINE]
    client(server, NoAuth()).post_json("/list", {"key": SECRET})
    assert "Authorization" not in server.asked[0].headers


def test_forms_are_posted(server):
    server.script = [FINE]
    answer = client(server, NoAuth()).post_form("/list", {"login": "me", "текст": "ї&"})
    assert server.asked[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert server.asked[0].body.startswith(b"login=me&")
    assert answer.request == "POST /list"


def test_bytes_are_taken_as_they_are(server):
    server.script = [Reply(b"PK\x03\x04")]
    answer = client(server, NoAuth()).get_bytes("/report.zip")
    assert (answer.body, answer.data) == (b"PK\x03\x04", None)


def test_paths_go_after_a_base_url_with_a_path(server):
    server.script = [FINE, FINE]
    asker = client(server, NoAuth(), "/mounted")
    asker.get_json("/list")
    asker.get_json(f"{server.url}/mounted/list?page=2")
    assert [asked.target for asked in server.asked] == ["/mounted/list", "/mounted/list?page=2"]


def test_words_of_a_nested_error_are_quoted_without_the_secret(server):
    error = {"errors": [{"code": "10011", "title": "No", "detail": f"key {SECRET} is blocked"}]}
    server.script = [Reply.of(error, status=403)]
    with pytest.raises(PermanentSourceError, match=r"10011 No key \*\*\* is blocked"):
        client(server, NoAuth()).get_json("/list")


class TestClientCredentials:
    @pytest.fixture
    def clock(self):
        return [0.0]

    @pytest.fixture
    def asker(self, server, clock):
        auth = ClientCredentials(
            "shop", settings(server), "/oauth2/token", "me", SECRET, clock=lambda: clock[0]
        )
        return client(server, auth)

    def test_one_token_serves_until_it_runs_out(self, server, asker, clock):
        server.script = [granted("one", expires_in=3600), FINE, FINE]
        asker.get_json("/list")
        asker.get_json("/list")
        assert server.asked[0].target == "/oauth2/token"
        assert server.asked[0].body == b"grant_type=client_credentials"
        assert server.asked[0].headers["Authorization"].startswith("Basic ")
        assert [a.headers["Authorization"] for a in server.asked[1:]] == ["Bearer one"] * 2
        clock[0] = 3600.0 - 10
        server.script = [granted("two", expires_in=3600), FINE]
        asker.get_json("/list")
        assert server.asked[-1].headers["Authorization"] == "Bearer two"

    def test_a_refused_token_is_renewed_once(self, server, asker, naps):
        server.script = [granted("one"), Reply(b"{}", 401), granted("two"), FINE]
        assert asker.get_json("/list").retries == 1
        assert server.asked[-1].headers["Authorization"] == "Bearer two"
        server.script = [Reply(b"{}", 401), granted("three"), Reply(b"{}", 401)]
        with pytest.raises(PermanentSourceError, match="HTTP 401"):
            asker.get_json("/list")

    def test_a_token_that_another_thread_renewed_meanwhile_is_kept(self, server, asker, naps):
        """Both were sent with token one; the second refusal must not throw token two away."""
        server.script = [granted("one"), FINE]
        asker.get_json("/list")

        def renewed_by_another(_asked):
            server.script = [Reply(b"{}", 401), granted("two"), FINE]
            asker.get_json("/list")
            server.script = [FINE]
            return Reply(b"{}", 401)

        server.otherwise = renewed_by_another
        asker.get_json("/late")
        tokens = [one.headers["Authorization"] for one in server.asked if one.target == "/late"]
        assert tokens == ["Bearer one", "Bearer two"]
        assert [one.target for one in server.asked].count("/oauth2/token") == 2

    def test_a_wrong_secret_is_told_without_it(self, server, asker):
        server.script = [Reply.of({"error": f"invalid_client {SECRET}"}, status=401)]
        with pytest.raises(PermanentSourceError, match=r"/oauth2/token: HTTP 401") as caught:
            asker.get_json("/list")
        assert SECRET not in str(caught.value)

    def test_an_answer_without_a_token_is_told(self, server, asker):
        server.script = [FINE]
        with pytest.raises(PermanentSourceError, match="no access_token"):
            asker.get_json("/list")
