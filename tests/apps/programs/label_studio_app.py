"""Label Studio, used as annotators use it: through its pages and its REST interface.

label_studio_app.py fill STATE        users, projects, imported tasks, annotations, predictions, tabs, exports …
label_studio_app.py dump STATE        everything that the server tells, as JSON
label_studio_app.py use STATE         go on working, and read that back
label_studio_app.py spoil STATE       import a text that PostgreSQL cannot hold

The database is what the environment says. STATE is a file for what a user keeps: tokens and cookies. Run by the Python
of Label Studio's own virtual environment; the server's data are in the directory that STATE is in.
"""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from printing import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "Zürich, 北京,\tnaïve\n🚀 \\n 'quoted' \"twice\" ; " * 20
# no -0.0: jsonb has no negative zero, whoever writes it
NASTY = {"größe": [1, 2.5, None, True, 5e-324, 0.1 + 0.2, 2**53 + 1], "": {"漢字": "\\u0041 🦀"}, "text": TEXT}
PASSWORD = "Geheim-ünïcödé-漢字-8"
START_S = 300

NAMES = """<View><Labels name="label" toName="text"><Label value="Ort"/><Label value="人"/></Labels>
<Text name="text" value="$text"/><!-- Ünïcödé --></View>"""
BOXES = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">
<Label value="Katze" background="#ff0000"/><Label value="Hund"/></RectangleLabels>
<Number name="count" toName="image"/><Taxonomy name="kind" toName="image"/></View>"""
FILES = """<View><HyperText name="page" value="$name"/><Choices name="verdict" toName="page">
<Choice value="gut"/><Choice value="schlecht"/></Choices></View>"""


class Studio:
    """A running server, as one user meets it."""

    def __init__(self, root: str, **session: str) -> None:
        """Know where it is."""
        self.root = root
        self.browser = requests.Session()
        self.browser.cookies.update(session)

    def ask(self, method: str, path: str, body: Any = None, *, ok: int | None = None, **more: Any) -> Any:
        """Send a request to the REST interface. Raises: RuntimeError when it is refused."""
        headers = more.pop("headers", {}) | {"X-CSRFToken": self.browser.cookies.get("csrftoken") or ""}
        answer = self.browser.request(
            method, f"{self.root}/api/{path}", json=body, headers=headers, timeout=START_S, **more
        )
        if (answer.status_code != ok) if ok else not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:3000]}")
        return answer.json() if "json" in answer.headers.get("Content-Type", "") and answer.text else answer.text

    def submit(self, path: str, **form: str) -> None:
        """Open a page and send its form, as a browser does."""
        self.browser.get(f"{self.root}{path}", timeout=START_S)
        form["csrfmiddlewaretoken"] = str(self.browser.cookies["csrftoken"])
        answer = self.browser.post(f"{self.root}{path}", data=form, timeout=START_S, allow_redirects=False)
        if answer.status_code != 302:
            raise RuntimeError(f"{path} did not take the form: {answer.status_code} {answer.text[-3000:]}")

    def log_in(self, email: str) -> Studio:
        self.submit("/user/login/", email=email, password=PASSWORD, persist_session="on")
        return self


@contextmanager
def run_server(directory: Path) -> Iterator[str]:
    """Run a server on the database that the environment names: its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = directory / "server.log"
    with log.open("a") as output:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("label-studio"), "start", "--no-browser", "--internal-host", "127.0.0.1",
             "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    root = f"http://127.0.0.1:{port}"
    try:
        wait_for(server, f"{root}/health")
        yield root
    except Exception:
        sys.stderr.write(log.read_text()[-4000:] + "\n")
        raise
    finally:
        server.terminate()
        server.wait(START_S)


def wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    give_up = time.monotonic() + START_S
    while not answers(address):
        if server.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError("the server does not answer")
        time.sleep(0.2)


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=START_S).ok
    except requests.ConnectionError:
        return False


# ---------------------------------------------------------------------------------------------------------------------
# Filling it


