from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liteferry.names import LIMIT_BYTES, NameSpace, fit_name, quote_literal, quote_name, quote_qualified, restyle_name

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=90)


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("user", '"user"'),
        ('a"b', '"a""b"'),
        ("Order Details", '"Order Details"'),
        ('";DROP TABLE x;--', '""";DROP TABLE x;--"'),
    ],
)
def test_quote_name(name: str, quoted: str) -> None:
    assert quote_name(name) == quoted


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_quote_name_refuses_what_no_identifier_can_hold(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        quote_name(name)


def test_quote_qualified() -> None:
    assert quote_qualified("public", "t") == '"public"."t"'


@pytest.mark.parametrize(("text", "quoted"), [("a", "'a'"), ("it's", "'it''s'"), ("a\\b", "E'a\\\\b'"), ("", "''")])
def test_quote_literal(text: str, quoted: str) -> None:
    assert quote_literal(text) == quoted


def test_quote_literal_refuses_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote_literal("a\0")


def test_short_names_stay() -> None:
    assert fit_name("a" * LIMIT_BYTES) == "a" * LIMIT_BYTES


@given(NAMES)
def test_fitted_names_fit_and_stay_the_same(name: str) -> None:
    fitted = fit_name(name)
    assert len(fitted.encode()) <= LIMIT_BYTES
    assert fit_name(name) == fitted
    assert fit_name(fitted) == fitted


def test_names_that_differ_after_the_limit_stay_different() -> None:
    names = [("x" * 70) + suffix for suffix in ("a", "b", "c")]
    assert len({fit_name(name) for name in names}) == 3


def test_a_cut_never_splits_a_character() -> None:
    fitted = fit_name("é" * 60)
    assert fitted.encode().decode() == fitted
    assert len(fitted.encode()) <= LIMIT_BYTES


@given(st.lists(NAMES, max_size=30))
def test_a_name_space_gives_each_its_own(names: list[str]) -> None:
    space = NameSpace()
    given_out = [space.claim(name) for name in names]
    assert len(set(given_out)) == len(names)
    assert all(len(name.encode()) <= LIMIT_BYTES for name in given_out)


def test_an_index_named_like_a_table_keeps_a_stable_name() -> None:
    first, second = NameSpace(), NameSpace()
    first.claim("a")
    second.claim("a")
    second.claim("unrelated")
    assert first.claim("a", seed="t/index") == second.claim("a", seed="t/index") != "a"


def test_a_given_name_goes_to_its_owner_whoever_asks_first() -> None:
    names = NameSpace(["a_pkey"])
    made_up = names.claim("a_pkey")
    assert made_up != "a_pkey"
    assert names.claim("a_pkey", given=True) == "a_pkey"
    assert names.claim("a_pkey", given=True) not in {"a_pkey", made_up}


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("HTTPServer", "http_server"),
        ("userID", "user_id"),
        ("UserIDs", "user_i_ds"),  # who can tell
        ("Order Details", "order_details"),
        ("order-details", "order_details"),
        ("order_details", "order_details"),
        ("Order__Details_", "order_details"),
        ("a.b", "a_b"),
        ("ABC", "abc"),
        ("A", "a"),
        ("MD5Hash", "md5_hash"),
        ("line2Text", "line2_text"),
        ("address1", "address1"),
        ("2fa", "_2fa"),
        ("2nd Line", "_2nd_line"),
        ("_private", "_private"),
        ("__Private", "_private"),
        ("ÄhreGrün", "ähre_grün"),
        ("ΩmegaΩ", "ωmega_ω"),
        ("名前Id", "名前id"),
        ("e\u0301tatCivil", "e\u0301tat_civil"),
        ("\u0301x", "_\u0301x"),
        ("new\nline", "new_line"),
        ("😀", ""),
        (" ", ""),
        ("___", ""),
        ("", ""),
    ],
)
def test_snake(name: str, snake: str) -> None:
    assert restyle_name(name, "snake") == snake


@pytest.mark.parametrize(
    ("name", "lower"),
    [("userName", "username"), ("Order Details", "order details"), ("ÄRGER", "Ärger"), ("İ", "İ"), ("", "")],
)
def test_lower_is_what_postgresql_makes_of_an_unquoted_name(name: str, lower: str) -> None:
    assert restyle_name(name, "lower") == lower


@given(NAMES)
def test_a_style_changes_nothing_the_second_time(name: str) -> None:
    for style in ("preserve", "lower", "snake"):
        once = restyle_name(name, style)
        assert restyle_name(once, style) == once


@given(NAMES)
def test_snake_leaves_words_and_single_underscores(name: str) -> None:
    made = restyle_name(name, "snake")
    assert "__" not in made
    assert not made.endswith("_")
    assert not made[:1].isdigit()
