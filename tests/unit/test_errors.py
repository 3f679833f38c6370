"""How a problem looks on a terminal: the caret stands right, and nothing there obeys the file."""

import unicodedata

import pytest

from imagegen.errors import (
    BlueprintError,
    BuildFailed,
    EngineError,
    ImagegenError,
    OutOfDate,
    Problem,
    UsageError,
    quoted,
    visible,
)


def shown(text: str, mark: str, width: int | None = None) -> list[str]:
    """Complain about `mark` in a line, and give the excerpt."""
    start = text.index(mark)
    problem = Problem("b.toml", 7, start + 1, "is wrong", text, width or len(mark))
    head, *excerpt = str(problem).split("\n")
    assert head == f"b.toml:7:{start + 1}: is wrong"
    return excerpt


def test_the_caret_stands_under_what_is_wrong() -> None:
    assert shown("port = 70000", "70000") == [
        "    port = 70000",
        "           ^^^^^",
    ]


def test_tabs_stay_tabs_so_that_the_caret_stands_right_at_any_width() -> None:
    assert shown("\tport\t= 70000", "70000") == [
        "    \tport\t= 70000",
        "    \t    \t  ^^^^^",
    ]


def test_a_wide_character_takes_two_columns() -> None:
    assert shown("a = ['日本', 'é語', x]", "'é語'") == [
        "    a = ['日本', 'é語', x]",
        "                 ^^^^^",
    ]


def test_a_combining_character_takes_none() -> None:
    assert shown("a = 'cafe\u0301', नमस्ते = x", "x") == [
        "    a = 'cafe\u0301', नमस्ते = x",
        "                       ^",
    ]


def test_the_mark_of_a_combining_character_can_be_seen() -> None:
    assert shown("e\u0301", "\u0301") == ["    e\u0301", "     ^"]


def test_a_mark_may_stand_after_the_end_of_the_line() -> None:
    problem = Problem("b.toml", 1, 4, "is wrong", "x =", 1)
    assert str(problem) == "b.toml:1:4: is wrong\n    x =\n       ^"


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x00", r"\x00"),
        ("\r", r"\r"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202e", r"\u202e"),
        ("\u200b", r"\u200b"),
        ("\u2028", r"\u2028"),
        ("\U000e0041", r"\U000e0041"),
        ("\udc80", r"\udc80"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_shown_as_an_escape(hidden: str, seen: str) -> None:
    text, caret = shown(f"a{hidden}b = x", "x")
    assert text == f"    a{seen}b = x"
    assert text.index("x", len(seen) + 5) == caret.index("^")


def test_no_control_character_gets_onto_the_terminal() -> None:
    everything = "".join(
        chr(code)
        for code in range(0x11000)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp") and chr(code) != "\n"
    )
    said = str(Problem(f"{everything}.toml", 1, 1, "is wrong", everything, len(everything)))
    left = {c for c in said if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029"}
    assert left <= {"\n", "\t"}


def test_the_name_of_a_file_writes_no_line_of_its_own() -> None:
    assert str(Problem("a\nb.toml", 0, 0, "no such file")) == r"a\nb.toml: no such file"


def test_a_problem_of_a_whole_file_has_no_excerpt() -> None:
    assert str(Problem("b.toml", 0, 0, "is empty")) == "b.toml: is empty"


def test_of_a_long_line_the_part_around_the_mark_is_shown() -> None:
    text, caret = shown("a" * 500 + " = [" + "b" * 500 + "]", " = ")
    assert text == "    …" + "a" * 30 + " = [" + "b" * 64 + "…"
    assert caret == "    " + " " * 31 + "^^^"


def test_a_long_value_is_underlined_as_far_as_it_is_shown() -> None:
    text, caret = shown("x = '" + "日" * 1000 + "'", "'" + "日" * 1000 + "'")
    assert text == "    x = '" + "日" * 47 + "…"
    assert caret == "        " + "^" * 96


def test_a_line_that_just_fits_is_shown_whole() -> None:
    assert shown("x" * 100, "x" * 100) == ["    " + "x" * 100, "    " + "^" * 100]


def test_problems_are_told_in_reading_order_each_once() -> None:
    error = BlueprintError(
        [
            Problem("b.toml", 10, 1, "last"),
            Problem("b.toml", 2, 9, "second"),
            Problem("b.toml", 2, 3, "first"),
            Problem("b.toml", 2, 9, "second"),
            Problem("b.toml", 0, 0, "of all"),
        ]
    )
    assert [problem.message for problem in error.problems] == ["of all", "first", "second", "last"]


def test_of_many_problems_at_one_place_the_first_are_told() -> None:
    error = BlueprintError(Problem("b.toml", 2, 9, f"{n} is wrong") for n in range(9))
    assert [problem.message for problem in error.problems] == [
        "0 is wrong",
        "1 is wrong",
        "2 is wrong (and 6 more like this)",
    ]


def test_all_problems_of_a_whole_file_are_told() -> None:
    error = BlueprintError(Problem("b.toml", 0, 0, f"{n} is missing") for n in range(9))
    assert len(error.problems) == 9


def test_of_thousands_of_problems_the_first_are_told_and_the_others_counted() -> None:
    error = BlueprintError(Problem("b.toml", n, 1, "wrong") for n in range(1, 1001))
    assert [p.line for p in error.problems] == [*range(1, 301)]
    assert error.more == 700


def test_a_quoted_value_is_visible_and_short() -> None:
    assert quoted("a\n" + "b" * 100) == '"a' + r"\n" + "b" * 57 + '…"'


def test_visible_text_stays_as_it_is() -> None:
    assert visible("é 日本 \U0001f600 \\n") == "é 日本 \U0001f600 \\n"


def test_every_kind_of_failure_has_an_exit_code_of_its_own() -> None:
    kinds = (ImagegenError, UsageError, BlueprintError, OutOfDate, EngineError, BuildFailed)
    assert [kind.exit_code for kind in kinds] == [1, 2, 3, 4, 5, 6]
