"""Wagtail, used as editors use it: through its admin pages, and through its models in its own Python.

wagtail_app.py make SITE      `wagtail start`, an application of the site's own in it, and its migrations
wagtail_app.py fill SITE      pages, images, documents, users, revisions, redirects, comments, a form …
wagtail_app.py dump SITE      every row of every model, and what the server shows, as JSON
wagtail_app.py use SITE       log in, read and write, and read that back

SITE is a directory. The database is SQLite, or what SITE_DATABASE says: JSON for Django's DATABASES. Run by the Python
of Wagtail's own virtual environment.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import shutil
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
NASTY = {"größe": [1, 2.5, None, True, 5e-324, 0.1 + 0.2, 2**53 + 1], "": {"漢字": "\\u0041 🦀"}, "text": TEXT}
PASSWORD = "Geheim-ünïcödé-漢字-8"
ARTICLES = 40
GROWN = ("content.Article", "wagtailcore.Revision", "wagtailimages.Image", "wagtaildocs.Document", "auth.User",
         "wagtailredirects.Redirect", "wagtailforms.FormSubmission", "content.Topic", "taggit.Tag")  # fmt: skip
START_S = 120
LOCAL_SETTINGS = """\
import json, os
from .base import DATABASES, INSTALLED_APPS
INSTALLED_APPS = [
    "content", "wagtail.contrib.settings", "wagtail.contrib.table_block", "wagtail.contrib.search_promotions",
    "wagtail.contrib.simple_translation", *INSTALLED_APPS]
WAGTAIL_I18N_ENABLED = True
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("de", "Deutsch")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if "SITE_DATABASE" in os.environ:
    DATABASES["default"] = json.loads(os.environ["SITE_DATABASE"])
"""


def make(site: Path) -> None:
    """What somebody who starts a site does."""
    site.mkdir()
    run([Path(sys.executable).with_name("wagtail"), "start", "house", "."], site)
    shutil.copytree(Path(__file__).with_name("wagtail_site"), site / "content", ignore=lambda *_: {"__pycache__"})
    (site / "house" / "settings" / "local.py").write_text(LOCAL_SETTINGS)
    for arguments in (["makemigrations", "content"], ["migrate"]):
        run([sys.executable, "manage.py", *arguments], site)


def run(command: list[Any], site: Path) -> None:
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}")


def start_django(site: Path) -> None:
    sys.path.insert(0, str(site))
    os.environ["DJANGO_SETTINGS_MODULE"] = "house.settings.dev"
    import django

    django.setup()


# ---------------------------------------------------------------------------------------------------------------------
# The server, as an editor's browser meets it


class Editor:
    """A browser, logged in or not."""

    def __init__(self, root: str) -> None:
        """Know where the server is."""
        self.root = root
        self.browser = requests.Session()

    def get(self, path: str, ok: int = 200) -> str:
        """Read a page. Raises: RuntimeError when it is refused."""
        answer = self.browser.get(f"{self.root}{path}", timeout=START_S)
        if answer.status_code != ok:
            raise RuntimeError(f"GET {path}: {answer.status_code} {answer.text[-3000:]}")
        return answer.text

    def submit(self, path: str, form: dict[str, Any], files: Any = None) -> str:
        """Open a page and send its form; where that leads to. Raises: RuntimeError when the form comes back."""
        self.get(path)
        answer = self.browser.post(
            f"{self.root}{path}", data=form | {"csrfmiddlewaretoken": self.browser.cookies["csrftoken"]}, files=files,
            timeout=START_S, allow_redirects=False,
        )  # fmt: skip
        if answer.status_code != 302:
            errors = re.findall(r"error-message[^>]*>\s*(.*?)</", answer.text, re.DOTALL)
            raise RuntimeError(f"{path} did not take the form: {answer.status_code} {errors} {answer.text[-2000:]}")
        return answer.headers["Location"]

    def log_in(self, name: str = "zoë") -> Editor:
        self.submit("/admin/login/", {"username": name, "password": PASSWORD, "next": "/admin/"})
        return self


@contextmanager
def run_server(site: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = site / "server.log"
    with log.open("a") as output:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", "--skip-checks", f"127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=site,
        )  # fmt: skip
    root = f"http://127.0.0.1:{port}"
    try:
        wait_for(server, f"{root}/admin/login/")
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


def describe_article(title: str, **more: Any) -> dict[str, Any]:
    """The form of an article, as the editor's browser sends it. Pure."""
    rich = json.dumps({"entityMap": {}, "blocks": [
        {"key": "a1b2c", "text": TEXT.replace("\n", " "), "type": "unstyled", "depth": 0, "inlineStyleRanges": [],
         "entityRanges": []},
    ]})  # fmt: skip
    form = {
        "title": title, "happened": "2024-02-29 23:59", "price": "12345.678", "stars": "5",
        "intro": rich, "picture": "", "topic": "", "tags": 'käse, "rot weiß"', "seo_title": "",
        "search_description": "",
        "go_live_at": "", "expire_at": "", "comment_notifications": "on",
        "body-count": "2",
        "body-0-deleted": "", "body-0-order": "0", "body-0-type": "heading", "body-0-id": "",
        "body-0-value": "Größe 漢字",
        "body-1-deleted": "", "body-1-order": "1", "body-1-type": "text", "body-1-id": "", "body-1-value": rich,
        "links-TOTAL_FORMS": "1", "links-INITIAL_FORMS": "0", "links-MIN_NUM_FORMS": "0", "links-MAX_NUM_FORMS": "1000",
        "links-0-id": "", "links-0-ORDER": "1", "links-0-DELETE": "", "links-0-title": "ünïcödé",
        "links-0-address": "https://example.org/größe",
        "comments-TOTAL_FORMS": "0", "comments-INITIAL_FORMS": "0", "comments-MIN_NUM_FORMS": "0",
        "comments-MAX_NUM_FORMS": "1000",
    }  # fmt: skip
    return form | more


