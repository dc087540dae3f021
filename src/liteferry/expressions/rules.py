"""What is translated and what is refused, for the docs.

Layer 1, pure. From the tables that the translator itself uses, and a table of the constructs that are no functions.
"""

from __future__ import annotations

from typing import Final

from liteferry.expressions.aggregates import AGGREGATES, WINDOW_FUNCTIONS
from liteferry.expressions.data import RuleDoc
from liteferry.expressions.datetimes import DATE_FUNCTIONS, MODIFIERS
from liteferry.expressions.functions import FUNCTIONS, REFUSED

_CONSTRUCTS: Final = (
    # literals and names
    ("'x', 5, 0x1F, 1.5, x'00ff', NULL", "'x', 5, 31, 1.5, decode('00ff', 'hex'), NULL", ""),
    ("TRUE, FALSE", "1, 0; TRUE, FALSE beside a boolean", "unless a column has that name"),
    ('"x" that names no column', "'x'", "SQLite takes it for a text"),
    ("rowid, oid, _rowid_", "the INTEGER PRIMARY KEY column", "refused in a table without one"),
    # numbers
    ("x + y, x - y, x * y of integers", "the same in bigint", "beyond 64 bits an error; SQLite goes on with REAL"),
    ("x / y, x % y of integers", "x / nullif(y, 0)", "division by zero is NULL, as in SQLite; both engines truncate"),
    (
        "x + y, … with REAL or NUMERIC",
        "x::double precision + y::double precision",
        "exact for whole numbers up to 2^53; an infinity or a NaN in between is an error or stays NaN",
    ),
    ("x / y of NUMERIC", "", "where both may be stored as integers, SQLite truncates row by row"),
    ("x % y with REAL or NUMERIC", "", "SQLite cuts the fractions off first"),
    ("+ - * / % of texts", "", "SQLite takes the leading digits, or 0: in `first + ' ' + last` || is meant"),
    ("& | ~", "the same", "integers only"),
    ("<< >>", "the same", "by a literal from 0 to 63"),
    # truth
    ("x AND y, x OR y, NOT x", "the same", "a number counts as x <> 0; a text is refused"),
    ("flag, flag = 1, NOT flag, flag = 0", "flag, flag, NOT flag, NOT flag", "on a column that became boolean"),
    ("flag + 1", "flag::int + 1", ""),
    ("x IS TRUE, x IS NOT FALSE", "the same", ""),
    ("a truth value as a view's column", "(x)::int", "0 and 1, as SQLite gives them"),
    # comparisons
    ("x = y, x <> y, x < y, …", "the same", "where SQLite's affinities leave both sides of one storage class"),
    ("text_column = 0", "text_column = '0'", "the affinity makes the number a text"),
    ("integer_column = '5'", "integer_column = 5", "the affinity makes the text a number; other words are refused"),
    ("text column with a number column", "", "SQLite converts those texts that look like numbers"),
    ("x < y of texts", 'x COLLATE "C" < y', "bytes, as SQLite's BINARY compares"),
    ("x = y COLLATE NOCASE", 'lower(x COLLATE "C") = …', "A to Z only, as in SQLite"),
    ("x = y COLLATE RTRIM", "rtrim(x, ' ') COLLATE \"C\" = …", ""),
    ("any other collation", "", "it belongs to the application"),
    ("'a' < 'B' in a generated column", "", "PostgreSQL finds no collation for what it compares without any column"),
    ("x IS y, x IS NOT y", "IS [NOT] DISTINCT FROM", ""),
    ("x ISNULL, x NOTNULL", "x IS NULL, x IS NOT NULL", ""),
    ("x BETWEEN y AND z", "x >= y AND x <= z", ""),
    ("x IN (y, z)", "the same", "IN () is false, also for NULL"),
    ("x IN (SELECT …)", "the same", "where no value needs a conversion"),
    ("(x, y) = (1, 2)", "", "rows of values are not translated"),
    ("x LIKE y [ESCAPE z]", 'lower(x COLLATE "C") LIKE lower(y COLLATE "C") ESCAPE \'\'', "A to Z fold"),
    ("x GLOB 'a*[0-9]?'", "LIKE, or ~ where there are classes", "literal patterns, classes of ASCII characters"),
    ("x REGEXP y, x MATCH y", "", "the application defines them"),
    (
        "date_column < '2020-01-31'",
        "date_column < '2020-01-31'::date",
        "SQLite compares texts, 2020-01-31 before 2020-01-31 00:00:00; refused where the column's forms leave a doubt",
    ),
    # texts
    ("x || y", "x || y", "integers become text first; floating-point numbers and timestamps are refused"),
    ("substr(x, y) where y may be negative", "", "then SQLite counts from the end; a negative literal is translated"),
    ("x -> y, x ->> y", "", "the type of the result depends on the row"),
    # forms
    ("CASE … END", "the same", "where all results have one type"),
    ("CAST(x AS INTEGER)", "trunc(x)::bigint", "of numbers, and of texts that are known to be digits"),
    ("CAST(x AS TEXT)", "x::text", "of integers, texts and dates"),
    ("CAST of a text to a number", "", "SQLite takes the leading digits, or 0"),
    ("CAST(x AS REAL), CAST(x AS NUMERIC)", "x::double precision, x", "of numbers"),
    # defaults
    ("DEFAULT CURRENT_TIMESTAMP", "date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC')", "UTC"),
    ("DEFAULT CURRENT_TIMESTAMP on text", "to_char(…, 'YYYY-MM-DD HH24:MI:SS')", "the same text as SQLite's"),
    ('DEFAULT word, DEFAULT "word"', "'word'", ""),
    ("DEFAULT '5' on INTEGER, DEFAULT 5 on TEXT", "5, '5'", "as the affinity stores them"),
    ("DEFAULT that the type cannot hold", "", "a text on an integer, too many digits, a time on VARCHAR(3)"),
    ("lower(hex(randomblob(16)))", "encode(substring(sha256(…) from 1 for 16), 'hex')", "32 random hexadecimal digits"),
    (
        "lower(hex(randomblob(4))) || '-' || … '-4' …",
        "gen_random_uuid()",
        "the usual expression for a random UUID, recognised as a whole",
    ),
    # SELECT
    ("SELECT *, SELECT t.*", "all columns by name", "in SQLite's order, those of USING once"),
    ("JOIN … ON, USING, NATURAL, LEFT, CROSS, the comma", "… ON", "RIGHT and FULL with ON only"),
    ("GROUP BY", "the same", "no column that is neither grouped nor aggregated, unless its INTEGER PRIMARY KEY is"),
    ("a column that is neither grouped nor aggregated", "", "SQLite takes it from any row of the group"),
    ("DISTINCT, GROUP BY, UNION of JSON or of NOCASE texts", "", "the engines take different values for equal"),
    ("ORDER BY x, ORDER BY x DESC", 'x COLLATE "C" NULLS FIRST, x DESC NULLS LAST', "as SQLite sorts"),
    ("LIMIT n OFFSET m", "the same", "with ORDER BY; without, which rows remain is chance, and it is refused"),
    ("UNION [ALL], INTERSECT, EXCEPT", "the same, in parentheses from the left", "where the types agree"),
    ("WITH, WITH RECURSIVE", "the same", "recursive: one SELECT, UNION [ALL], one SELECT"),
    ("(SELECT …) as a value, EXISTS (SELECT …)", "the same", "PostgreSQL fails where a value has several rows"),
    ("table-valued functions", "", "json_each() and its like are not translated"),
)  # fmt: skip


def describe() -> tuple[RuleDoc, ...]:
    """List what is translated and what is refused. Pure."""
    rules = [RuleDoc(sqlite=sqlite, postgresql=target, note=note) for sqlite, target, note in _CONSTRUCTS]
    for table in (FUNCTIONS, DATE_FUNCTIONS, AGGREGATES):
        rules += [RuleDoc(sqlite=rule.sqlite, postgresql=rule.postgresql, note=rule.note) for rule in table.values()]
    names = ", ".join(f"{name}()" for name in WINDOW_FUNCTIONS)
    rules.append(RuleDoc(sqlite=f"{names} OVER (…)", postgresql="the same", note="frames as written"))
    rules += [RuleDoc(sqlite=sqlite, postgresql=target, note=note) for sqlite, target, note in MODIFIERS]
    rules += [RuleDoc(sqlite=f"{name}()", postgresql="", note=why) for name, why in REFUSED.items()]
    return tuple(rules)