def find_people(number: int) -> list[dict[str, Any]]:
    """What an annotator marks in a text. Pure."""
    where = {"from_name": "label", "to_name": "text", "type": "labels", "origin": "manual"}
    return [
        where | {"id": f"r{number}-{start}", "value": {"start": start, "end": start + 6, "text": "Zürich",
                                                       "labels": ["Ort" if start else "人"]}}
        for start in (0, 20)
    ]  # fmt: skip


def draw_box(number: int) -> list[dict[str, Any]]:
    """A rectangle whose coordinates are what a mouse makes of them. Pure."""
    return [
        {"from_name": "box", "to_name": "image", "type": "rectanglelabels", "original_width": 640,
         "original_height": 480, "value": {"x": number / 3, "y": 0.1 + 0.2, "width": 5e-324, "height": 1 / 7,
                                           "rotation": 359.9, "rectanglelabels": ["Katze"]}},
        {"from_name": "count", "to_name": "image", "type": "number", "value": {"number": 2**53 + 1}},
    ]  # fmt: skip


def sign_up(root: str) -> tuple[Studio, Studio]:
    """The owner of an organisation, and one whom she invited."""
    owner, guest = Studio(root), Studio(root)
    owner.submit("/user/signup/", email="Zoe@example.org", password=PASSWORD, allow_newsletters="on")
    invitation = owner.ask("GET", "invite")["token"]
    guest.submit(f"/user/signup/?token={invitation}", email="liwei@example.org", password=PASSWORD)
    for studio, names in ((owner, ("Zoë", "O'Brien")), (guest, ("李", "雷"))):
        me = studio.ask("GET", "current-user/whoami")["id"]
        studio.ask("PATCH", f"users/{me}/", {"first_name": names[0], "last_name": names[1], "phone": "+41 44 0"})
        studio.ask(
            "PATCH", "current-user/hotkeys/",
            {"custom_hotkeys": {"annotation:submit": {"key": "ctrl+alt+m", "active": True}}},
        )  # fmt: skip
    return owner, guest


