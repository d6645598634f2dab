"""Where a request comes from: what trusted proxies say of it, and nothing that anybody else claims."""

import http.client
import ipaddress
import json
import re
import socket

import pytest

from chassis.security.proxies import client_of, limited_as, trust
from chassis.settings import Settings
from chassis.tests.conftest import ASYNC_MODE, ROOT
from chassis.tests.deploy.site import nginx
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import LIMITS_APP, ask

FORGED = {
    "X_Forwarded_For": "203.0.113.9",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "app.example.org",
    "X_Real_IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;proto=https",
    "X_Forwarded_Prefix": "/x",
}
ELSEWHERE = "127.0.0.2"  # loopback too, but nobody's proxy


@pytest.fixture
def server(limits_app):
    return limits_app(TRUSTED_PROXIES="127.0.0.1", SOCKET_MAX_CONNECTIONS_PER_ADDRESS="2")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, garbage, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.9,", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "2001:db8::9", "2001:db8::9"),
        ("10.0.0.1", "[2001:DB8::9]:4711", "2001:db8::9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", 'fe80::1%"x\n', "10.0.0.1"),
        ("10.0.0.1", "127.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "::1, 10.0.0.2", "10.0.0.2"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("fd00::1", "6.6.6.6, 2001:db8::9, fd00::2", "2001:db8::9"),
        ("", "203.0.113.9", "203.0.113.9"),
        ("", "127.0.0.1", "127.0.0.1"),
        ("10.0.0.1", ", ".join(["6.6.6.6", *["10.0.0.2"] * 100_000]), "10.0.0.2"),
    ],
)
def test_the_client_is_the_right_most_address_that_is_no_proxys(peer, forwarded_for, client):
    trusted = trust(("unix", ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")))
    assert trusted(peer)
    assert client_of(forwarded_for, peer, trusted) == client


def test_nobody_is_trusted_by_default_and_a_unix_socket_only_where_it_is_named():
    assert not any(trust(())(peer) for peer in ("127.0.0.1", "", "unix:", "::1"))
    assert not trust((ipaddress.ip_network("0.0.0.0/1"),))("")
    assert not trust(("unix",))("127.0.0.1")


def test_a_network_of_ipv6_is_one_client_for_limits():
    assert limited_as("2001:db8::1") == limited_as("2001:db8::ffff") != limited_as("2001:db8:0:1::1")
    assert limited_as("203.0.113.9") == "203.0.113.9"


def test_what_a_proxy_says_counts_in_the_request_its_links_and_the_log(server):
    got = ask(server, "/api/where", **FORGED, SCRIPT_NAME="/api").json
    assert (got["remote"], got["secure"], got["script_name"]) == ("203.0.113.9", True, "")
    assert (got["url"], got["headers"]) == ("https://app.example.org/api/where", [])
    lines = [json.loads(line) for line in server.log.splitlines() if '"/api/where"' in line]
    assert lines[-1]["remote"] == "203.0.113.9"


@pytest.mark.parametrize("said", ["gopher", "", "https, http", "HTTPS ,wss"])
def test_a_scheme_that_is_none_is_passed_over_and_the_nearest_proxys_counts(server, said):
    secure = ask(server, "/api/where", X_Forwarded_Proto=said).json["secure"]
    assert secure is said.endswith("wss")


@pytest.mark.parametrize("host", ["a b", "evil/../x", "a@b", "", "x" * 300, "[::1", "a:b:c"])
def test_a_host_that_is_none_is_passed_over(server, host):
    got = ask(server, "/api/where", X_Forwarded_Host=host).json
    assert got["url"] == f"http://127.0.0.1:{server.port}/api/where"


def test_what_anybody_else_claims_changes_nothing(server):
    got = ask(server, "/api/where", source=ELSEWHERE, **FORGED, SCRIPT_NAME="/api").json
    assert (got["remote"], got["secure"], got["headers"], got["script_name"]) == (ELSEWHERE, False, [], "")
    assert got["url"] == f"http://127.0.0.1:{server.port}/api/where"
    ask(server, "/api/where", source=ELSEWHERE, **FORGED)
    assert server.log.count("forwarded_headers_ignored") == 1


def test_metrics_are_refused_to_a_client_behind_the_proxy(server):
    assert ask(server, "/metrics").status == 200
    assert ask(server, "/metrics", X_Forwarded_For="203.0.113.9").status == 403
    assert ask(server, "/metrics", X_Forwarded_For="127.0.0.1, 203.0.113.9").status == 403


def open_socket(server, source="127.0.0.1", **headers):
    return ask(server, "/socket.io/?EIO=4&transport=polling", source=source, **headers).status


def test_the_page_behind_tls_may_open_sockets_only_where_a_proxy_says_that_it_is(server):
    own = {"Host": "app.example.org", "Origin": "https://app.example.org", "X_Forwarded_For": "203.0.113.20"}
    assert open_socket(server, **own, X_Forwarded_Proto="https") == 200
    assert open_socket(server, **own) == 400
    assert open_socket(server, source=ELSEWHERE, **own, X_Forwarded_Proto="https") == 400
    foe = own | {"Origin": "https://foe.example"}
    assert open_socket(server, **foe, X_Forwarded_Proto="https") == 400


@pytest.mark.skipif(ASYNC_MODE == "threading", reason="the stock transport has no such limit")
def test_the_sockets_of_an_address_are_counted_by_the_clients(server):
    assert [open_socket(server, X_Forwarded_For="203.0.113.30") for _ in range(3)] == [200, 200, 503]
    assert open_socket(server, X_Forwarded_For="203.0.113.31") == 200
    claimed = [open_socket(server, "127.0.0.3", X_Forwarded_For=f"203.0.113.{n}") for n in range(40, 43)]
    assert claimed == [200, 200, 503]


def test_through_a_real_nginx(server, tool, tmp_path):
    with nginx(tmp_path, tool, server.port) as site:
        forged = {"X_Forwarded_For": "6.6.6.6", "X_Forwarded_Proto": "gopher", "X_Forwarded_Host": "foe.example"}
        got = json.loads(site.ask("/api/where", source="127.0.0.5", **forged)[2])
        assert (got["remote"], got["secure"]) == ("127.0.0.5", True)
        assert got["url"] == f"{site.origin}/api/where"
        polling = "/socket.io/?EIO=4&transport=polling"
        assert site.ask(polling, source="127.0.0.6", Origin=site.origin)[0] == 200
        assert site.ask(polling, source="127.0.0.7", Origin=f"http://localhost:{site.port}")[0] == 400


def test_a_proxy_on_a_unix_socket_is_trusted_where_it_is_named(serve, tmp_path):
    path = tmp_path / "s"
    server = serve(command=[*LIMITS_APP, "--bind", f"unix:{path}"], ready=False, TRUSTED_PROXIES="unix")

    def request(**headers):
        one = http.client.HTTPConnection("localhost", timeout=LIMIT_SECONDS)
        one.sock = socket.socket(socket.AF_UNIX)
        one.sock.connect(str(path))
        one.request("GET", "/api/where", headers={name.replace("_", "-"): text for name, text in headers.items()})
        return json.loads(one.getresponse().read())

    wait_until(path.exists, f"no socket:\n{server.log}")
    got = request(**FORGED)
    assert (got["remote"], got["secure"], got["url"]) == ("203.0.113.9", True, "https://app.example.org/api/where")
    assert request(X_Forwarded_Proto="gopher")["secure"] is False


def shipped(file: str) -> list[tuple[str, str, str]]:
    """Return (peer, X-Forwarded-For, client) as they are where a deployment's file is used."""
    inside = [("172.18.0.3", "203.0.113.9", "203.0.113.9"), ("10.244.1.7", "192.168.1.5", "192.168.1.5")]
    here = [("127.0.0.1", "203.0.113.9", "203.0.113.9"), ("::1", "203.0.113.9", "203.0.113.9")]
    on_render = [("10.21.157.68", "6.6.6.6, 99.61.165.29, 104.22.17.40", "99.61.165.29")]
    return on_render if file == "render.yaml" else inside if "compose" in file or "kube" in file else here


@pytest.mark.parametrize(
    "file",
    [
        "render.yaml",
        "deploy/compose/compose.yaml",
        "deploy/kubernetes/base/kustomization.yaml",
        f"deploy/systemd/{SLUG}.service",
        f"deploy/supervisor/{SLUG}.conf",
    ],
)
def test_what_the_shipped_files_trust(file):
    text = re.sub(r"(TRUSTED_PROXIES)\n\s+value: >-\n((?: {10}.*\n)+)", join_lines, (ROOT / file).read_text())
    value = re.search(r"""^[^#;\n]*TRUSTED_PROXIES(?:=|: )"?([^"\s]+)""", text, re.MULTILINE)[1]
    trusted = trust(Settings(trusted_proxies=value).trusted_proxies)
    assert not trusted("203.0.113.9")
    assert not trusted("")
    for peer, forwarded_for, client in shipped(file):
        assert trusted(peer)
        assert client_of(forwarded_for, peer, trusted) == client


def join_lines(found: re.Match) -> str:
    return f"{found[1]}={''.join(found[2].split())}\n"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("10.0.0.0/8, proxy.local", "'proxy.local', which is not a network"),
        ("0.0.0.0/0", "must not include every address"),
    ],
)
def test_a_wrong_setting_is_told(monkeypatch, value, complaint):
    from chassis.errors import SettingsError
    from chassis.settings.loading import load_settings

    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("TRUSTED_PROXIES", value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert complaint in dict(raised.value.problems)["TRUSTED_PROXIES"]
