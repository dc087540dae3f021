"""JupyterHub, used through its own REST interface. Run by the Python of JupyterHub's own virtual environment.

jupyterhub_app.py schema URL STATE    let the hub make its tables, by starting it once
jupyterhub_app.py fill URL STATE      users, groups, tokens, running notebook servers, shares, an OAuth code …
jupyterhub_app.py dump URL STATE      everything that the hub tells, as JSON
jupyterhub_app.py use URL STATE       go on working, and read that back

URL is a database's. STATE is a file for what a user keeps: tokens and codes, which no hub tells again.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import requests
from printing import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "f" * 32
TEXT = "Zürich, 北京, naïve 🚀 'quoted' \"twice\" \\n ; " * 200
USERS = ("zoë", "andré", "李雷", "a" * 255, "o'brien", "plain", "gone")
START_S = 60


class Hub:
    """A running hub, and what is asked of it."""

    def __init__(self, port: int) -> None:
        """Know where it is."""
        self.root = f"http://127.0.0.1:{port}/hub"

    def ask(self, method: str, path: str, body: Any = None, token: str = TOKEN, ok: int | None = None) -> Any:
        """Send a request to the REST interface. Raises: RuntimeError when it is refused."""
        address = f"{self.root}/api{quote(path, safe='/?=&!')}"
        answer = requests.request(
            method, address, json=body, headers={"Authorization": f"token {token}"}, timeout=START_S
        )
        if (answer.status_code != ok) if ok else not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.text else None

    def wait_for(self, user: str, server: str, *, ready: bool) -> None:
        """Wait until a notebook server runs, or does not."""
        for _ in range(START_S * 5):
            servers = self.ask("GET", f"/users/{user}")["servers"]
            if (servers.get(server, {}).get("ready", False)) == ready:
                return
            time.sleep(0.2)
        raise RuntimeError(f"the server {server!r} of {user} is not {ready=}")


@contextmanager
def run_hub(url: str, directory: Path) -> Iterator[Hub]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (directory / "running").touch()  # the notebooks end when it is removed
    config = Path(__file__).with_name("jupyterhub_config.py")
    log = directory / "hub.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", config, "--debug"],
            env=os.environ | {"HUB_DB_URL": url, "HUB_PORT": str(port), "HUB_TOKEN": TOKEN},
            stdout=output,
            stderr=output,
            cwd=directory,
        )
    hub = Hub(port)
    try:
        wait_for_hub(hub, process)
        yield hub
    except Exception:
        sys.stderr.write(log.read_text()[-6000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)


def wait_for_hub(hub: Hub, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_S * 5):
        if process.poll() is not None:
            raise RuntimeError("the hub ended by itself")
        try:
            hub.ask("GET", "/info")
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the hub does not answer")


def log_in(hub: Hub, user: str) -> requests.Session:
    """What a browser does."""
    browser = requests.Session()
    browser.get(f"{hub.root}/login", timeout=START_S)
    answer = browser.post(
        f"{hub.root}/login",
        data={"username": user, "password": "x", "_xsrf": browser.cookies.get("_xsrf")},
        timeout=START_S,
        allow_redirects=False,
    )
    if answer.status_code != 302:
        raise RuntimeError(f"{user} may not log in: {answer.status_code}")
    return browser


def ask_for_code(hub: Hub, browser: requests.Session) -> str:
    """Let a user authorise a service, up to the code that the service has to redeem."""
    answer = browser.get(
        f"{hub.root}/api/oauth2/authorize",
        params={
            "client_id": "service-dashboard",
            "redirect_uri": "http://127.0.0.1:9/callback",
            "response_type": "code",
            "state": "s",
        },
        timeout=START_S,
        allow_redirects=False,
    )
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def redeem_code(hub: Hub, code: str) -> str:
    answer = requests.post(
        f"{hub.root}/api/oauth2/token",
        data={
            "client_id": "service-dashboard",
            "client_secret": "d" * 32,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "http://127.0.0.1:9/callback",
        },
        timeout=START_S,
    )
    token: str = answer.json()["access_token"]
    return token


def fill(hub: Hub) -> dict[str, Any]:
    hub.ask("POST", "/users", {"usernames": list(USERS[1:])})
    hub.ask("PATCH", "/users/andré", {"admin": True})
    for user in ("zoë", "李雷", "plain"):
        hub.ask("PATCH", f"/users/{user}", {"auth_state": {"token": f"geheim {user}", "nested": [1, None, TEXT]}})
    hub.ask("POST", "/groups/Übung 漢字")
    hub.ask("POST", "/groups/Übung 漢字/users", {"users": ["zoë", "andré", "李雷"]})
    hub.ask("PUT", "/groups/Übung 漢字/properties", {"limit": 2**53 + 1, "rate": 0.1 + 0.2, "text": TEXT, "no": None})
    hub.ask("POST", "/groups/empty")
    hub.ask("POST", "/groups/gone")
    hub.ask("DELETE", "/groups/gone")

    tokens = {}
    for user, body in {
        "zoë": {"note": "Für die Übung 🦀", "scopes": ["self", "list:users"]},
        "李雷": {"note": "expires", "expires_in": 86400},
        "plain": {"note": "x" * 1023},
        "gone": {"note": "goes with its user"},
    }.items():
        tokens[user] = hub.ask("POST", f"/users/{user}/tokens", body)["token"]
    hub.ask("DELETE", "/users/gone")
    hub.ask("GET", "/user", token=tokens["zoë"])  # its last activity is recorded

    for user, server in (("zoë", ""), ("zoë", "zweiter"), ("plain", ""), ("plain", "stopped")):
        path = f"/users/{user}/servers/{server}" if server else f"/users/{user}/server"
        hub.ask("POST", path, {"profile": "klein", "größe": [1, 2.5, None]})
        hub.wait_for(user, server, ready=True)
    hub.ask("DELETE", "/users/plain/servers/stopped")
    hub.wait_for("plain", "stopped", ready=False)

    hub.ask("POST", "/shares/zoë/zweiter", {"user": "plain"})
    hub.ask("POST", "/shares/zoë/zweiter", {"group": "Übung 漢字"})
    share = hub.ask("POST", "/share-codes/zoë/zweiter", {"expires_in": 86400})
    code = ask_for_code(hub, log_in(hub, "andré"))
    return {"tokens": tokens, "share": share["code"], "oauth": code}


def sort_sets(value: Any) -> Any:
    """The hub's lists of names are sets: scopes, roles, groups. Pure."""
    if isinstance(value, dict):
        return {key: sort_sets(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted(value) if all(isinstance(each, str) for each in value) else [sort_sets(each) for each in value]
    return value


def dump(hub: Hub) -> Any:
    users = {each["name"]: each for each in hub.ask("GET", "/users?include_stopped_servers=1&limit=200")}
    told = {
        "users": {name: hub.ask("GET", f"/users/{name}?include_stopped_servers=1") for name in users},
        "tokens": {
            name: sorted(hub.ask("GET", f"/users/{name}/tokens")["api_tokens"], key=lambda each: int(each["id"][1:]))
            for name in users
        },
        "groups": sorted(hub.ask("GET", "/groups?limit=200"), key=lambda each: each["name"]),
        "services": {
            name: {key: value for key, value in each.items() if key != "pid"}
            for name, each in hub.ask("GET", "/services").items()
        },
        "shares": hub.ask("GET", "/shares/zoë/zweiter")["items"],
        "share codes": hub.ask("GET", "/share-codes/zoë/zweiter")["items"],
    }
    return sort_sets(told)


def use(hub: Hub, kept: dict[str, Any]) -> Any:
    """Write as users would: each number that the database gives out must be a new one."""
    before = dump(hub)
    ids = {token["id"] for tokens in before["tokens"].values() for token in tokens}
    assert hub.ask("GET", "/user", token=kept["tokens"]["zoë"])["name"] == "zoë"
    hub.ask("GET", "/user", token=kept["tokens"]["gone"], ok=403)

    token = redeem_code(hub, kept["oauth"])  # a code of the old database
    assert hub.ask("GET", "/user", token=token)["name"] == "andré"
    plain = kept["tokens"]["plain"]
    assert hub.ask("GET", "/users/plain/shared", token=plain)["items"]

    hub.ask("POST", "/users", {"usernames": ["new", "newer"]})
    hub.ask("PATCH", "/users/new", {"auth_state": {"fresh": "größe"}})
    added = [hub.ask("POST", f"/users/{user}/tokens", {"note": "after the move"}) for user in ("new", "zoë")]
    assert not ids & {each["id"] for each in added}
    hub.ask("POST", "/groups/after the move")
    hub.ask("POST", "/groups/after the move/users", {"users": ["new", "zoë"]})
    hub.ask("POST", "/users/new/server")
    hub.wait_for("new", "", ready=True)
    hub.ask("POST", "/shares/new/", {"user": "zoë"})
    hub.ask("DELETE", "/groups/empty")
    hub.ask("DELETE", f"/users/plain/tokens/{before['tokens']['plain'][0]['id']}")
    hub.ask("DELETE", "/users/李雷")  # takes its tokens along

    for user, server in (("zoë", ""), ("zoë", "zweiter"), ("plain", ""), ("new", "")):
        hub.ask("DELETE", f"/users/{user}/servers/{server}" if server else f"/users/{user}/server")
        hub.wait_for(user, server, ready=False)
    after = dump(hub)
    assert set(after["users"]) == {*before["users"], "new", "newer"} - {"李雷"}
    assert after["users"]["zoë"]["auth_state"] == before["users"]["zoë"]["auth_state"]
    assert after["users"]["new"]["auth_state"] == {"fresh": "größe"}
    assert len(after["tokens"]["zoë"]) >= len(before["tokens"]["zoë"])
    return after


if __name__ == "__main__":
    command, url, state = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    with run_hub(url, state.parent) as hub:
        if command == "fill":
            state.write_text(json.dumps(fill(hub)))
        elif command == "dump":
            write_json(dump(hub))
        elif command == "use":
            write_json(use(hub, json.loads(state.read_text())))
