"""Forty kinds of dirt that SQLite files of real applications hold, planted on request.

``KINDS`` is the list; ``manage.py generate_sample --list-dirt`` prints it. Dirt is written past Django, as it comes
into real files: by scripts, by imports, by old versions of an application, by hand.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """One kind of dirt.

    Either ``value`` (an SQL expression, put into ``column`` of the row number ``row``) or ``sql`` (whole statements).
    ``fits`` says that PostgreSQL takes the result with the schema that Django's migrations make: nothing is wrong, but
    a tool may stumble.
    """

    name: str
    what: str
    table: str
    column: str | None = None
    value: str | None = None
    row: int = 0
    sql: tuple[str, ...] = ()
    fits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Where one kind of dirt went: ``key`` is the row's primary key, or None where no row was changed."""

    name: str
    table: str
    column: str | None
    key: int | str | None


_NOT_NULL, _NULL = '"title" varchar(200) NOT NULL', '"title" varchar(200) /* empty */'
_SWAP_SQL = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}') WHERE name = 'mana_need'"

KINDS = (
    # rows that point at nothing
    Dirt(
        name="orphan-row",
        what="a contact of an organization that was deleted while foreign keys were off",
        table="coordination_organizationcontact",
        column="organization_id",
        value="'0123456789abcdef0123456789abcdef'",
    ),
    Dirt(
        name="orphan-link",
        what="a many-to-many row whose community is gone",
        table="mana_assessment_communities",
        column="community_id",
        value="987654",
    ),
    Dirt(
        name="orphan-content-type",
        what="an attachment whose content type is gone",
        table="common_attachment",
        column="content_type_id",
        value="9999",
    ),
    Dirt(
        name="generic-key-to-nothing",
        what="an audit row about a row that is gone; nothing enforces such keys",
        table="audit_log",
        column="object_id",
        value="'424242424242'",
        fits=True,
    ),
    Dirt(
        name="content-type-of-lost-model",
        what="a content type of an app that was removed",
        table="django_content_type",
        sql=("INSERT INTO django_content_type (app_label, model) VALUES ('old_surveys', 'sheet')",),
        fits=True,
    ),
    Dirt(
        name="permission-to-nowhere",
        what="a permission whose content type is gone",
        table="auth_permission",
        column="content_type_id",
        sql=("INSERT INTO auth_permission (content_type_id, codename, name) VALUES (9998, 'fly', 'Can fly')",),
    ),
    # text
    Dirt(
        name="over-long-text",
        what="200 characters in a varchar(120)",
        table="common_barangay",
        column="name",
        value="printf('%.200c', 'ñ')",
        row=3,
    ),
    Dirt(
        name="nul-in-text",
        what="a character NUL inside a name",
        table="communities_leader",
        column="full_name",
        value="'Ana' || char(0) || 'Maria'",
    ),
    Dirt(
        name="invalid-utf8",
        what="a text in Latin-1",
        table="coordination_communication",
        column="subject",
        value="CAST(x'436166E9' AS TEXT)",
    ),
    Dirt(
        name="blob-in-text",
        what="bytes in a text column",
        table="communities_community",
        column="notes",
        value="x'00FF1080'",
        row=1,
    ),
    Dirt(
        name="blank-beside-null",
        what="an empty text in a unique column that is NULL elsewhere",
        table="coordination_partnership",
        column="reference",
        value="''",
        row=1,
        fits=True,
    ),
    Dirt(
        name="case-twins",
        what="a second login that differs from another one only in case",
        table="common_user",
        column="username",
        value="'ADMIN'",
        row=6,
        fits=True,
    ),
    Dirt(
        name="unicode-case-twins",
        what="two names that are one to PostgreSQL's lower(), which folds É (where its locale does); SQLite's does not",
        table="common_staffteam",
        column="name",
        sql=(
            """INSERT INTO common_staffteam (created_at, updated_at, name, slug, mission, skills)
            VALUES ('2024-01-01 00:00:00', '2024-01-01 00:00:00', 'équipe rapide', 'equipe-2', '', '')""",
        ),
    ),
    # numbers
    Dirt(
        name="text-in-integer",
        what="words in an integer column",
        table="communities_populationcount",
        column="women",
        value="'about 300'",
    ),
    Dirt(
        name="too-large-integer",
        what="a number beyond four bytes in an integer column",
        table="common_province",
        column="population",
        value="3000000000",
        row=1,
    ),
    Dirt(
        name="negative-in-positive",
        what="a negative number, written while checks were off",
        table="communities_municipalitycoverage",
        column="estimated_population",
        value="-5",
    ),
    Dirt(
        name="too-many-decimals",
        what="seven decimals in a numeric(5, 2)",
        table="coordination_signatory",
        column="share_percent",
        value="33.3333333",
    ),
    # booleans
    Dirt(
        name="text-in-boolean",
        what="a word in a boolean column",
        table="common_barangay",
        column="is_urban",
        value="'yes'",
        row=5,
    ),
    # JSON
    Dirt(
        name="json-nul",
        what="\\u0000 inside JSON, which jsonb refuses",
        table="audit_log",
        column="changes",
        value="""'{"name": "a\\u0000b"}'""",
        row=1,
    ),
    Dirt(
        name="json-nan",
        what="NaN, which Python writes and JSON does not know",
        table="mana_need",
        column="evidence",
        value="""'{"score": NaN}'""",
        row=1,
    ),
    Dirt(
        name="json-duplicate-keys",
        what="a key twice in one object; jsonb keeps the last",
        table="communities_hazard",
        column="extra",
        value="""'{"houses": 1, "houses": 2}'""",
    ),
    Dirt(
        name="json-invalid",
        what="text that is no JSON, written while checks were off",
        table="municipal_profiles_municipalityprofile",
        column="reported",
        value="'{population: unknown'",
    ),
    # dates and times
    Dirt(
        name="year-zero",
        what="a date in the year 0",
        table="communities_leaderengagement",
        column="held_on",
        value="'0000-01-01'",
    ),
    Dirt(
        name="year-ten-thousand",
        what="a date in the year 10000; PostgreSQL has it, Python does not",
        table="coordination_partnership",
        column="ends_on",
        value="'10000-01-01'",
        row=2,
    ),
    Dirt(
        name="zero-date",
        what="what MySQL writes for no date",
        table="communities_facility",
        column="built_on",
        value="'0000-00-00'",
    ),
    Dirt(
        name="time-with-offset",
        what="a time with its offset, where Django writes UTC without",
        table="common_chatmessage",
        column="sent_at",
        value="'2024-05-01 10:00:00+08:00'",
        fits=True,
    ),
    Dirt(
        name="time-with-t",
        what="a time with a T and without microseconds",
        table="common_chatmessage",
        column="sent_at",
        value="'2024-05-01T10:00:00'",
        row=1,
        fits=True,
    ),
    Dirt(
        name="epoch-number",
        what="seconds since 1970 in a time column",
        table="coordination_engagement",
        column="starts_at",
        value="1714521600",
    ),
    Dirt(
        name="text-in-duration",
        what="a duration as text, where Django writes microseconds",
        table="mana_workshopactivity",
        column="duration",
        value="'01:30:00'",
    ),
    # UUIDs and addresses
    Dirt(
        name="bad-uuid",
        what="a text that is no UUID",
        table="common_calendarbooking",
        column="reference",
        value="'not-a-uuid'",
    ),
    Dirt(
        name="uuid-with-dashes",
        what="a UUID in capitals with dashes, where Django writes 32 hexadecimal digits",
        table="common_calendarbooking",
        column="reference",
        value="'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        row=1,
        fits=True,
    ),
    Dirt(
        name="bad-address",
        what="an IP address with a port, written by a proxy",
        table="access_log",
        column="ip_address",
        value="'203.0.113.9:52814'",
    ),
    # missing values and counters
    Dirt(
        name="null-in-not-null",
        what="a NULL in a NOT NULL column, left by a schema edited by hand; SQLite still answers IS NULL with no",
        table="mana_need",
        column="title",
        row=2,
        sql=(
            "PRAGMA writable_schema = ON",
            _SWAP_SQL.format(_NOT_NULL, _NULL),
            "PRAGMA writable_schema = RESET",
            "UPDATE mana_need SET title = NULL WHERE id = :key",
            "PRAGMA writable_schema = ON",
            _SWAP_SQL.format(_NULL, _NOT_NULL),
            "PRAGMA writable_schema = RESET",
        ),
    ),
    Dirt(
        name="sequence-above",
        what="sqlite_sequence far above the largest key: rows were deleted, and their keys must not come back",
        table="common_chatmessage",
        sql=("UPDATE sqlite_sequence SET seq = 100000 WHERE name = 'common_chatmessage'",),
        fits=True,
    ),
    Dirt(
        name="sequence-below",
        what="sqlite_sequence below the largest key: somebody copied rows by hand",
        table="common_calendarresource",
        sql=("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'common_calendarresource'",),
        fits=True,
    ),
    # objects that no migration made
    Dirt(
        name="extra-table",
        what="a table made by hand, with rows",
        table="users backup 2023",
        sql=(
            'CREATE TABLE "users backup 2023" AS SELECT id, username, email, date_joined FROM common_user WHERE id < 4',
        ),
    ),
    Dirt(
        name="extra-column",
        what="a column made by hand, with a value",
        table="common_province",
        column="remark",
        sql=(
            "ALTER TABLE common_province ADD COLUMN remark text DEFAULT 'none'",
            "UPDATE common_province SET remark = 'ask Élise' WHERE id = :key",
        ),
    ),
    Dirt(
        name="extra-trigger",
        what="a trigger made by hand",
        table="common_chatmessage",
        sql=(
            """CREATE TRIGGER chat_no_shouting AFTER INSERT ON common_chatmessage BEGIN
            UPDATE common_chatmessage SET topic = lower(topic) WHERE id = NEW.id; END""",
        ),
    ),
    Dirt(
        name="extra-index",
        what="an index made by hand",
        table="common_barangay",
        column="population",
        sql=("CREATE INDEX by_population ON common_barangay (population DESC) WHERE population > 1000",),
    ),
    Dirt(
        name="lost-unique-index",
        what="a unique index dropped by hand, and since then a duplicate",
        table="communities_livelihood",
        column="name",
        sql=(
            "INSERT INTO communities_livelihood (sector, name) SELECT sector, name FROM communities_livelihood LIMIT 1",
        ),
    ),
)