def draw_picture() -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(stream, "PNG")
    return stream.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# Filling it


def fill(site: Path) -> None:
    start_django(site)
    write_articles()
    with run_server(site) as root:
        kept = edit_site(root)
    (site / "cookies.json").write_text(json.dumps(kept))


def write_articles() -> None:
    """What an import script of the site's own does, through the models."""
    import datetime as dt
    from decimal import Decimal

    from content.models import Article, House, Question, Survey, Topic
    from django.contrib.auth.models import Group, User
    from django.utils import timezone
    from wagtail.contrib.search_promotions.models import Query, SearchPromotion
    from wagtail.models import Collection, Locale, Page, Site, Workflow

    user = User.objects.create_superuser("zoë", "zoe@example.org", PASSWORD, first_name="Zoë", last_name="O'Brien")
    home = Page.objects.get(slug="home")
    topics = [Topic(name=f"Thema {number} 漢字", colours=NASTY, locale=Locale.get_default()) for number in range(4)]
    for topic in topics:
        topic.save()
        topic.save_revision(user=user, log_action=True).publish()
    topics[0].name = "only a draft"
    topics[0].save_revision(user=user)
    for number in range(ARTICLES):
        article = Article(
            title=f"Größe {number} 🦀", slug=f"artikel-{number}", intro=f"<p>{TEXT}</p>", extra=NASTY | {"n": number},
            happened=dt.datetime(1 if number == 1 else 1900 - number, 2, 28, 23, 59, 59, number, tzinfo=dt.UTC),
            day=dt.date(9999, 12, 31) if number == 2 else dt.date(1582, 10, 15),
            takes=dt.timedelta(days=-number, microseconds=number), price=Decimal(number) / 7,
            weight=number * 0.1, origin=("2001:db8::ff", "192.0.2.1", None)[number % 3], stars=number,
            digest=bytes(range(256)), topic=topics[number % 4], owner=user, live=number % 5 != 0,
            body=[("heading", f"Titel {number}"), ("text", f"<p>{TEXT}</p>"), ("page", home),
                  ("table", {"data": [["a", None], ["ü", "1"]], "first_row_is_table_header": True}),
                  ("figures", [{"n": 0.1 + 0.2, "d": dt.date(2024, 2, 29)}, {"n": 5e-324, "d": dt.date(1, 1, 1)}])],
        )  # fmt: skip
        article.price = article.price.quantize(Decimal("0.001"))
        home.add_child(instance=article)
        article.tags.add("käse", f"nummer {number % 6}")
        article.save_revision(user=user)
        article.title += " (neu)"
        revision = article.save_revision(user=user, log_action=True)
        if number % 5:
            revision.publish(user=user)
    Article.objects.get(slug="artikel-3").move(Article.objects.get(slug="artikel-1"), pos="last-child")
    Article.objects.get(slug="artikel-4").copy(update_attrs={"slug": "kopie", "title": "Kopie"}, user=user)
    Article.objects.get(slug="artikel-6").delete()
    late = Article.objects.get(slug="artikel-7")
    late.expire_at = timezone.now() + dt.timedelta(days=400)
    late.save_revision(user=user).publish()
    german = Locale.objects.create(language_code="de")
    home.copy_for_translation(german)
    Article.objects.get(slug="artikel-8").copy_for_translation(german).save_revision().publish()
    workflow = Workflow.objects.get()
    state = workflow.start(Article.objects.get(slug="artikel-9"), user)
    state.current_task_state.approve(user=user, comment="gut so")
    workflow.start(Article.objects.get(slug="artikel-11"), user)
    Collection.get_first_root_node().add_child(name="Bilder ü")
    House.objects.create(site=Site.objects.get(), opening_hours=TEXT)
    survey = Survey(title="Umfrage", slug="umfrage")
    home.add_child(instance=survey)
    Question.objects.create(page=survey, label="Wie groß?", field_type="number", required=True, sort_order=0)
    Question.objects.create(page=survey, label="Warum?", field_type="multiline", required=False, sort_order=1)
    survey.save_revision(user=user).publish()
    guest = User.objects.create_user("李雷", "liwei@example.org", PASSWORD)
    guest.groups.add(Group.objects.get(name="Editors"))
    Query.get("größe").add_hit()
    SearchPromotion.objects.create(query=Query.get("größe"), page=home, sort_order=0, description=TEXT)


