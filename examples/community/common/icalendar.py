"""Events as an iCalendar stream (RFC 5545). Nothing here knows Django."""

import datetime as dt

LINE_LIMIT = 75  # octets, without the line break. Source: RFC 5545, 3.1


def write_calendar(events, *, stamp):
    """Write ``events`` (see common.events.Event) as text; ``stamp`` is the time of writing. Pure."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//community.example//calendar//EN"]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.uid}",
            f"DTSTAMP:{format_time(stamp)}",
            f"DTSTART:{format_time(event.starts_at)}",
            f"DTEND:{format_time(event.ends_at)}",
            f"SUMMARY:{escape_text(event.title)}",
            f"LOCATION:{escape_text(event.place)}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(fold_line(line) + "\r\n" for line in lines)


def format_time(time):
    """An aware time in UTC: ``20240501T020000Z``. Pure."""
    return time.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def escape_text(text):
    r"""Escape a value of type TEXT: backslash, semicolon, comma, line break. Pure. Source: RFC 5545, 3.3.11."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n")


def fold_line(line):
    """Break a line that is longer than 75 octets, never inside a character. Pure. Source: RFC 5545, 3.1."""
    pieces, size = [""], 0
    for character in line:
        width = len(character.encode())
        if size + width > LINE_LIMIT:
            pieces.append(" ")
            size = 1
        pieces[-1] += character
        size += width
    return "\r\n".join(pieces)