def choose_kinds(names):
    """The kinds with these names, in the list's order; every kind for no names.

    Raises: KeyError with the names that do not exist.
    """
    unknown = set(names) - {kind.name for kind in KINDS}
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    return [kind for kind in KINDS if not names or kind.name in names]


def plant_dirt(connection, kinds):
    """Plant ``kinds`` in a filled SQLite database of Django's: a tuple of Planted."""
    connection.ensure_connection()
    raw = connection.connection  # sqlite3's own: Django's cursor would read % and :key
    for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON", "trusted_schema = ON"):
        raw.execute(f"PRAGMA {pragma}")
    try:
        return tuple(_plant_one(raw, kind) for kind in kinds)
    finally:
        connection.close()  # the next connection has its checks again


def _plant_one(raw, kind):
    """Plant one kind: a Planted."""
    key_column = next((row[1] for row in raw.execute(f'PRAGMA table_info("{kind.table}")') if row[5]), None)
    statements = kind.sql
    if kind.value is not None:
        statements = (f'UPDATE "{kind.table}" SET "{kind.column}" = {kind.value} WHERE "{key_column}" = :key',)
    key = None
    if any(":key" in statement for statement in statements):
        (rows,) = raw.execute(f'SELECT count(*) FROM "{kind.table}"').fetchone()
        found = raw.execute(
            f'SELECT "{key_column}" FROM "{kind.table}" ORDER BY rowid LIMIT 1 OFFSET ?', (kind.row % rows,)
        )
        (key,) = found.fetchone()
    if kind.name == "lost-unique-index":
        _drop_unique_index(raw, kind.table)
    for statement in statements:
        done = raw.execute(statement, {"key": key} if ":key" in statement else {})
        if statement.startswith("INSERT"):
            key = done.lastrowid
    return Planted(name=kind.name, table=kind.table, column=kind.column, key=key)


def _drop_unique_index(raw, table):
    """Drop the unique index that Django made for unique_together; its name has a hash."""
    for _, name, is_unique, origin, _ in raw.execute(f'PRAGMA index_list("{table}")').fetchall():
        if is_unique and origin == "c":
            raw.execute(f'DROP INDEX "{name}"')