def edit_site(root: str) -> dict[str, str]:
    """What editors and visitors do, through the pages. The cookies of an editor who does not log out."""
    from wagtail.models import Page

    editor = Editor(root).log_in()
    home = Page.objects.get(slug="home", locale__language_code="en").pk
    files = {"file": ("bild ü.png", draw_picture(), "image/png")}
    editor.submit("/admin/images/add/", {"title": "Bild 漢字", "collection": "1", "tags": "käse"}, files)
    files = {"file": ("größe.txt", TEXT.encode(), "text/plain")}
    editor.submit("/admin/documents/add/", {"title": "Dokument ü", "collection": "1", "tags": ""}, files)
    add = f"/admin/pages/add/content/article/{home}/"
    editor.submit(add, describe_article("Von Hand 漢字", slug="von-hand", picture="1", **{"action-publish": "1"}))
    editor.submit(add, describe_article("Entwurf", slug="entwurf"))
    editor.submit(add, describe_article("Zu prüfen", slug="pruefen", **{"action-submit": "1"}))
    for number in range(3):
        editor.submit(
            "/admin/redirects/add/",
            {"old_path": f"/alt/größe-{number}", "is_permanent": "on", "redirect_link": "https://example.org/neu"},
        )  # fmt: skip
    editor.submit("/admin/users/new/", {
        "username": "neuling", "email": "neu@example.org", "first_name": "An", "last_name": "dré",
        "password1": PASSWORD, "password2": PASSWORD, "is_active": "on",
    })  # fmt: skip
    editor.submit("/admin/snippets/content/topic/add/", {"name": "Von Hand", "colours": '{"ü": [1, null]}'})
    for number in range(5):
        take_part(Editor(root), str(number))
    for path in list_paths(read_models()):
        editor.get(path)  # makes the renditions of pictures, and takes the editor for interested in what she opens
    return {str(each.name): str(each.value) for each in editor.browser.cookies}