def fill(root: str) -> dict[str, Any]:
    owner, guest = sign_up(root)
    owner.ask("POST", "jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
    owner.ask("PATCH", "session-policy/", {"max_session_age": 40000})
    kept = {
        "legacy": owner.ask("GET", "current-user/token")["token"],
        "personal": owner.ask("POST", "token/")["token"],
        "revoked": guest.ask("POST", "token/")["token"],
        "session": dict(guest.browser.cookies),
    }
    guest.ask("POST", "token/blacklist/", {"refresh": kept["revoked"]})

    names = owner.ask("POST", "projects/", {
        "title": "Namen 漢字 🦀", "description": TEXT, "label_config": NAMES, "expert_instruction": "<b>größer</b>",
        "sampling": "Uniform sampling", "maximum_annotations": 2, "color": "#FF7557", "show_skip_button": False,
    })["id"]  # fmt: skip
    boxes = owner.ask("POST", "projects/", {"title": "Kästen", "label_config": BOXES, "is_draft": True})["id"]
    files = owner.ask("POST", "projects/", {"title": "files", "label_config": FILES})["id"]
    gone = owner.ask("POST", "projects/", {"title": "gone", "label_config": NAMES})["id"]
    import_tasks(owner, {"names": names, "boxes": boxes, "files": files, "gone": gone})
    annotate(owner, guest, names, boxes)
    organise(owner, names, boxes)
    owner.ask("DELETE", f"projects/{gone}/")
    return kept


def import_tasks(owner: Studio, projects: dict[str, int]) -> None:
    texts = [{"text": f"{number} {TEXT}", "nasty": NASTY, "seen": f"2024-02-29T23:59:59.{number:06d}Z"}
             for number in range(60)]  # fmt: skip
    owner.ask("POST", f"projects/{projects['names']}/import", texts)
    guessed = [
        {"data": {"image": f"https://example.org/{number}.png"}, "meta": {"größe": number},
         "predictions": [{"model_version": "v1 ü", "score": number / 7, "result": draw_box(number)}],
         "annotations": [{"result": draw_box(number), "ground_truth": True, "lead_time": 0.1 * number}]}
        for number in range(12)
    ]  # fmt: skip
    owner.ask("POST", f"projects/{projects['boxes']}/import?return_task_ids=1", guessed)
    lines = ["name,value", *(f'"<i>größe, {number}</i>",{number / 3}' for number in range(25))]
    owner.ask("POST", f"projects/{projects['files']}/import", files={"file": ("größe.csv", "\n".join(lines))})
    owner.ask("POST", f"projects/{projects['gone']}/import", texts[:3])


def annotate(owner: Studio, guest: Studio, names: int, boxes: int) -> None:
    tasks = [task["id"] for task in owner.ask("GET", f"projects/{names}/tasks/?page_size=100")]
    made = [
        (owner, guest)[number % 2].ask(
            "POST", f"tasks/{task}/annotations/",
            {"result": find_people(number), "was_cancelled": number % 5 == 4, "ground_truth": number == 0,
             "lead_time": 1.1 * number, "draft_id": 0},
        )["id"]
        for number, task in enumerate(tasks[:20])
    ]  # fmt: skip
    guest.ask("PATCH", f"annotations/{made[0]}/", {"result": find_people(99), "lead_time": 1e-7})
    owner.ask("DELETE", f"annotations/{made[-1]}/")
    owner.ask("POST", f"tasks/{tasks[21]}/drafts", {"result": find_people(21), "lead_time": 3.25})
    guest.ask("POST", f"tasks/{tasks[1]}/annotations/{made[1]}/drafts", {"result": find_people(1), "lead_time": 0.5})
    guest.ask("GET", f"projects/{names}/next/")  # takes a lock on what it gives out
    for task in tasks[:6]:
        owner.ask("POST", "predictions/", {"task": task, "model_version": "v2", "score": 1 / 3,
                                           "result": find_people(task)})  # fmt: skip
    owner.ask("DELETE", f"tasks/{tasks[-1]}/")
    first = owner.ask("GET", f"projects/{boxes}/tasks/?page_size=1")[0]["id"]
    owner.ask("PATCH", f"tasks/{first}/", {"data": {"image": "https://example.org/größer.png"}})
    guest.ask("POST", f"projects/{boxes}/label-stream-history/", [{"taskId": first, "annotationId": None}], ok=405)


def organise(owner: Studio, names: int, boxes: int) -> None:
    filters = {"conjunction": "and", "items": [
        {"filter": "filter:tasks:data.text", "operator": "contains", "value": "Zürich", "type": "String"},
        {"filter": "filter:tasks:total_annotations", "operator": "greater", "value": 0, "type": "Number"},
    ]}  # fmt: skip
    owner.ask("POST", "dm/views/", {
        "project": names,
        "data": {"title": "Annotiert ü", "filters": filters, "ordering": ["-tasks:completed_at", "tasks:id"],
                 "columnsWidth": {"größe": 1.5}},
    })  # fmt: skip
    owner.ask("POST", "dm/views/", {"project": boxes, "data": {"title": "all"}})
    organisation = owner.ask("GET", "organizations/")[0]["id"]
    owner.ask("POST", "labels/", [
        {"project": names, "from_name": "label", "title": title, "value": [title], "organization": organisation}
        for title in ("Ort", "人", "größer")
    ])  # fmt: skip
    owner.ask("POST", "webhooks/", {
        "url": "http://127.0.0.1:9/hook", "project": names, "headers": {"X-Token": "s3cret"}, "is_active": False,
        "send_for_all_actions": False, "actions": ["TASKS_CREATED", "ANNOTATION_CREATED"],
    })  # fmt: skip
    owner.ask("POST", f"projects/{names}/exports/", {"title": "Stand ü", "task_filter_options": {"annotated": "only"}})
    images = Path(os.environ["LOCAL_FILES_DOCUMENT_ROOT"]) / "bilder"
    images.mkdir()
    for name in ("eins.png", "zwei 漢字.png"):
        (images / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    storage = owner.ask("POST", "storages/localfiles/", {
        "project": boxes, "title": "Bilder", "path": str(images), "use_blob_urls": True, "regex_filter": r".*\.png",
    })["id"]  # fmt: skip
    owner.ask("POST", f"storages/localfiles/{storage}/sync")


# ---------------------------------------------------------------------------------------------------------------------
# Reading


CHANGING = {"last_activity", "created_ago"}  # by being asked, and by the clock
BY_ENGINE = {"annotations_results", "predictions_results"}  # columns of JSON as text, which each engine writes its way
SETS = {"actions", "children", "columns", "items", "results"}  # asked for, or held, in no order


def keep_what_stays(value: Any) -> Any:
    """Leave out what is another text each time, and the order of what has none. Pure."""
    if isinstance(value, dict):
        return {
            key: sorted(keep_what_stays(each), key=str) if key in SETS and isinstance(each, list)
            else keep_what_stays(each)
            for key, each in value.items() if key not in CHANGING | BY_ENGINE
        }  # fmt: skip
    return [keep_what_stays(each) for each in value] if isinstance(value, list) else value


def read_csv(text: str) -> list[dict[str, Any]]:
    """Rows, with the JSON in their cells read. Pure."""
    return [
        {name: json.loads(cell) if cell[:1] in {"[", "{"} else cell for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def dump(root: str) -> Any:
    studio = Studio(root).log_in("zoe@example.org")
    organisation = studio.ask("GET", "organizations/")[0]["id"]
    told: dict[str, Any] = {
        path: studio.ask("GET", path)
        for path in ("current-user/whoami", "current-user/hotkeys/", "users/", "organizations/", "jwt/settings",
                     f"organizations/{organisation}", f"organizations/{organisation}/memberships", "session-policy/",
                     "invite", "webhooks/", "labels/", "label_links/", "token/", "projects/?page_size=100",
                     "projects/counts/?page_size=100")
    }  # fmt: skip
    for project in told["projects/?page_size=100"]["results"]:
        at = f"projects/{project['id']}"
        for path in (at, f"{at}/summary/", f"{at}/annotators/", f"{at}/model-versions/", f"{at}/exports/",
                     f"{at}/file-uploads", f"dm/columns/?project={project['id']}",
                     f"dm/project?project={project['id']}", f"dm/views/?project={project['id']}",
                     f"storages?project={project['id']}", f"storages/export?project={project['id']}"):  # fmt: skip
            told[path] = studio.ask("GET", path)
        for view in told[f"dm/views/?project={project['id']}"]:
            told[f"tasks of tab {view['id']}"] = studio.ask("GET", f"tasks?view={view['id']}&fields=all&page_size=200")
        exported = studio.ask("GET", f"{at}/export?exportType=CSV&download_all_tasks=true")
        told[f"csv of {at}"] = read_csv(exported)
        told[f"predictions of {at}"] = studio.ask("GET", f"predictions/?project={project['id']}")
        told[f"tasks of {at}"] = studio.ask("GET", f"{at}/export?exportType=JSON&download_all_tasks=true")
        for task in told[f"tasks of {at}"]:
            for path in (f"tasks/{task['id']}/", f"tasks/{task['id']}/drafts"):
                told[path] = studio.ask("GET", path)
    return keep_what_stays(told)


# ---------------------------------------------------------------------------------------------------------------------
# Going on


def use(root: str, kept: dict[str, Any]) -> Any:
    """Write as users would: each number that the database gives out must be a new one."""
    before = dump(root)
    check_credentials(root, kept)
    owner = Studio(root).log_in("zoe@example.org")
    names, boxes, files = (find_project(before, title) for title in ("Namen 漢字 🦀", "Kästen", "files"))
    tasks = {int(path.split("/")[1]) for path in before if path.startswith("tasks/")}
    annotations = {
        each["id"] for path, task in before.items() if path.startswith("tasks/") and "annotations" in task
        for each in task["annotations"]
    }  # fmt: skip

    made = owner.ask("POST", f"projects/{names}/import?return_task_ids=1", [{"text": f"neu {TEXT}"} for _ in range(5)])
    assert not tasks & set(made["task_ids"])
    task = made["task_ids"][0]
    annotation = owner.ask("POST", f"tasks/{task}/annotations/", {"result": find_people(7), "lead_time": 2.5})["id"]
    assert annotation not in annotations
    guess = owner.ask("POST", "predictions/", {"task": task, "model_version": "v3", "result": find_people(8)})["id"]
    assert guess not in {each["id"] for each in before[f"predictions of projects/{names}"]}
    owner.ask("POST", f"tasks/{task}/drafts", {"result": find_people(9), "lead_time": 1})
    read = owner.ask("GET", f"tasks/{task}/")
    assert read["data"] == {"text": f"neu {TEXT}"}
    assert [each["result"] for each in read["annotations"]] == [find_people(7)]
    assert len(read["drafts"]) == 1

    tab = before[f"dm/views/?project={names}"][0]["id"]  # its filters are PostgreSQL's now
    shown = {each["id"] for each in before[f"tasks of tab {tab}"]["tasks"]}
    assert shown
    assert show_tab(owner, tab) == shown | {task}
    owner.ask("PATCH", f"tasks/{task}/", {"data": {"text": "geändert"}})
    assert show_tab(owner, tab) == shown

    added = owner.ask("POST", "projects/", {"title": "nach dem Umzug", "label_config": NAMES})["id"]
    assert added not in {names, boxes, files}
    owner.ask("POST", "dm/views/", {"project": added, "data": {"title": "neu"}})
    owner.ask("POST", f"projects/{added}/exports/", {"title": "leer"})
    invitation = owner.ask("GET", "invite")["token"]
    other = Studio(root)
    other.submit(f"/user/signup/?token={invitation}", email="new@example.org", password=PASSWORD)
    assert other.ask("GET", "current-user/whoami")["id"] not in {each["id"] for each in before["users/"]}

    owner.ask("DELETE", f"tasks/{min(tasks)}/")  # takes annotations, drafts and predictions along
    owner.ask("DELETE", f"projects/{files}/")
    after = dump(root)
    listed = {each["title"] for each in after["projects/?page_size=100"]["results"]}
    assert listed == {"Namen 漢字 🦀", "Kästen", "nach dem Umzug"}
    assert {each["email"] for each in after["users/"]} == {"zoe@example.org", "liwei@example.org", "new@example.org"}
    untouched = sorted(tasks - {min(tasks)} - {each["id"] for each in before[f"tasks of projects/{files}"]})
    assert [after[f"tasks/{each}/"] for each in untouched] == [before[f"tasks/{each}/"] for each in untouched]
    return after


def show_tab(studio: Studio, tab: int) -> set[int]:
    """Which tasks a tab's filters let through."""
    return {each["id"] for each in studio.ask("GET", f"tasks?view={tab}&fields=all&page_size=200")["tasks"]}


def find_project(told: Any, title: str) -> int:
    number: int = next(each["id"] for each in told["projects/?page_size=100"]["results"] if each["title"] == title)
    return number


def check_credentials(root: str, kept: dict[str, Any]) -> None:
    """Everybody who had access has it still, and nobody else."""
    assert Studio(root, **kept["session"]).ask("GET", "current-user/whoami")["email"] == "liwei@example.org"
    stranger = Studio(root)
    stranger.ask("GET", "current-user/whoami", ok=401)
    access = stranger.ask("POST", "token/refresh/", {"refresh": kept["personal"]})["access"]
    for credentials in (f"Bearer {access}", f"Token {kept['legacy']}"):
        me = stranger.ask("GET", "current-user/whoami", headers={"Authorization": credentials})
        assert me["first_name"] == "Zoë"
    stranger.ask("POST", "token/refresh/", {"refresh": kept["revoked"]}, ok=401)
    try:
        stranger.submit("/user/signup/", email="ZOE@example.org", password=PASSWORD)
    except RuntimeError:
        return
    raise AssertionError("an address that is taken was taken again")


def spoil(root: str) -> None:
    """A text as a scanner may make it."""
    owner = Studio(root).log_in("zoe@example.org")
    project = find_project({"projects/?page_size=100": owner.ask("GET", "projects/?page_size=100")}, "Namen 漢字 🦀")
    owner.ask("POST", f"projects/{project}/import", [{"text": "one\0two"}])


if __name__ == "__main__":
    command, state = sys.argv[1], Path(sys.argv[2])
    with run_server(state.parent) as root:
        if command == "fill":
            state.write_text(json.dumps(fill(root)))
        elif command == "spoil":
            spoil(root)
        elif command == "dump":
            write_json(dump(root))
        elif command == "use":
            write_json(use(root, json.loads(state.read_text())))
