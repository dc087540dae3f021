"""What `check` can find: the table of finding codes.

Layer 0. The planner makes findings only through `make_finding`, so that each code has one meaning, one default
severity and one page in the docs (`docs/reference/findings.md` is generated from this table and checked in a test).

One file although it is long: nearly all of it is that table.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from liteferry.model import Finding, Sample, Severity, WayOut


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """What a finding code means.

    ``if_accepted``: what `--accept` makes of it; empty when it cannot be accepted. ``way``: that way out's name in
    `WAYS`. ``others``: the ways that a finding of this code may offer beside it, where they make sense at its place.
    """

    severity: Severity
    title: str
    why: str
    if_accepted: str = ""
    way: str = "leave-out"
    others: tuple[str, ...] = ()


WAYS = MappingProxyType(
    {
        "widen": "the column gets the narrowest type that holds every value as it is",
        "quarantine": "the rows are kept whole, as SQLite stores them, in a table beside the target's",
        "null": "the values that do not fit become NULL",
        "strip-nul": "the NUL characters are taken out of the texts",
        "u-fffd": "each NUL, and each byte that is not UTF-8, becomes U+FFFD, the replacement character",
        "escape": "NUL becomes \\x00, a byte that is not UTF-8 \\xNN, a backslash in the column two: reversible",
        "epoch-s": "numbers are seconds since 1970-01-01 00:00 UTC",
        "epoch-ms": "numbers are milliseconds since 1970-01-01 00:00 UTC",
        "epoch-us": "numbers are microseconds since 1970-01-01 00:00 UTC",
        "julian": "numbers are Julian days, as SQLite's julianday() gives them",
        "timezone": "times without an offset are local times of a time zone: timezone:Europe/Berlin",
        "earlier": "a local time that was twice is the first of the two, as Django reads it",
        "later": "a local time that was twice is the second of the two, as PostgreSQL reads it",
        "quantise": "numbers are rounded to 15 digits and to the type's decimal places, halves to the even digit",
        "quantise-reals": "reals are rounded to 15 digits, and all numbers to the type's decimal places, halves to the"
        " even digit",
        "last-key": "the column becomes jsonb: of the members of an object that have the same key the last one counts",
        "json": "the column becomes json, which keeps the text as it is",
        "text": "the column becomes text",
        "not-valid": "the constraint is created NOT VALID: it holds for every new row",
        "nullable": "the column is created without NOT NULL",
        "unique": "the key becomes a UNIQUE constraint",
        "plain": "the column is created as a plain one, holding the values that SQLite computed",
        "without-clause": "the constraint is created without the clause",
        "icu": "the column gets an ICU collation, and goes on ignoring case",
        "citext": "the column becomes citext, and goes on ignoring case",
        "index": "unique keys go on ignoring case, or spaces at the end; every other comparison is byte for byte",
        "bytes": "the column compares byte for byte",
        "spread": "the column ignores case, as the one does that its foreign key points at",
        "leave-out": "the object is left out; its SQL stands in the report",
        "try": "it is tried: where the server refuses it, the run is taken back",
    }
)
"""Every way out, with what taking it does. A finding says which of them it offers, and what they do at its place."""


_BLOCKER: Severity = "blocker"
_INFO: Severity = "info"

FINDINGS = MappingProxyType(
    {
        # values
        "value-misfit": FindingKind(
            severity=_BLOCKER,
            title="A column holds values that its declared type cannot",
            why="SQLite stores any value in any column; PostgreSQL does not.",
            if_accepted="the column becomes the narrowest type that holds everything (text, or bytea)",
            way="widen",
            others=("quarantine", "null"),
        ),
        "text-too-long": FindingKind(
            severity=_BLOCKER,
            title="Texts are longer than the declared length",
            why="SQLite does not enforce VARCHAR(n); PostgreSQL does.",
            if_accepted="the column becomes text",
            way="widen",
            others=("quarantine", "null"),
        ),
        "decimal-excess": FindingKind(
            severity=_BLOCKER,
            title="Decimals have more digits than the declared precision and scale",
            why="SQLite does not enforce DECIMAL(p,s); PostgreSQL would round or refuse.",
            if_accepted="the column becomes numeric without limits",
            way="widen",
            others=("quarantine", "null", "quantise", "quantise-reals"),
        ),
        "text-nul": FindingKind(
            severity=_BLOCKER,
            title="Texts contain the NUL character",
            why="PostgreSQL's text cannot hold U+0000.",
            if_accepted="the column becomes bytea, holding the texts' UTF-8 bytes",
            way="widen",
            others=("quarantine", "null", "strip-nul", "u-fffd", "escape"),
        ),
        "text-invalid": FindingKind(
            severity=_BLOCKER,
            title="Texts are not valid UTF-8",
            why="SQLite does not check what it stores as text; PostgreSQL does.",
            if_accepted="the column becomes bytea, holding the bytes as they are",
            way="widen",
            others=("quarantine", "null", "u-fffd", "escape"),
        ),
        "json-invalid": FindingKind(
            severity=_BLOCKER,
            title="Values of a JSON column are not JSON",
            why="PostgreSQL's json types refuse them.",
            if_accepted="the column becomes text",
            way="widen",
            others=("quarantine", "null"),
        ),
        "json-not-jsonb": FindingKind(
            severity=_INFO,
            title="JSON that jsonb would change",
            why="Duplicate keys, \\u0000 and lone surrogates do not survive in jsonb; unless the target has jsonb"
            " there, the column becomes json instead.",
            others=("text", "last-key", "quarantine", "null"),
        ),
        "date-form": FindingKind(
            severity=_BLOCKER,
            title="Dates or times in a form that PostgreSQL's type cannot take exactly",
            why="A number in a date column may be seconds, milliseconds or a Julian day: only you know.",
            if_accepted="the column becomes text (bigint where all values are integers), holding what SQLite holds",
            way="widen",
            others=("quarantine", "null", "epoch-s", "epoch-ms", "epoch-us", "julian"),
        ),
        "time-zone-mixed": FindingKind(
            severity=_BLOCKER,
            title="Some timestamps carry an offset and some do not",
            why="Without an offset nobody knows which instant is meant.",
            if_accepted="the column becomes text, holding what SQLite holds",
            way="widen",
            others=("quarantine", "null", "timezone"),
        ),
        "interval-since-1970": FindingKind(
            severity=_INFO,
            title="Dates and times that stand for an interval",
            why="SQLite has no intervals: SQLAlchemy's are written as a date and time, counted from 1970-01-01 00:00.",
        ),
        "time-zone-dropped": FindingKind(
            severity=_INFO,
            title="Timestamps keep their instant, not their written offset",
            why="timestamptz stores the instant; the offset that was written (Z, +02:00) is not stored.",
        ),
        "time-zone-absent": FindingKind(
            severity=_INFO,
            title="A type with a time zone whose timestamps have no offset",
            why="SQLite keeps the text as written; without an offset it names no instant, so it becomes a timestamp.",
            others=("timezone",),
        ),
        "time-zone-given": FindingKind(
            severity=_INFO,
            title="Local times become instants of the time zone that was given",
            why="Their texts carry no offset: --on-misfit TABLE.COLUMN=timezone:ZONE, or a Django project's settings,"
            " say where they were written.",
            others=("timezone",),
        ),
        "local-time-unclear": FindingKind(
            severity=_BLOCKER,
            title="Local times that the time zone never had, or had twice",
            why="Clocks that are put forward pass over an hour, and when they are put back one hour comes twice: nobody"
            " knows which instant is meant.",
            others=("quarantine", "null", "earlier", "later"),
        ),
        "decimal-inexact": FindingKind(
            severity=_INFO,
            title="Decimals that SQLite stores as binary numbers, with the error of binary arithmetic",
            why="SQLite has no decimal numbers: 0.1 + 0.2 was stored as 0.30000000000000004. It arrives as it is"
            " stored unless it is rounded; the error was there before the move.",
            others=("quantise", "quantise-reals"),
        ),
        "address-respelled": FindingKind(
            severity=_INFO,
            title="IP addresses that PostgreSQL gives back in another spelling",
            why="inet keeps the address and not how it was written: capitals, leading zeros, zeros written out.",
        ),
        "numbers-of-texts": FindingKind(
            severity=_INFO,
            title="Numbers in a column whose declared type speaks of text",
            why="SQLite does not know the type's name (STRING, say) and stores a text that reads as a number as that"
            " number: leading zeros were lost then, and not by the move.",
            others=("text",),
        ),
        "json-normalised": FindingKind(
            severity=_INFO,
            title="JSON text becomes jsonb, which keeps the value and not the spelling",
            why="A CHECK with json_valid makes the column jsonb: blanks, the order of keys and the spelling of numbers"
            " are not kept. json and text keep the text as it is.",
            others=("json", "text"),
        ),
        "uuid-bytes": FindingKind(
            severity=_INFO,
            title="UUIDs that are stored as blobs",
            why="Their bytes may be in either order (.NET writes the first half backwards), so they stay bytea.",
        ),
        "null-in-key": FindingKind(
            severity=_BLOCKER,
            title="A primary key contains NULL",
            why="SQLite allows NULL in a primary key that is not INTEGER; PostgreSQL does not.",
            if_accepted="the key becomes a UNIQUE constraint",
            way="unique",
            others=("quarantine",),
        ),
        "null-in-not-null": FindingKind(
            severity=_BLOCKER,
            title="A NOT NULL column contains NULL",
            why="The constraint was added behind SQLite's back; PostgreSQL would refuse the rows.",
            if_accepted="the column is created without NOT NULL",
            way="nullable",
            others=("quarantine",),
        ),
        "orphan-rows": FindingKind(
            severity=_BLOCKER,
            title="Rows whose foreign key points at nothing",
            why="SQLite checks foreign keys only when the connection asks for it.",
            if_accepted="the rows are kept and the foreign key is created NOT VALID: it holds for every new row",
            way="not-valid",
            others=("quarantine", "leave-out"),
        ),
        "check-broken": FindingKind(
            severity=_BLOCKER,
            title="Rows break a CHECK",
            why="SQLite looks at a CHECK only when a row is written, and not at all where the connection says so.",
            if_accepted="the rows are kept and the CHECK is created NOT VALID: it holds for every new row",
            way="not-valid",
            others=("quarantine", "leave-out"),
        ),
        "unique-clash": FindingKind(
            severity=_BLOCKER,
            title="Keys that differ in SQLite are equal in PostgreSQL",
            why="1 and '1', two spellings of a UUID or of an instant are two values to SQLite, and one to PostgreSQL's"
            " type. With --into existing it may be a key that only the target has, and that cannot be left out.",
            if_accepted="the key is left out",
            others=("quarantine",),
        ),
        "index-entry-too-long": FindingKind(
            severity=_BLOCKER,
            title="Index entries that may be too long",
            why="An entry of a B-tree has at most 2,704 bytes, after compression; SQLite has no such limit.",
            if_accepted="the index is left out",
            others=("quarantine", "try"),
        ),
        "row-too-wide": FindingKind(
            severity=_BLOCKER,
            title="Rows that no page holds",
            why="A row has at most 8,160 bytes on its page, once whatever can be stored apart is stored apart.",
            if_accepted="the rows are kept whole, in a table beside the target's",
            way="quarantine",
        ),
        "value-too-large": FindingKind(
            severity=_BLOCKER,
            title="Values that PostgreSQL holds but cannot read out",
            why="A field has at most 1 GiB, and so has its text: two digits for each byte of a bytea. A larger one goes"
            " in, and nothing, pg_dump least of all, gets it out.",
        ),
        # schema
        "default-untranslatable": FindingKind(
            severity=_BLOCKER,
            title="A default has no PostgreSQL form of surely the same meaning",
            why="liteferry translates only what is known to mean the same on both engines.",
            if_accepted="the column has no default",
        ),
        "check-untranslatable": FindingKind(
            severity=_BLOCKER,
            title="A CHECK has no PostgreSQL form of surely the same meaning",
            why="liteferry translates only what is known to mean the same on both engines.",
            if_accepted="the constraint is left out",
        ),
        "check-implied": FindingKind(
            severity=_INFO,
            title="A CHECK that the new type already enforces",
            why="A json_valid check on a jsonb column, say: the type refuses what the check refused.",
        ),
        "index-untranslatable": FindingKind(
            severity=_BLOCKER,
            title="An index has no PostgreSQL form of surely the same meaning",
            why="Its expression, its predicate or its collation cannot be carried over.",
            if_accepted="the index is left out",
        ),
        "generated-untranslatable": FindingKind(
            severity=_BLOCKER,
            title="A generated column has no PostgreSQL form of surely the same meaning",
            why="liteferry translates only what is known to mean the same on both engines.",
            if_accepted="the column is created as a plain one, holding the values that SQLite computed",
            way="plain",
        ),
        "view-untranslatable": FindingKind(
            severity=_BLOCKER,
            title="A view has no PostgreSQL form of surely the same meaning",
            why="liteferry translates only what is known to mean the same on both engines.",
            if_accepted="the view is left out, and so is every view that reads it",
        ),
        "view-broken": FindingKind(
            severity=_BLOCKER,
            title="A view that SQLite itself cannot read",
            why="It reads something that is not there (any more).",
            if_accepted="the view is left out",
        ),
        "view-differs": FindingKind(
            severity=_INFO,
            title="A view's columns have other types than its SQLite values",
            why="SQLite gives each value its own type; a PostgreSQL view has one type a column.",
        ),
        "view-not-compared": FindingKind(
            severity=_INFO,
            title="The rows of a view were not compared",
            why="Both engines are asked for a view's rows, which must be the same. Not of a view that reads the clock"
            " or makes random values, nor of one that takes too long or never ends. Its columns and its definition were"
            " compared all the same; look at it yourself.",
        ),
        "expression-not-compared": FindingKind(
            severity=_INFO,
            title="A check, or an index's expression or condition, was not compared over the rows",
            why="Both engines are asked what it comes to in each row. Here that was not possible; it was tried out with"
            " sample values, and the target took all rows.",
        ),
        "wal-unread": FindingKind(
            severity=_INFO,
            title="The end of the source's -wal file is not read",
            why="SQLite passes over pages of a transaction that was never committed, or was cut off or damaged since,"
            " and says nothing. Its rows are in no query, and are not moved: open a copy with its -wal file, and look.",
        ),
        "trigger-left-out": FindingKind(
            severity=_BLOCKER,
            title="A trigger is not carried over",
            why="Triggers are programs; liteferry does not translate programs.",
            if_accepted="the trigger is left out; its SQL stands in the report",
        ),
        "virtual-table-left-out": FindingKind(
            severity=_BLOCKER,
            title="A virtual table is not carried over",
            why="It belongs to a SQLite module (full text search, R-Tree); PostgreSQL has tsvector and GiST for that.",
            if_accepted="the virtual table and its shadow tables are left out",
        ),
        "conflict-clause": FindingKind(
            severity=_BLOCKER,
            title="A constraint says ON CONFLICT",
            why="PostgreSQL has no such clause: a clash is always an error, unless the INSERT itself says otherwise.",
            if_accepted="the constraint is created without the clause",
            way="without-clause",
        ),
        "collation-kept": FindingKind(
            severity=_INFO,
            title="A column that compares without regard to case goes on doing so",
            why="By an ICU collation or the type citext, whichever the server offers; both know more than A to Z.",
        ),
        "collation-wider": FindingKind(
            severity=_BLOCKER,
            title="Texts that SQLite holds apart may be equal without regard to case in PostgreSQL",
            why="SQLite's NOCASE folds A to Z alone; ICU and citext fold every letter, so that É and é are one.",
            if_accepted="the column compares so all the same; where a key then finds duplicates, the run fails and"
            " takes everything back",
            way="try",
            others=("index", "bytes"),
        ),
        "collation-spread": FindingKind(
            severity=_BLOCKER,
            title="A foreign key's column takes over the collation of the column that it points at",
            why="PostgreSQL wants both to compare alike; in SQLite the parent's collation decides for the key alone.",
            if_accepted="the column ignores case, too, in every comparison",
            way="spread",
        ),
        "collation-lost": FindingKind(
            severity=_BLOCKER,
            title="A collation that PostgreSQL does not have",
            why="NOCASE, RTRIM and the application's own collations decide what is equal and what comes first.",
            if_accepted="the column compares byte for byte",
            way="bytes",
            others=("index",),
        ),
        "foreign-key-no-parent": FindingKind(
            severity=_BLOCKER,
            title="A foreign key to a table or column that does not exist",
            why="SQLite does not look when it is declared.",
            if_accepted="the foreign key is left out",
        ),
        "foreign-key-not-unique": FindingKind(
            severity=_BLOCKER,
            title="A foreign key to columns that are not unique",
            why="PostgreSQL demands a primary key or UNIQUE constraint on the parent's columns.",
            if_accepted="the foreign key is left out",
        ),
        "foreign-key-types": FindingKind(
            severity=_BLOCKER,
            title="A foreign key between columns of different types",
            why="PostgreSQL cannot compare them.",
            if_accepted="the foreign key is left out",
        ),
        "left-dangling": FindingKind(
            severity=_BLOCKER,
            title="A selected object needs one that --only or --exclude leaves behind",
            why="A foreign key or view cannot exist without the table that it points at.",
            if_accepted="the dangling object is left out",
        ),
        "left-out-by-choice": FindingKind(
            severity=_INFO,
            title="A table or view was left behind by --only or --exclude",
            why="You asked for it.",
        ),
        "rowid-not-kept": FindingKind(
            severity=_INFO,
            title="A table without a primary key",
            why="SQLite's hidden rowid is not carried over; the proof compares the rows as a multiset.",
        ),
        "name-changed": FindingKind(
            severity=_INFO,
            title="A name could not be kept",
            why="PostgreSQL's names end after 63 bytes, and indexes share one name space with tables.",
        ),
        "names-styled": FindingKind(
            severity=_INFO,
            title="Names are written in the style that --names asks for",
            why="The plan and the report list each of them, as it was and as it is.",
        ),
        "sequence-exhausted": FindingKind(
            severity=_INFO,
            title="A key has reached the largest integer",
            why="As in SQLite, the next insert without an id will fail.",
        ),
        "table-too-wide": FindingKind(
            severity=_BLOCKER,
            title="A table has more columns than PostgreSQL allows",
            why="PostgreSQL's tables have at most 1,600 columns.",
        ),
        "decision-unused": FindingKind(
            severity=_INFO,
            title="A decision that decides nothing",
            why="Its place is there, but no finding is, or none that offers this way out: the data may have changed.",
        ),
        # Django
        "django-custom-field": FindingKind(
            severity=_BLOCKER,
            title="A field of the project's own keeps its values differently in SQLite and PostgreSQL",
            why="What its values stand for is known to the field's own code alone; where the types have nothing in"
            " common, a value that fits may still mean another. The project's own ORM reads it back at the end.",
            if_accepted="the values travel by the rules of the two types",
            way="try",
        ),
        "django-boolean-word": FindingKind(
            severity=_BLOCKER,
            title="Words in a BooleanField's column",
            why="Only 0 and 1 are what Django stores; it reads anything else in SQLite as false, also 'true'.",
            if_accepted="the words become what they say",
            way="try",
        ),
        # hooks
        "hook-without-undo": FindingKind(
            severity=_INFO,
            title="A hook whose effects elsewhere stay",
            why="What a hook makes in the target's schema is taken away by undo. What it does elsewhere (in other"
            " schemas, to roles, by extensions) is taken back by its undo file alone, and it has none.",
        ),
        # target
        "definitions-not-compared": FindingKind(
            severity=_INFO,
            title="The definitions of the target's objects were not compared",
            why="`verify` without the run directory makes the plan's objects in a schema of its own, in a transaction"
            " that it rolls back, to see how this server renders them; here that was not possible. Values, names,"
            " types, columns of keys and indexes were compared all the same.",
        ),
        "target-not-empty": FindingKind(
            severity=_BLOCKER,
            title="The target's schema already holds something",
            why="liteferry does not mix its tables with others, nor replace anything.",
        ),
        # a Django project, its migrations and its file
        "django-model-changed": FindingKind(
            severity=_INFO,
            title="A model that has changed since the last migration was written",
            why="`makemigrations` would write a migration. The target's schema is what the migrations that are there"
            " make.",
        ),
        "django-migration-unapplied": FindingKind(
            severity=_BLOCKER,
            title="A migration that is not applied to the SQLite file",
            why="The target's schema is made by all migrations, and django_migrations is taken from the file: Django"
            " would apply the migration there a second time.",
        ),
        "django-migration-gone": FindingKind(
            severity=_INFO,
            title="Migrations that are recorded as applied and are not on disk",
            why="They were squashed, deleted, or belong to an app that is not installed any more. Their records are"
            " carried over as they are.",
        ),
        "django-migration-order": FindingKind(
            severity=_BLOCKER,
            title="A migration that is applied before one that it depends on",
            why="Django calls this an inconsistent history, and `migrate` refuses to go on, on the target as well.",
        ),
        "django-table-missing": FindingKind(
            severity=_BLOCKER,
            title="A table of the project that the SQLite file does not have",
            why="The application cannot work with the file as it is, and nobody knows what else is missing.",
        ),
        "django-column-missing": FindingKind(
            severity=_BLOCKER,
            title="A column of the project that the SQLite file's table does not have",
            why="The application cannot read the model from the file as it is; the column may be there by another"
            " name, with values that would stay behind.",
        ),
        "django-table-extra": FindingKind(
            severity=_INFO,
            title="A table of the SQLite file that the project's migrations do not make",
            why="The target's schema is made by the migrations alone. Where such a table holds rows,"
            " `target-table-missing` asks you to decide.",
        ),
        "django-column-extra": FindingKind(
            severity=_INFO,
            title="A column of the SQLite file that the project's migrations do not make",
            why="The target's schema is made by the migrations alone. Where such a column holds values,"
            " `target-column-missing` asks you to decide.",
        ),
        "django-column-differs": FindingKind(
            severity=_INFO,
            title="A column that the SQLite file declares otherwise than the project's migrations",
            why="The target has what the migrations say; values that do not fit there are found and block.",
        ),
        "django-constraint-differs": FindingKind(
            severity=_INFO,
            title="A key or CHECK that only the SQLite file has, or only the project's migrations make",
            why="The target has what the migrations say; rows that break it are found and block.",
        ),
        "django-object-differs": FindingKind(
            severity=_INFO,
            title="An index, a trigger or a view that only the SQLite file has, or only the project's migrations make",
            why="The target has what the migrations say, and nothing of what was made by hand.",
        ),
        "django-target-missing": FindingKind(
            severity=_BLOCKER,
            title="A model's table or column that the migrations do not make",
            why="The application could not read the model from the target.",
        ),
        "django-target-differs": FindingKind(
            severity=_INFO,
            title="A model's field that is declared otherwise than its column in PostgreSQL",
            why="The migrations made the column; the model has changed since, or a migration's own SQL says otherwise.",
        ),
        # an application's own schema
        "target-table-missing": FindingKind(
            severity=_BLOCKER,
            title="A table of the source that the target's schema does not have",
            why="In an application's own schema nothing is created: every table has to be there.",
            if_accepted="the table is left out, with its rows",
        ),
        "target-column-missing": FindingKind(
            severity=_BLOCKER,
            title="A column of the source that the target's table does not have",
            why="In an application's own schema nothing is created: every column has to be there.",
            if_accepted="the column is left out, with its values",
        ),
        "target-column-required": FindingKind(
            severity=_BLOCKER,
            title="A NOT NULL column of the target that nothing fills",
            why="The source does not have it, and it has no default.",
        ),
        "target-extra-column": FindingKind(
            severity=_INFO,
            title="A column that only the target has",
            why="Each row gets its default there, or NULL.",
        ),
        "target-extra-table": FindingKind(
            severity=_INFO,
            title="A table that only the target has",
            why="Nothing in it is touched.",
        ),
        "name-matched": FindingKind(
            severity=_INFO,
            title="A table or column that the target spells with other capitals",
            why="SQLite does not tell them apart, PostgreSQL does; there is no other that could be meant.",
        ),
        "order-differs": FindingKind(
            severity=_INFO,
            title="The target has a table's columns in another order",
            why="Columns are matched by name. A program that counts on their order will notice.",
        ),
        "target-type-unknown": FindingKind(
            severity=_BLOCKER,
            title="A column of the target has a type that liteferry cannot fill",
            why="An array, a range, a type of an extension: what a SQLite value means there is not known.",
            if_accepted="the column is left out, with its values",
        ),
        "target-type-differs": FindingKind(
            severity=_BLOCKER,
            title="A column of the target has a type that the values do not fit",
            why="In an application's own schema the types are the target's.",
        ),
        "target-time-zone": FindingKind(
            severity=_INFO,
            title="Times without an offset go into a column with a time zone",
            why="They are taken for UTC, as Django and most other libraries store them.",
        ),
        "target-null-forbidden": FindingKind(
            severity=_BLOCKER,
            title="NULL where the target says NOT NULL",
            why="PostgreSQL would refuse the rows.",
            others=("quarantine",),
        ),
        "target-orphans": FindingKind(
            severity=_BLOCKER,
            title="Rows that break a foreign key of the target",
            why="The target's foreign keys are as valid afterwards as they were before.",
            others=("quarantine",),
        ),
        "target-object-missing": FindingKind(
            severity=_INFO,
            title="A key, index, CHECK, NOT NULL, default, view or trigger of the source that the target does not have",
            why="The schema is the application's own, and no value is lost; but a rule that only the"
            " source had is no rule any more: look whether the application means to do without.",
        ),
        "seeded-rows": FindingKind(
            severity=_BLOCKER,
            title="A table of the target holds rows already",
            why="The application's migrations may have put them there; nothing is overwritten unless you say so.",
        ),
        "rows-replaced": FindingKind(
            severity=_INFO,
            title="Rows of the target that the source's take the place of",
            why="You said so with --replace-rows; the rows are kept in the run directory, and undo brings them back.",
        ),
        "rows-equal": FindingKind(
            severity=_INFO,
            title="A table of the target that holds the source's rows already",
            why="Every value was compared; the table is not touched.",
        ),
        "target-not-owned": FindingKind(
            severity=_BLOCKER,
            title="Something of the target belongs to another role",
            why="Only its owner may drop a foreign key for a while, or disable a trigger; no superuser is needed.",
        ),
        "target-row-security": FindingKind(
            severity=_BLOCKER,
            title="Row level security applies to your role",
            why="What cannot be read back cannot be proven.",
        ),
        "target-unsuitable": FindingKind(
            severity=_BLOCKER,
            title="A table of the target that cannot be filled and left as it was",
            why="Inheritance, foreign tables, and triggers that only a superuser could disable again.",
        ),
    }
)
"""Every finding code, with its meaning."""


def make_finding(
    code: str,
    message: str,
    *,
    table: str | None = None,
    name: str | None = None,
    count: int = 0,
    samples: tuple[Sample, ...] = (),
    sql: str | None = None,
    hint: str = "",
    if_accepted: str = "",
    more_ways: tuple[WayOut, ...] = (),
) -> Finding:
    """Make a finding of a known code. Pure. Raises: KeyError when the code is not in `FINDINGS`.

    if_accepted: what accepting does here, where the code's own words are too general. more_ways: offered beside it.
    """
    kind = FINDINGS[code]
    effect = if_accepted or kind.if_accepted
    return Finding(
        code=code,
        severity=kind.severity,
        message=message,
        table=table,
        name=name,
        count=count,
        samples=samples,
        sql=sql,
        hint=hint,
        if_accepted=effect,
        ways=(*([WayOut(name=kind.way, effect=effect)] if effect else []), *more_ways),
    )