def take_part(visitor: Editor, answer: str) -> None:
    """Fill in the survey."""
    asked = re.findall(r'name="([^"]+)"', visitor.get("/umfrage/"))
    sent = visitor.browser.post(
        f"{visitor.root}/umfrage/", timeout=START_S,
        data={"csrfmiddlewaretoken": visitor.browser.cookies["csrftoken"], asked[1]: answer, asked[2]: TEXT},
    )  # fmt: skip
    if "Danke" not in sent.text:
        raise RuntimeError(f"the survey was not taken: {sent.status_code} {sent.text[-2000:]}")


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def read_models() -> dict[str, Any]:
    """Every row of every model, as Django reads it, but for sessions and the search's index, which is the engine's."""
    from django.apps import apps
    from django.core import serializers

    told = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or model._meta.label in {"sessions.Session", "wagtailadmin.EditingSession"}:
            continue
        if model._meta.label.startswith("wagtailsearch."):
            continue
        rows = serializers.serialize("python", model._base_manager.order_by("pk"))
        told[model._meta.label] = [read_texts(row) for row in rows]
    for user in told["auth.User"]:
        del user["fields"]["last_login"]
    return told


def read_texts(value: Any) -> Any:
    """Values as JSON can take them; JSON within texts is read, for its keys have no order. Pure."""
    if isinstance(value, dict):
        return {str(key): read_texts(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [read_texts(each) for each in value]
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return read_texts(json.loads(value))
        except ValueError:
            return value
    return value if isinstance(value, str | int | float | None) else repr(value)


def dump(site: Path) -> Any:
    start_django(site)
    told = read_models()
    with run_server(site) as root:
        editor = Editor(root).log_in()
        told["pages"] = {path: show(editor.get(path)) for path in list_paths(told)}
    return told


def list_paths(told: dict[str, Any]) -> list[str]:
    """The addresses of what is on show, of the documents and redirects, and of what editors see. Pure."""
    pages = [row for row in told["wagtailcore.Page"] if row["fields"]["live"] and row["fields"]["depth"] > 2]
    english = [
        row["fields"]["url_path"].removeprefix("/home") for row in pages if "/home/" in row["fields"]["url_path"]
    ]
    edited = [f"/admin/pages/{row['pk']}/{view}/" for row in pages[:8] for view in ("edit", "history")]
    kept = [f"/documents/{row['pk']}/{row['fields']['file'].split('/')[1]}" for row in told["wagtaildocs.Document"]]
    return [*english, *edited, *kept, "/admin/redirects/", "/admin/users/", "/admin/images/", "/admin/reports/locked/"]


def show(text: str) -> str:
    """What a page says to whom reads it, but for how long ago that was. Pure."""
    text = re.sub(r"<(script|style|svg|template)\b.*?</\1>", "", text, flags=re.DOTALL)
    said = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text))).strip()
    return re.sub(
        r"(\d+|an?) (second|minute)s?(, \d+ (second|minute)s?)? ago|Just now",
        "recently",
        said,
        flags=re.IGNORECASE,
    )


# ---------------------------------------------------------------------------------------------------------------------
# Going on


