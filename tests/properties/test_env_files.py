"""Files of variables, whatever they hold: one assignment changes, no other byte; and everything comes back."""

from __future__ import annotations

import io
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liteferry.django_project.env_file import inspect_env, replace_assignment, restore_env, write_env
from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from pathlib import Path

URL = "postgresql://u:p%40ss@h:5433/db?host=%2Frun&options=-c%20a%3Db"

ENDS = st.sampled_from(["\n", "\r\n", "\r"])
VALUES = st.sampled_from(
    ["", "plain", '"in quotes"', "'in others'", "# nothing", "x # comment", '"a # b" # c', "'two\nlines'", '"open',
     '"a\\"b"', "it's", '"multi\nNAME=inside\nend"', "sqlite:///db.sqlite3", "  spaced  ", "ü"]
)  # fmt: skip
NAMES = st.sampled_from(["NAME", "OTHER", "NAME_2", "export NAME", "  NAME ", "#NAME", "export\tOTHER"])
LINES = st.one_of(
    st.builds("{}={}".format, NAMES, VALUES),
    st.sampled_from(["", "# comment", "no assignment", "=", "'", '"', "\t", "export", "NAME"]),
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """The bytes of a file, with any line ends, with or without the last one, with or without a mark at its start."""
    end = draw(st.one_of(ENDS, st.none()))
    lines = draw(st.lists(LINES, max_size=8))
    text = "".join(line + (end or draw(ENDS)) for line in lines)
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


@given(files())
@settings(max_examples=400, deadline=None)
def test_one_assignment_changes_and_no_other_byte(data: bytes) -> None:
    new = replace_assignment(data, "NAME", URL)
    assert new.count(URL.encode()) == 1
    before, _, after = new.partition(URL.encode())
    before, quote = (before[:-1], before[-1:]) if before[-1:] in {b'"', b"'"} else (before, b"")
    assert after.startswith(quote)
    after = after[len(quote) :]
    if data.startswith(before):  # replaced: what is left out of the old is its value alone
        rest = data[len(before) :]
        assert rest.endswith((after, after[1:]))  # one blank may be put before a comment
        assert re.search(rb"NAME[ \t]*=[ \t]*\Z", before)
    else:  # added
        assert before.startswith(data)
        assert re.fullmatch(rb"(\r\n|\n)?(export )?NAME=", before[len(data) :])
    assert replace_assignment(new, "NAME", URL) == new


@given(files(), st.sampled_from(["plain", URL, "with space", "a#b", 'say "yes"']))
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_what_is_found_again(data: bytes, value: str) -> None:
    """By django-environ, which reads line by line: the file's last assignment, or its only one, has the value."""
    environ = pytest.importorskip("environ")
    new = replace_assignment(data, "NAME", value)
    if data.startswith(b"\xef") or len(re.findall(rb"NAME[ \t]*=", new)) != 1 or b"\r" in new.replace(b"\r\n", b"\n"):
        return
    # it takes comments, and blanks before the value, for a part of it
    if re.search(rb"NAME[ \t]*=(?:[ \t]|[^\r\n]*[ \t]#)", new):
        return
    before = {name: os.environ.get(name) for name in ("NAME", "OTHER", "NAME_2")}
    try:
        os.environ.pop("NAME", None)
        environ.Env.read_env(io.StringIO(new.decode()), overwrite=True)
        found = os.environ.get("NAME")
    finally:
        for name, old in before.items():
            os.environ.pop(name, None)
            if old is not None:
                os.environ[name] = old
    assert found in {None, value}


@given(data=st.one_of(st.none(), files()), mode=st.sampled_from([0o600, 0o640, 0o644, 0o664]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_comes_back(tmp_path: Path, data: bytes | None, mode: int) -> None:
    path = tmp_path / ".env"
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)
        path.chmod(mode)
    first = write_env(path, "NAME", URL)
    middle = path.read_bytes()
    second = write_env(path, "NAME", "another")
    assert inspect_env(path, "NAME").backups == (first, second)
    assert restore_env(path).backup == second
    assert path.read_bytes() == middle
    assert restore_env(path).removed is (data is None)
    assert (path.read_bytes() if path.exists() else None) == data
    if data is not None:
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [found.name for found in tmp_path.iterdir()] == ([".env"] if data is not None else [])


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


def test_a_link_is_followed_and_said(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    real = tmp_path / "shared" / "env"
    real.write_text("NAME=old\n")
    link = tmp_path / ".env"
    link.symlink_to(real)
    assert str(real) in inspect_env(link, "NAME").notes[0]
    backup = write_env(link, "NAME", "new")
    assert backup.parent == real.parent
    assert link.is_symlink()
    assert real.read_text() == "NAME=new\n"
    restore_env(link)
    assert real.read_text() == "NAME=old\n"


@pytest.mark.parametrize("kind", ["directory", "fifo", "read-only", "two names", "UTF-16", "too large", "no directory"])
def test_what_is_no_file_of_variables_is_refused_and_left(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ".env"
    content = b"NAME=old\n"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "no directory":
        path = tmp_path / "none" / ".env"
    else:
        content = {"UTF-16": "NAME=old\n".encode("utf-16"), "too large": b"#" * ((1 << 20) + 1)}.get(kind, content)
        path.write_bytes(content)
    if kind == "read-only":
        path.chmod(0o444)
    if kind == "two names":
        (tmp_path / "other").hardlink_to(path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(MigrationError) as caught:
        write_env(path, "NAME", "new")
    assert caught.value.code == "env-file"
    assert sorted(tmp_path.iterdir()) == before
    if path.is_file():
        assert path.read_bytes() == content


@pytest.mark.parametrize("value", ["two\nlines", "a\0b", "'\"", "\"$x'", "\x1b[0m"])
def test_values_that_no_quotes_hold_are_refused_unseen(tmp_path: Path, value: str) -> None:
    with pytest.raises(MigrationError) as caught:
        write_env(tmp_path / ".env", "NAME", value)
    assert caught.value.code == "env-file"
    assert value not in str(caught.value)
    assert not (tmp_path / ".env").exists()


def test_somebody_elses_write_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from liteferry.django_project import env_file

    path = tmp_path / ".env"
    path.write_text("NAME=old\n")
    asked = env_file._take_after

    def write_meanwhile(real: Path, new: Path) -> None:
        real.write_text("NAME=theirs\n")
        asked(real, new)

    monkeypatch.setattr(env_file, "_take_after", write_meanwhile)
    with pytest.raises(MigrationError, match="somebody else wrote it"):
        write_env(path, "NAME", "new")
    assert path.read_text() == "NAME=theirs\n"
    assert [found.name for found in tmp_path.iterdir()] == [".env"]


def test_shells_need_no_quotes_or_get_them() -> None:
    assert replace_assignment(b"", "NAME", "postgresql://u@h/db?a=b") == b"NAME=postgresql://u@h/db?a=b\n"
    assert replace_assignment(b"", "NAME", "a&b") == b'NAME="a&b"\n'
    assert replace_assignment(b"NAME='x'\n", "NAME", "a") == b"NAME='a'\n"
    assert replace_assignment(b"A=1\r\nB=2", "NAME", "a") == b"A=1\r\nB=2\r\nNAME=a\r\n"
    assert replace_assignment(b"export A=1\n", "NAME", "a") == b"export A=1\nexport NAME=a\n"
    assert replace_assignment(b"NAME=1  \n", "NAME", "a") == b"NAME=a\n"
    assert replace_assignment(b"NAME='1' \r\nB=2", "NAME", "a") == b"NAME='a'\r\nB=2"
    assert replace_assignment(b"NAME='1' # c\n", "NAME", "a") == b"NAME='a' # c\n"
    assert replace_assignment(b"NAME= # none\n", "NAME", "a") == b"NAME= a # none\n"
    assert replace_assignment(b"NAME=1\nNAME=2\n", "NAME", "a") == b"NAME=1\nNAME=a\n"
    assert replace_assignment(b'K="a\nNAME=in\nb"\nNAME=2\n', "NAME", "a") == b'K="a\nNAME=in\nb"\nNAME=a\n'
