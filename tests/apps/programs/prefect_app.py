"""Prefect, used through its own server and client. Run by the Python of Prefect's own virtual environment.

prefect_app.py fill URL     flows that ran, failed and wait; deployments, pools, blocks, variables, artifacts …
prefect_app.py dump URL     everything that the server tells, as JSON
prefect_app.py use URL      go on working, and read that back

URL is a database's. The server works in the current directory.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from printing import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "Zürich, 北京,\tnaïve\n🚀 \\n 'quoted' \"twice\" ; " * 40
# no 1e22: Prefect 3.8.8 cannot read it back on PostgreSQL, wherever it came from. jsonb keeps it as the integer 10**22,
# and its server answers 500, "TypeError: Integer exceeds 64-bit range"
NASTY = {"größe": [1, 2.5, None, True, 5e-324, 0.1 + 0.2, 2**53 + 1], "": {"漢字": "\\u0041 🦀"}, "text": TEXT}
START_S = 60


@contextmanager
def run_server(url: str, *, services: bool, filling: bool) -> Iterator[None]:
    """Run a server on that database; the client in this process is told where it is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = Path("server.log")
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    # block types are registered once, when the file is filled: it would change their dates
    settings = {} if filling else {"PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false"}
    command += ["--no-scheduler", "--no-late-runs"] if services else ["--no-services"]
    with log.open("a") as output:
        server = subprocess.Popen(
            command,
            env=os.environ | settings | {"PREFECT_API_DATABASE_CONNECTION_URL": url},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        give_up = time.monotonic() + START_S
        while not is_ready():
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the server does not answer: {log.read_text()[-4000:]}")
            time.sleep(0.2)
        yield
    finally:
        server.terminate()
        server.wait(START_S)


def is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"{os.environ['PREFECT_API_URL']}/ready", timeout=START_S):  # noqa: S310 - ours
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def ask(method: str, path: str, body: Any = None) -> Any:
    """Send a request to the REST interface. Raises: RuntimeError when it is refused."""
    import httpx

    for _ in range(START_S):
        answer = httpx.request(method, f"{os.environ['PREFECT_API_URL']}{path}", json=body, timeout=START_S)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.5)  # SQLite is busy with what a service of the server writes
    if answer.is_error:
        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


def run_flows(names: tuple[str, ...]) -> None:
    """Run flows as users write them, each with its tasks, its log lines and its artifact."""
    from prefect import flow, get_run_logger, tags, task
    from prefect.artifacts import create_markdown_artifact

    @task(retries=1, retry_delay_seconds=0)  # type: ignore[untyped-decorator]  # of a package that is not here
    def shout(text: str) -> str:
        get_run_logger().info("größer: %s", text)
        if text == "fails":
            raise ValueError("this one fails: ünïcödé")
        return text.upper()

    @flow(name="Ünïcödé 漢字 🦀", persist_result=False)  # type: ignore[untyped-decorator]  # the same
    def greet(text: str, options: dict[str, Any]) -> str:
        create_markdown_artifact(TEXT, key="report", description=f"about {text}")
        time.sleep(0.05)  # so that there is a run time
        return f"{shout(text)} {len(options)}"

    with tags("käse", "test"):
        for name in names:
            greet(name, NASTY, return_state=True)


def fill() -> None:
    from prefect.blocks.system import Secret
    from prefect.variables import Variable

    run_flows(("erste", "fails", "李雷"))
    Secret(value={"key": "s3cr3t ü", "nested": NASTY}).save("credentials")
    Variable.set("limits", NASTY)
    pool = ask("POST", "/work_pools/", {"name": "Pool ü", "type": "process", "base_job_template": {}})
    ask("POST", "/work_pools/Pool ü/queues", {"name": "eilig", "priority": 1, "concurrency_limit": 2})
    flow = ask("POST", "/flows/", {"name": "deployed", "tags": ["ü"]})
    deployment = ask(
        "POST", "/deployments/",
        {"name": "nightly", "flow_id": flow["id"], "work_pool_name": pool["name"], "parameters": NASTY,
         "description": TEXT, "schedules": [{"schedule": {"cron": "0 3 * * *", "timezone": "Europe/Zurich"}}]},
    )  # fmt: skip
    for number in range(3):
        ask("POST", f"/deployments/{deployment['id']}/create_flow_run", {"parameters": {"n": number}, "tags": ["käse"]})
    ask("POST", "/concurrency_limits/", {"tag": "käse", "concurrency_limit": 5})
    ask("POST", "/v2/concurrency_limits/", {"name": "slow", "limit": 3, "slot_decay_per_second": 0.1})
    ask("PUT", "/saved_searches/", {"name": "mine", "filters": []})
    wait_for_task_runs(3)


