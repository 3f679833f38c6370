"""The specification of `locate`: what tomli finds has a place, and the place is the right one."""

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from imagegen.read.locate import KeyPath, Place, Span, line_column, locate

# --- TOML texts of every form ---------------------------------------------------------------------


def joined(*pieces: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.tuples(*pieces).map("".join)


def repeated(piece: SearchStrategy[str], *, at_most: int) -> SearchStrategy[str]:
    return st.lists(piece, max_size=at_most).map("".join)


def weighted(*choices: SearchStrategy[str]) -> SearchStrategy[str]:
    """Choose one, more often if it is named more often; `one_of` would count it once."""
    return st.integers(0, len(choices) - 1).flatmap(choices.__getitem__)


BLANK = st.sampled_from(["", "", " ", "\t", " \t "])
DOT = st.sampled_from([".", ".", " .", ".\t", "  . "])
EQUALS = st.sampled_from(["=", " = ", "\t=", "=  "])
COMMA = st.sampled_from([",", ", ", "\n,\r\n", " # ]\n, # [1]\n"])
SPACE = st.sampled_from(["", "", " ", "\t", "\n", "\r\n  ", " # }\n", '#"""\r\n\n\t# ]\n'])
LINE_END = st.sampled_from(["\n", "\n", "\r\n", " # [a] 'b'\n", '#"""\r\n', "\t# ü = [{\n", "#\n"])

PLAIN = st.sampled_from([*"ab1#=.,[]{} \t", "ü", "\U0001f600"])
ESCAPE = st.sampled_from([r"\"", r"\\", r"\n", r"\e", r"\x41", r"\u00e9", r"\U0001F600"])
BASIC = repeated(PLAIN | ESCAPE | st.just("'"), at_most=4).map('"{}"'.format)
LITERAL = repeated(PLAIN | st.sampled_from(['"', "\\"]), at_most=4).map("'{}'".format)
LONG_PIECE = PLAIN | st.sampled_from(["\n", "\r\n", "'", "''", '"', '""'])
LONG_BASIC_PIECE = LONG_PIECE | ESCAPE | st.sampled_from(["\\\n  ", "\\ \r\n", "'''"])
LONG_BASIC = repeated(LONG_BASIC_PIECE, at_most=5).map('"""{}"""'.format)
LONG_LITERAL_PIECE = LONG_PIECE | st.sampled_from(["\\", '"""'])
LONG_LITERAL = repeated(LONG_LITERAL_PIECE, at_most=5).map("'''{}'''".format)
STRING = BASIC | LITERAL | LONG_BASIC | LONG_LITERAL

NUMBER = st.sampled_from(["0", "+1", "-17", "1_000", "0xBeef", "0o17", "0b10", "1.5", "6e-2"])
WORD = st.sampled_from(["true", "false", "inf", "-inf", "nan", "+nan"])
TIME = st.sampled_from(["07:32", "07:32:00", "00:32:00.99"])
DATE = st.just("1979-05-27")
MOMENT = joined(DATE, st.sampled_from("Tt "), TIME, st.sampled_from(["", "Z", "z", "-07:00"]))
SCALAR = WORD | NUMBER | TIME | DATE | MOMENT | STRING

# Mostly the same few names, spelt in several ways, so that tables meet again.
COMMON_NAME = st.sampled_from(["a", "a", "b", "b", '"a"', "'b'", r'"\u0061"', r'"\x62"'])
STRANGE_NAME = st.sampled_from(
    ["1", "-", "true", "1979-05-27", "''", '""', '"a.b"', "'#'", r'"\""', '"]"', "'\\'", '"=ü"']
)
NAME = weighted(COMMON_NAME, COMMON_NAME, COMMON_NAME, STRANGE_NAME)
DOTTED = joined(NAME, DOT, NAME)
NEW_NAME = st.sampled_from("cdefghijklmnopqrstuvw")
KEY = weighted(NEW_NAME, NAME, DOTTED, joined(DOTTED, DOT, NAME))
TABLE = KEY | st.sampled_from(["x", "x.y", "x . 'y'", "x.y.z", "y", "y.x", "y.x.z"])


def inside(value: SearchStrategy[str]) -> SearchStrategy[str]:
    """Arrays and inline tables of the values; empty ones too, or with a comma at the end."""
    item = joined(SPACE, value, SPACE)
    pair = joined(SPACE, KEY, EQUALS, value, SPACE)
    end = COMMA | SPACE
    items = weighted(SPACE, joined(item, end), joined(item, COMMA, item, end))
    pairs = weighted(SPACE, joined(pair, end), joined(pair, COMMA, pair, end))
    return items.map("[{}]".format) | pairs.map("{{{}}}".format)


VALUE = weighted(SCALAR, st.recursive(SCALAR, inside, max_leaves=5))
PAIR = joined(KEY, EQUALS, VALUE)
HEADER = joined(BLANK, TABLE, BLANK).map("[{}]".format)
DOUBLE_HEADER = joined(BLANK, TABLE, BLANK).map("[[{}]]".format)
STATEMENT = weighted(st.just(""), *[PAIR] * 4, *[HEADER] * 3, *[DOUBLE_HEADER] * 3)
LINE = joined(BLANK, STATEMENT, LINE_END)


def is_toml(text: str) -> bool:
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError:
        return False
    return True


@st.composite
def lines_of_a_document(draw: st.DrawFn) -> list[str]:
    """Lines at random, without those that tomli refuses after the lines before them."""
    lines: list[str] = []
    for line in draw(st.lists(LINE, min_size=5, max_size=20)):
        if is_toml("".join([*lines, line])):
            lines.append(line)
    lacks_last_newline = draw(st.booleans())
    return [*lines[:-1], lines[-1].rstrip("\r\n")] if lines and lacks_last_newline else lines


LINES = lines_of_a_document()
DOCUMENT = LINES.map("".join)
AS_OFTEN_AS_TIME_ALLOWS = settings(max_examples=40, deadline=None)


# --- What tomli knows -----------------------------------------------------------------------------


def values(text: str) -> dict[KeyPath, object]:
    """Every key and item that tomli finds, and its value."""
    found: dict[KeyPath, object] = {(): tomli.loads(text)}
    left: list[KeyPath] = [()]
    while left:
        path = left.pop()
        match found[path]:
            case dict() as table:
                inside = {(*path, key): value for key, value in table.items()}
            case list() as array:
                inside = {(*path, index): value for index, value in enumerate(array)}
            case _:
                continue
        found |= inside
        left += inside
    del found[()]
    return found


def piece(text: str, span: Span) -> str:
    return text[span.start : span.end]


def written(text: str) -> dict[KeyPath, Place]:
    """Select the places with a value of their own: after an equals sign, or an item among them."""
    places = locate(text)

    def is_written(path: KeyPath) -> bool:
        place = places[path]
        if isinstance(path[-1], int):
            return is_written(path[:-1])
        return text[place.key.end : place.value.start].strip(" \t") == "="

    return {path: places[path] for path in places if is_written(path)}


def names(path: KeyPath) -> tuple[str, ...]:
    return tuple(part for part in path if isinstance(part, str))


def named(key: str) -> tuple[str, ...]:
    """Read the names in a dotted key."""
    return names(max(values(f"{key} = 0"), key=len))


# --- What always holds ----------------------------------------------------------------------------


@AS_OFTEN_AS_TIME_ALLOWS
@given(DOCUMENT)
def test_what_tomli_finds_has_a_place_and_nothing_else(text: str) -> None:
    assert locate(text).keys() == values(text).keys()


@AS_OFTEN_AS_TIME_ALLOWS
@given(DOCUMENT)
def test_the_text_in_the_place_of_a_value_is_that_value(text: str) -> None:
    found = values(text)
    for path, place in written(text).items():
        own = piece(text, place.value)
        [value] = tomli.loads(f"x = {own}").values()
        assert repr(value) == repr(found[path])  # repr: nan is nan, 1 is neither 1.0 nor true
        assert own == own.strip()
        assert is_toml(f"x = [{own}]"), "no comment after it"


@AS_OFTEN_AS_TIME_ALLOWS
@given(DOCUMENT)
def test_another_value_put_in_the_place_of_one_is_found_under_its_path(text: str) -> None:
    found = values(text)
    for path, place in written(text).items():
        changed = values(text[: place.value.start] + "'changed'" + text[place.value.end :])
        assert changed[path] == "changed"
        assert changed.keys() == {other for other in found if other[: len(path)] != path} | {path}


@AS_OFTEN_AS_TIME_ALLOWS
@given(DOCUMENT)
def test_the_text_in_the_place_of_a_key_is_that_key(text: str) -> None:
    for path, place in locate(text).items():
        if isinstance(path[-1], str):
            assert named(piece(text, place.key)) == (path[-1],)
        else:
            assert place.key == place.value


@AS_OFTEN_AS_TIME_ALLOWS
@given(DOCUMENT)
def test_a_table_without_a_value_stands_at_the_header_or_dotted_key_that_makes_it(
    text: str,
) -> None:
    places = locate(text)
    for path in places.keys() - written(text).keys():
        key, maker = places[path].key, places[path].value
        assert maker.start <= key.start < key.end <= maker.end
        if text[maker.start] != "[":
            reach = named(text[maker.start : key.end])
            assert names(path)[-len(reach) :] == reach
            assert len(named(piece(text, maker))) > len(reach)
        elif isinstance(path[-1], str):
            assert named(text[maker.start : key.end].lstrip("[")) == names(path)
        else:
            assert named(piece(text, maker)[2:-2]) == names(path)


@AS_OFTEN_AS_TIME_ALLOWS
@given(LINES)
def test_a_key_stands_in_its_own_header_or_else_in_the_line_that_makes_it(lines: list[str]) -> None:
    text = ""
    home: dict[KeyPath, range] = {}
    for line in lines:
        before = values(text)
        here = range(len(text), len(text) + len(line))
        text += line
        after = values(text)
        home |= dict.fromkeys(after.keys() - before.keys(), here)
        if line.lstrip().startswith("[") and not line.lstrip().startswith("[["):
            header = names(max(values(line), key=len))
            home[max(path for path in after if names(path) == header)] = here
    places = locate(text)
    assert not [path for path in home if places[path].key.start not in home[path]]


# --- Exact places ---------------------------------------------------------------------------------


def shown(text: str, span: Span) -> str:
    line, column = line_column(text, span.start)
    return f"{line}:{column} {piece(text, span)}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "a.b = [1, {c = 2}]",
            {
                ("a",): ("1:1 a", "1:1 a.b"),
                ("a", "b"): ("1:3 b", "1:7 [1, {c = 2}]"),
                ("a", "b", 0): ("1:8 1", "1:8 1"),
                ("a", "b", 1): ("1:11 {c = 2}", "1:11 {c = 2}"),
                ("a", "b", 1, "c"): ("1:12 c", "1:16 2"),
            },
            id="a dotted key, an array and an inline table",
        ),
        pytest.param(
            "[ x . 'y' ] # z\nk=1",
            {
                ("x",): ("1:3 x", "1:1 [ x . 'y' ]"),
                ("x", "y"): ("1:7 'y'", "1:1 [ x . 'y' ]"),
                ("x", "y", "k"): ("2:1 k", "2:3 1"),
            },
            id="a header makes its parents",
        ),
        pytest.param(
            "[x.y]\n[x.z]\n  [x]\n",
            {
                ("x",): ("3:4 x", "3:3 [x]"),
                ("x", "y"): ("1:4 y", "1:1 [x.y]"),
                ("x", "z"): ("2:4 z", "2:1 [x.z]"),
            },
            id="its own header is the better place of a table",
        ),
        pytest.param(
            "[x]\n[x.y]\n",
            {("x",): ("1:2 x", "1:1 [x]"), ("x", "y"): ("2:4 y", "2:1 [x.y]")},
            id="a later header does not take the place of an earlier one",
        ),
        pytest.param(
            "[[x]]\n[[x]]\n[x.t]\n[[x.y]]\n[[x.y]]\nz.k = 0\n",
            {
                ("x",): ("1:3 x", "1:1 [[x]]"),
                ("x", 0): ("1:1 [[x]]", "1:1 [[x]]"),
                ("x", 1): ("2:1 [[x]]", "2:1 [[x]]"),
                ("x", 1, "t"): ("3:4 t", "3:1 [x.t]"),
                ("x", 1, "y"): ("4:5 y", "4:1 [[x.y]]"),
                ("x", 1, "y", 0): ("4:1 [[x.y]]", "4:1 [[x.y]]"),
                ("x", 1, "y", 1): ("5:1 [[x.y]]", "5:1 [[x.y]]"),
                ("x", 1, "y", 1, "z"): ("6:1 z", "6:1 z.k"),
                ("x", 1, "y", 1, "z", "k"): ("6:3 k", "6:7 0"),
            },
            id="arrays of tables, one in another",
        ),
        pytest.param(
            "a.b = 1\na . c = 2\n",
            {
                ("a",): ("1:1 a", "1:1 a.b"),
                ("a", "b"): ("1:3 b", "1:7 1"),
                ("a", "c"): ("2:5 c", "2:9 2"),
            },
            id="the first dotted key makes the table",
        ),
        pytest.param(
            r'"a.b".' + "'c\\'" + r'."\u00fc\"" = ""',
            {
                ("a.b",): ('1:1 "a.b"', '1:1 "a.b".' + "'c\\'" + r'."\u00fc\""'),
                ("a.b", "c\\"): ("1:7 'c\\'", '1:1 "a.b".' + "'c\\'" + r'."\u00fc\""'),
                ("a.b", "c\\", 'ü"'): (r'1:12 "\u00fc\""', '1:25 ""'),
            },
            id="quoted keys",
        ),
        pytest.param(
            'a = """\n]"" \\""" # """"" # "\nb = 1',
            {("a",): ("1:1 a", '1:5 """\n]"" \\""" # """""'), ("b",): ("3:1 b", "3:5 1")},
            id="a long string that ends in two quotes of its own",
        ),
        pytest.param(
            "a = '''\r\n''\\'''' # '\nb = ''",
            {("a",): ("1:1 a", "1:5 '''\r\n''\\''''"), ("b",): ("3:1 b", "3:5 ''")},
            id="a long literal string that ends in a quote of its own",
        ),
        pytest.param(
            "a = {\n  b = 1, # }\n  c.d = [\n    # ]\n    2,\n  ],\n}\n",
            {
                ("a",): ("1:1 a", "1:5 {\n  b = 1, # }\n  c.d = [\n    # ]\n    2,\n  ],\n}"),
                ("a", "b"): ("2:3 b", "2:7 1"),
                ("a", "c"): ("3:3 c", "3:3 c.d"),
                ("a", "c", "d"): ("3:5 d", "3:9 [\n    # ]\n    2,\n  ]"),
                ("a", "c", "d", 0): ("5:5 2", "5:5 2"),
            },
            id="an inline table of TOML 1.1",
        ),
        pytest.param(
            "1.2 = 1.2\nt = [1979-05-27 07:32, 07:32:00,-inf]#",
            {
                ("1",): ("1:1 1", "1:1 1.2"),
                ("1", "2"): ("1:3 2", "1:7 1.2"),
                ("t",): ("2:1 t", "2:5 [1979-05-27 07:32, 07:32:00,-inf]"),
                ("t", 0): ("2:6 1979-05-27 07:32", "2:6 1979-05-27 07:32"),
                ("t", 1): ("2:24 07:32:00", "2:24 07:32:00"),
                ("t", 2): ("2:33 -inf", "2:33 -inf"),
            },
            id="numbers and times, and keys that look like them",
        ),
        pytest.param(
            "# ü\r\n\r\n\ta = true \r\n[b]\r\n",
            {("a",): ("3:2 a", "3:6 true"), ("b",): ("4:2 b", "4:1 [b]")},
            id="carriage returns, and characters of more than a byte",
        ),
        pytest.param(
            "[[a.b]]\n[a]\nc = [[], {}]",
            {
                ("a",): ("2:2 a", "2:1 [a]"),
                ("a", "b"): ("1:5 b", "1:1 [[a.b]]"),
                ("a", "b", 0): ("1:1 [[a.b]]", "1:1 [[a.b]]"),
                ("a", "c"): ("3:1 c", "3:5 [[], {}]"),
                ("a", "c", 0): ("3:6 []", "3:6 []"),
                ("a", "c", 1): ("3:10 {}", "3:10 {}"),
            },
            id="an array of tables in a table whose header comes later",
        ),
        pytest.param(
            "a = 1#2\nb = [0x1#]\n]",
            {
                ("a",): ("1:1 a", "1:5 1"),
                ("b",): ("2:1 b", "2:5 [0x1#]\n]"),
                ("b", 0): ("2:6 0x1", "2:6 0x1"),
            },
            id="comments without a blank before them",
        ),
        pytest.param("", {}, id="nothing"),
        pytest.param(" # nothing = 1", {}, id="nothing but a comment"),
    ],
)
def test_places_are_exact(text: str, expected: dict[KeyPath, tuple[str, str]]) -> None:
    places = locate(text)
    assert {
        path: (shown(text, place.key), shown(text, place.value)) for path, place in places.items()
    } == expected


def test_offsets_count_characters_from_the_start_of_the_text() -> None:
    assert locate("\n'ü' = 1") == {("ü",): Place(Span(1, 4), Span(7, 8))}


def test_nesting_as_deep_as_tomli_allows_is_no_trouble() -> None:
    deepest = "x = " + "[{a = " * 200 + "0" + "}]" * 200
    tomli.loads(deepest)
    assert max(map(len, locate(deepest))) == 401


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        pytest.param("", 0, (1, 1), id="nothing"),
        pytest.param("ab", 1, (1, 2), id="first line"),
        pytest.param("ab", 2, (1, 3), id="after the last character"),
        pytest.param("a\nb", 1, (1, 2), id="the line feed ends its line"),
        pytest.param("a\r\nb\r\nc", 6, (3, 1), id="carriage returns"),
        pytest.param("ü\U0001f600x", 2, (1, 3), id="characters, not bytes"),
        pytest.param("a\u2028b\x0bc", 4, (1, 5), id="only line feeds make lines"),
    ],
)
def test_lines_and_columns_count_from_one(
    text: str, offset: int, expected: tuple[int, int]
) -> None:
    assert line_column(text, offset) == expected
