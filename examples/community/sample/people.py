"""Users, staff, teams, tasks, bookings, and the logs."""

import datetime as dt
import ipaddress
import uuid

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import JSONField, Value
from django.db.models.functions import Cast

from common.models import (
    AccessLog,
    Attachment,
    AuditLog,
    CalendarBooking,
    CalendarResource,
    ChatMessage,
    Holiday,
    Language,
    NotificationPreference,
    ResourceKind,
    SiteSetting,
    StaffProfile,
    StaffTask,
    StaffTeam,
    StaffTeamMembership,
    User,
)
from sample.names import make_person, make_sentence

PASSWORD = "demo"  # noqa: S105 - of made-up users
ITERATIONS = 20_000  # few, so that a sample is made quickly; a login renews the hash
EDGE_TIMES = (
    dt.datetime(1, 1, 2, 0, 0, 0, 1, tzinfo=dt.UTC),
    dt.datetime(1899, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 30, 12, 0, tzinfo=dt.UTC),
)


def make_uuid(rng):
    """A random UUID that is the same in every run."""
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def fill_users(rng, counts, clock, municipalities):
    """Write users, groups and staff: the users, superusers first, then staff."""
    password = PBKDF2PasswordHasher().encode(PASSWORD, "sample", ITERATIONS)
    users = []
    for number in range(counts.users):
        given, family = make_person(rng)
        is_staff = number < counts.staff
        users.append(
            User(
                username=f"{given}.{family}.{number}".lower() if number else "admin",
                password=password,
                first_name=given,
                last_name=family,
                email=f"user{number}@community.example" if number % 7 else "",
                is_superuser=number < counts.superusers,
                is_staff=is_staff,
                kind=_choose_kind(number, counts),
                position=rng.choice(["", "Officer", "Coördinator", "Driver"]),
                phone=rng.choice([None, "", f"+63 9{rng.randint(10**8, 10**9 - 1)}"]),
                home_municipality=rng.choice([None, *municipalities[:20]]),
                is_approved=number % 5 != 0,
                date_joined=clock.at(number),
                last_login=clock.at(number * 11) if number % 3 else None,
                photo=f"photos/2024/{number}.jpg" if number % 4 == 0 else "",
            )
        )
    User.objects.bulk_create(users)
    for user in users[counts.staff :: 2]:
        user.approved_by, user.approved_at = users[0], clock.at(user.pk)
    User.objects.bulk_update(users, ["approved_by", "approved_at"])
    groups = Group.objects.bulk_create([Group(name=name) for name in ("Editors", "Reviewers", "Field staff")])
    permissions = list(Permission.objects.order_by("content_type__app_label", "codename"))
    for group in groups:
        group.permissions.set(rng.sample(permissions, 12))
    for user in users[: counts.staff]:
        user.groups.set([rng.choice(groups)])
    users[-1].user_permissions.set(rng.sample(permissions, 5))
    NotificationPreference.objects.bulk_create(
        NotificationPreference(
            user=user,
            by_email=number % 2 == 0,
            by_sms=rng.choice([True, False, None]),
            quiet_from=dt.time(22, 0),
            quiet_until=rng.choice([None, dt.time(6, 30, 0, 500)]),
            changed_at=clock.at(number),
        )
        for number, user in enumerate(users[::3])
    )
    _fill_staff(rng, counts, clock, users)
    return users


def _choose_kind(number, counts):
    """The kind of the user with this number."""
    if number < counts.superusers:
        return User.Kind.ADMIN
    if number < counts.staff:
        return User.Kind.STAFF
    return User.Kind.PARTNER if number % 4 == 0 else User.Kind.LEADER


