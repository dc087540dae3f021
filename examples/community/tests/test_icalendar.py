"""The iCalendar writer."""

import datetime as dt

import pytest

from common.events import Event
from common.icalendar import escape_text, fold_line, format_time, write_calendar

MANILA = dt.timezone(dt.timedelta(hours=8))
NOON = dt.datetime(2024, 5, 1, 12, 0, tzinfo=MANILA)


def test_times_are_utc():
    assert format_time(NOON) == "20240501T040000Z"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a, b; c", "a\\, b\\; c"), ("back\\slash", "back\\\\slash"), ("two\r\nlines\nthree", "two\\nlines\\nthree")],
)
def test_text_is_escaped(text, escaped):
    assert escape_text(text) == escaped


@pytest.mark.parametrize("line", ["x" * 75, "x" * 76, "ñ" * 100, "SUMMARY:" + "👩🏽‍🌾" * 30])
def test_long_lines_are_folded_between_characters(line):
    folded = fold_line(line)
    assert folded.replace("\r\n ", "") == line
    assert max(len(piece.encode()) for piece in folded.split("\r\n")) <= 75


def test_an_event():
    event = Event(uid="1@x", title="Plan; talk", starts_at=NOON, ends_at=NOON, place="Room")
    assert write_calendar([event], stamp=NOON).split("\r\n")[3:10] == [
        "BEGIN:VEVENT",
        "UID:1@x",
        "DTSTAMP:20240501T040000Z",
        "DTSTART:20240501T040000Z",
        "DTEND:20240501T040000Z",
        "SUMMARY:Plan\\; talk",
        "LOCATION:Room",
    ]