def wait_for_task_runs(count: int) -> None:
    """A task's run is recorded by a service, from its events: a little later."""
    for _ in range(START_S * 5):
        runs = ask("POST", "/task_runs/filter", {})
        if len(runs) >= count and all(run["state_type"] in {"COMPLETED", "FAILED"} for run in runs):
            return
        time.sleep(0.2)
    raise RuntimeError(f"only {len(runs)} runs of tasks were recorded")


RELATIVE_TO_NOW = {"estimated_run_time", "estimated_start_time_delta", "last_polled", "status"}


def keep_what_stays(value: Any) -> Any:
    """Leave out what the server reckons from the clock, and the order of what has none. Pure."""
    if isinstance(value, dict):
        return {key: keep_what_stays(each) for key, each in value.items() if key not in RELATIVE_TO_NOW}
    if isinstance(value, list):
        return [keep_what_stays(each) for each in value]
    return value


def dump() -> Any:
    told: dict[str, Any] = {}
    for what in (
        "flows", "flow_runs", "task_runs", "deployments", "logs", "artifacts", "artifacts/latest", "variables",
        "block_types", "block_schemas", "work_pools", "work_queues", "concurrency_limits", "v2/concurrency_limits",
        "saved_searches", "automations",
    ):  # fmt: skip
        rows = ask("POST", f"/{what}/filter", {"limit": 200})
        told[what] = sorted((keep_what_stays(row) for row in rows), key=lambda row: str(row["id"]))
        assert len(rows) < 200
    told["secrets"] = ask("POST", "/block_documents/filter", {"include_secrets": True})
    for kind in ("flow_run", "task_run"):
        told[f"{kind} states"] = {
            run["id"]: keep_what_stays(ask("GET", f"/{kind}_states/?{kind}_id={run['id']}")) for run in told[f"{kind}s"]
        }
    return told


def use() -> Any:
    """Write as users would."""
    from prefect.blocks.system import Secret
    from prefect.variables import Variable

    before = dump()
    assert Secret.load("credentials").get() == {"key": "s3cr3t ü", "nested": NASTY}
    assert Variable.get("limits") == NASTY
    run_flows(("nach dem Umzug", "fails"))
    Secret(value="changed").save("credentials", overwrite=True)
    Variable.set("limits", [1, "ü"], overwrite=True)
    deployment = before["deployments"][0]["id"]
    new = ask("POST", f"/deployments/{deployment}/create_flow_run", {"parameters": {"n": 4}})
    old = next(run for run in before["flow_runs"] if run["state_type"] == "SCHEDULED")
    for run in (new, old):
        ask("POST", f"/flow_runs/{run['id']}/set_state", {"state": {"type": "CANCELLED"}, "force": True})
    gone = next(run for run in before["flow_runs"] if run["state_type"] == "COMPLETED")
    ask("DELETE", f"/flow_runs/{gone['id']}")  # takes its states along
    ask("PATCH", "/work_pools/Pool ü", {"is_paused": True})
    wait_for_task_runs(4)  # three and two, of which one is gone
    after = dump()
    assert Secret.load("credentials").get() == "changed"
    assert next(run for run in after["flow_runs"] if run["id"] == new["id"])["state_type"] == "CANCELLED"
    assert {run["id"] for run in before["flow_runs"]} - {run["id"] for run in after["flow_runs"]} == {gone["id"]}
    return after


if __name__ == "__main__":
    command, url = sys.argv[1:]
    with run_server(url, services=command != "dump", filling=command == "fill"):
        if command == "fill":
            fill()
        else:
            write_json({"dump": dump, "use": use}[command]())