def _fill_staff(rng, counts, clock, users):
    """Write profiles, teams and tasks."""
    staff = users[counts.superusers : counts.staff]
    StaffProfile.objects.bulk_create(
        StaffProfile(
            user=user,
            employment=rng.choice(StaffProfile.Employment.values),
            employee_number=f"E-{number:04d}" if number % 6 else None,
            hired_on=clock.day(number * 40),
            born_on=dt.date(1960 + number, 1 + number % 12, 1 + number % 28),
            daily_hours=rng.choice([None, dt.timedelta(hours=8), dt.timedelta(hours=7, microseconds=1)]),
            salary_grade=rng.randint(1, 30),
            competencies={"languages": ["fil", "ar"], "driving": bool(number % 2), "years": number / 4},
            emergency_contact=rng.choice([None, {"name": "Élise Ñacua", "phone": None}]),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number, user in enumerate(staff)
    )
    teams = StaffTeam.objects.bulk_create(
        StaffTeam(
            name=name,
            slug=name.lower().replace(" ", "-"),
            skills=skills,
            created_at=clock.at(0),
            updated_at=clock.at(0),
        )
        for name, skills in (
            ("Field Team", ["mapping", "driving"]),
            ("office team", []),
            ("Équipe rapide", ["first aid"]),
        )
    )
    StaffTeamMembership.objects.bulk_create(
        StaffTeamMembership(
            team=team,
            user=user,
            role="lead" if number == 0 else "member",
            joined_on=clock.day(number * 30),
            left_on=clock.day(number * 30 + 500) if number % 5 == 4 else None,
        )
        for team in teams
        for number, user in enumerate(staff)
    )
    tasks = StaffTask.objects.bulk_create(
        StaffTask(
            team=rng.choice([None, *teams]),
            title=make_sentence(rng, 5),
            status=rng.choice(StaffTask.Status.values),
            priority=rng.randint(-3, 3),
            due_on=rng.choice([None, clock.day(number * 20)]),
            estimated=dt.timedelta(days=-1, seconds=number, microseconds=number * 7),
            progress_percent=rng.randint(0, 100),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.small)
    )
    for task in tasks[3::3]:
        task.parent = tasks[0]
    StaffTask.objects.bulk_update(tasks, ["parent"])
    StaffTask.assignees.through.objects.bulk_create(
        StaffTask.assignees.through(stafftask=task, user=user) for task in tasks for user in rng.sample(staff, 2)
    )


def fill_calendar(rng, counts, clock, users, events):
    """Write resources, bookings (some for one of ``events``, rows of any model) and holidays."""
    kinds = list(ResourceKind.objects.order_by("pk"))
    resources = CalendarResource.objects.bulk_create(
        CalendarResource(
            kind=kinds[number % len(kinds)],
            name=f"{kinds[number % len(kinds)].name} {number + 1}",
            capacity=rng.choice([None, 4, 40]),
            cost_per_use=f"{number}.{number}5",
            opens_at=dt.time(7, 30),
            closes_at=dt.time(23, 59, 59, 999999) if number % 2 else None,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.resources)
    )
    bookings = []
    for number in range(counts.bookings):
        event = rng.choice([None, *events])
        starts_at = clock.at(number * 30).replace(minute=0, second=0, microsecond=0)
        bookings.append(
            CalendarBooking(
                resource=rng.choice(resources),
                booked_by=rng.choice(users),
                content_type=ContentType.objects.get_for_model(event) if event else None,
                object_id=str(event.pk) if event else None,
                purpose=make_sentence(rng, 4),
                starts_at=starts_at,
                ends_at=starts_at + dt.timedelta(hours=rng.randint(1, 30)),
                status=rng.choice(CalendarBooking.Status.values),
                reminder_before=rng.choice([None, dt.timedelta(days=1)]),
                reference=make_uuid(rng),
                created_at=clock.at(number),
                updated_at=clock.at(number),
            )
        )
    CalendarBooking.objects.bulk_create(bookings)
    CalendarBooking.attendees.through.objects.bulk_create(
        CalendarBooking.attendees.through(calendarbooking=booking, user=user)
        for booking in bookings
        for user in rng.sample(users, 2)
    )
    days = [time.date() for time in EDGE_TIMES] + [dt.date(2025, 1, 1), dt.date(1752, 9, 14)]
    Holiday.objects.bulk_create(
        Holiday(day=day, name=f"Day of {day.year}", is_yearly=day.year > 2000, announced_at=time)
        for day, time in zip(days, [*EDGE_TIMES, None, None], strict=True)
    )


def fill_logs(rng, counts, clock, users, targets):
    """Write the audit log (about rows of ``targets``), the access log, messages, attachments, settings, sessions."""
    types = {type(target): ContentType.objects.get_for_model(target) for target in targets}
    entries = []
    for number in range(counts.audit_entries):
        target = rng.choice(targets)
        entries.append(
            AuditLog(
                id=make_uuid(rng),
                content_type=types[type(target)],
                object_id=str(target.pk),
                action=rng.choice(AuditLog.Action.values),
                actor=rng.choice([None, *users]),
                ip_address=make_address(rng, number),
                changes={"name": [make_sentence(rng, 2), "Ñew"], "count": [number, number / 8]} if number % 3 else {},
                at=clock.at(number),
            )
        )
    AuditLog.objects.bulk_create(entries, batch_size=500)
    AccessLog.objects.bulk_create(
        AccessLog(
            user=rng.choice([None, *users]),
            ip_address=make_address(rng, number) or "::1",
            gateway_address=rng.choice([None, "10.0.0.1"]),
            path=f"/map/?level=barangay&parent={number}&q=%C3%B1",
            status_code=rng.choice([200, 302, 404, 500]),
            took=dt.timedelta(microseconds=rng.randint(1, 9_000_000)),
            happened_at=clock.at(number),
        )
        for number in range(counts.access_entries)
    )
    ChatMessage.objects.bulk_create(
        ChatMessage(
            user=rng.choice(users),
            topic=rng.choice(["", "maps", "budget"]),
            question=f"{make_sentence(rng)} 👩🏽‍🌾 مرحبا",
            answer=make_sentence(rng, 30),
            confidence=rng.choice([None, 0.1 + 0.2, rng.random(), 1e-300, -0.0]),
            entities=[{"type": "place", "score": rng.random()}] if number % 2 else [],
            sent_at=clock.at(number),
        )
        for number in range(counts.messages)
    )
    numbered = [target for target in targets if isinstance(target.pk, int)]
    Attachment.objects.bulk_create(
        Attachment(
            content_type=types[type(target)],
            object_id=target.pk,
            file=f"attachments/2024/{number % 12 + 1:02d}/scan {number} ñ.pdf",
            sha256=rng.randbytes(32),
            thumbnail=rng.choice([None, b"", bytes(range(256))]),
            size_bytes=rng.randint(0, 2**40),
            media_type="application/pdf",
            uploaded_by=rng.choice([None, *users]),
        )
        for number, target in enumerate(rng.sample(numbered, min(counts.small, len(numbered))))
    )
    Language.objects.filter(code="fil").update(speakers=2**62)
    SiteSetting.objects.bulk_create(
        SiteSetting(key=key, value=value, note=note)
        for key, value, note in (
            ("map-centre", [123.0, 8.0], None),
            ("motto", "Für alle — لكل", ""),
            ("nothing", "", "JSON null"),
            ("limits", {"upload_mb": 25, "ratio": 0.1, "big": 2**53 + 1, "deep": [[[[]]]]}, "as agreed"),
        )
    )
    # None would be SQL's NULL; this is JSON's
    SiteSetting.objects.filter(key="nothing").update(value=Cast(Value("null"), JSONField()))
    _fill_django_logs(rng, counts, clock, users, targets, types)


def _fill_django_logs(rng, counts, clock, users, targets, types):
    """Write what Django's own apps would have written: the admin's log and sessions."""
    LogEntry.objects.bulk_create(
        LogEntry(
            action_time=clock.at(number * 9),
            user=rng.choice(users),
            content_type=types[type(target)],
            object_id=str(target.pk),
            object_repr=str(target)[:200],
            action_flag=rng.choice([1, 2]),
            change_message='[{"changed": {"fields": ["Name"]}}]',
        )
        for number, target in enumerate(rng.choices(targets, k=counts.small))
    )
    Session.objects.bulk_create(
        Session(session_key=f"{rng.getrandbits(150):032x}"[:32], session_data="e30:sample", expire_date=clock.at(7999))
        for _ in range(3)
    )


def make_address(rng, number):
    """An IPv4, IPv6 or mapped address, or none."""
    match number % 5:
        case 0:
            return None
        case 1:
            return f"::ffff:192.0.2.{number % 256}"
        case 2:
            return str(ipaddress.IPv6Address(0x20010DB8 << 96 | rng.getrandbits(64)))
        case _:
            return str(ipaddress.IPv4Address(0xC6336400 | rng.getrandbits(8)))