def use(site: Path) -> Any:
    """Write as editors would: each number that the database gives out must be a new one."""
    start_django(site)
    before = read_models()
    run([sys.executable, "manage.py", "update_index"], site)  # the index of the search is each engine's own
    with run_server(site) as root:
        go_on(root, before, json.loads((site / "cookies.json").read_text()))
    from content.models import Article
    from wagtail.models import Page, WorkflowState

    waiting = WorkflowState.objects.get(status="in_progress", object_id=str(Article.objects.get(slug="artikel-11").pk))
    waiting.current_task_state.approve(comment="nach dem Umzug")
    assert Article.objects.get(slug="artikel-11").live
    Article.objects.get(slug="artikel-13").revisions.order_by("created_at").first().publish()
    assert Article.objects.get(slug="artikel-13").title == "Größe 13 🦀"
    assert not any(Page.find_problems())  # the tree of the pages hangs together
    after = read_models()
    for label in GROWN:
        old, new = ({row["pk"] for row in told[label]} for told in (before, after))
        assert max(new) > max(old), label
    kept = {"artikel-14", "artikel-16", "kopie"}
    slugs = {row["pk"] for row in before["wagtailcore.Page"] if row["fields"]["slug"] in kept}
    for label in ("content.Article", "wagtailcore.Page"):
        read = [{row["pk"]: row for row in told[label] if row["pk"] in slugs} for told in (before, after)]
        assert read[0] == read[1]
        assert len(read[0]) == len(kept)
    return after


def go_on(root: str, before: dict[str, Any], cookies: dict[str, str]) -> None:
    stranger, remembered = Editor(root), Editor(root)
    assert "Sign in" in stranger.get("/admin/")
    remembered.browser.cookies.update(cookies)
    assert "Sign in" not in remembered.get("/admin/")
    guest = Editor(root).log_in("李雷")
    assert "you do not have permission" in guest.get("/admin/users/")
    editor = Editor(root).log_in()
    assert "Kopie" in editor.get("/search/?query=Kopie")
    assert "Kopie" in editor.get("/admin/pages/search/?q=kopie")

    pages = {row["fields"]["slug"]: row["pk"] for row in before["wagtailcore.Page"] if row["fields"]["depth"] == 3}
    home = next(row["pk"] for row in before["wagtailcore.Page"] if row["fields"]["url_path"] == "/home/")
    editor.submit(
        f"/admin/pages/{pages['artikel-12']}/edit/",
        describe_article("geändert 漢字", slug="artikel-12", picture="1", **{"action-publish": "1"}),
    )
    assert "geändert 漢字" in stranger.get("/artikel-12/")
    add = f"/admin/pages/add/content/article/{home}/"
    editor.submit(add, describe_article("Nach dem Umzug", slug="neu", **{"action-publish": "1"}))
    assert "12345.678" in stranger.get("/neu/")
    assert "Nach dem Umzug" in stranger.get("/search/?query=Umzug")
    editor.submit(f"/admin/pages/{pages['artikel-17']}/delete/", {})
    stranger.get("/artikel-17/", ok=404)
    files = {"file": ("neu ü.png", draw_picture(), "image/png")}
    editor.submit("/admin/images/add/", {"title": "Bild 2", "collection": "1", "tags": "käse, neu"}, files)
    files = {"file": ("neu.txt", TEXT.encode(), "text/plain")}
    editor.submit("/admin/documents/add/", {"title": "Dokument 2", "collection": "1", "tags": ""}, files)
    new = {"old_path": "/alt/neu", "is_permanent": "on", "redirect_link": "https://example.org/neu"}
    editor.submit("/admin/redirects/add/", new)
    moved = stranger.browser.get(f"{root}/alt/größe-1", timeout=START_S, allow_redirects=False)
    assert moved.headers["Location"] == "https://example.org/neu"
    editor.submit("/admin/users/new/", {
        "username": "neuer", "email": "neuer@example.org", "first_name": "An", "last_name": "dré",
        "password1": PASSWORD, "password2": PASSWORD, "is_active": "on",
    })  # fmt: skip
    editor.submit("/admin/snippets/content/topic/add/", {"name": "Nach dem Umzug", "colours": "[]"})
    take_part(stranger, "7")


if __name__ == "__main__":
    command, site = sys.argv[1], Path(sys.argv[2])
    if command == "make":
        make(site)
    elif command == "fill":
        fill(site)
    elif command == "dump":
        write_json(dump(site))
    elif command == "use":
        write_json(use(site))
