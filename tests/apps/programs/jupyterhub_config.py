"""The configuration of the hub that the tests run. Read by JupyterHub.

Its own authenticator and spawner; of the proxy only the book-keeping, since no browser comes by.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from jupyterhub.proxy import Proxy

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub puts it there


class NoProxy(Proxy):  # type: ignore[misc]  # of a package that is not here
    """Keeps the routes, and forwards nothing: the hub is asked directly."""

    def __init__(self, **traits: Any) -> None:
        """Have no route."""
        super().__init__(**traits)
        self.routes: dict[str, dict[str, Any]] = {}

    async def add_route(self, routespec: str, target: str, data: dict[str, Any]) -> None:
        """Keep it."""
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        """Forget it."""
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, dict[str, Any]]:
        """What was kept."""
        return self.routes


port = int(os.environ["HUB_PORT"])
c.JupyterHub.db_url = os.environ["HUB_DB_URL"]
c.JupyterHub.proxy_class = NoProxy
c.Proxy.should_start = False
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = port
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.cookie_secret = bytes(range(32))
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.cleanup_servers = False  # a hub that is restarted finds the notebooks running
c.JupyterHub.allow_named_servers = True
c.JupyterHub.load_groups = {"from configuration": {"users": ["zoë"], "properties": {"größe": "µ", "limit": 3}}}
c.JupyterHub.services = [
    {"name": "filler", "api_token": os.environ["HUB_TOKEN"], "admin": True},
    {
        "name": "dashboard",
        "url": "http://127.0.0.1:9",
        "api_token": "d" * 32,
        "oauth_redirect_uri": "http://127.0.0.1:9/callback",
        "oauth_no_confirm": True,
        "info": {"beschreibung": "Übersicht 漢字", "n": [1, 2.5, None]},
    },
]
c.JupyterHub.load_roles = [
    {"name": "filler", "scopes": ["admin-ui", "admin:users", "admin:auth_state", "admin:servers", "admin:groups",
     "tokens", "read:services", "list:services", "shares", "shutdown", "read:roles", "read:hub"],
     "services": ["filler"]},
    {"name": "teacher", "description": "Lehrkräfte 🧑‍🏫", "scopes": ["list:users", "read:servers"], "users": ["zoë"]},
    {"name": "user", "description": "own", "scopes": ["self", "shares!user"]},
]  # fmt: skip
c.Authenticator.allow_all = True
c.Authenticator.allowed_users = {"zoë"}
c.Authenticator.enable_auth_state = True
c.CryptKeeper.keys = [bytes(range(32))]
c.Spawner.cmd = [sys.executable, str(Path(__file__).with_name("notebook.py"))]
c.SimpleLocalProcessSpawner.home_dir_template = f"{Path.cwd()}/home of {{username}}"
c.Spawner.environment = {"NOTEBOOK_WHILE": f"{Path.cwd()}/running"}
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = 30
