"""Files in memory: their modes, and the digest that identifies a tree."""

from pathlib import Path, PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from imagegen.tree import Entry, File, Link, Tree, digest, text

NAMES = st.text(alphabet="ab/\n .", min_size=1, max_size=4).filter(lambda n: n.strip("/.") != "")
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Link, NAMES),
    st.builds(File, st.binary(max_size=3), st.booleans()),
)
TREES: st.SearchStrategy[Tree] = st.dictionaries(NAMES.map(PurePosixPath), ENTRIES, max_size=3)


def test_a_mode_is_one_of_two() -> None:
    assert text("x").mode == 0o644
    assert text("x", executable=True).mode == 0o755


def test_a_file_of_the_user_is_as_good_as_its_content(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_bytes(b"content\n")
    assert File(own).read() == b"content\n"
    assert File(own).digest() == text("content\n").digest()
    assert digest({PurePosixPath("a"): File(own)}) == digest(
        {PurePosixPath("a"): text("content\n")}
    )


def test_the_digest_does_not_depend_on_the_order_of_a_tree() -> None:
    a, b = PurePosixPath("a"), PurePosixPath("b")
    assert digest({a: text("1"), b: text("2")}) == digest({b: text("2"), a: text("1")})


def test_a_line_break_in_a_name_makes_no_two_trees_alike() -> None:
    one: Tree = {PurePosixPath("a"): Link("x\nb"), PurePosixPath("c"): text("1")}
    two: Tree = {PurePosixPath("a"): Link("x"), PurePosixPath("b\nc"): text("1")}
    assert digest(one) != digest(two)


@given(TREES, TREES)
def test_two_trees_have_one_digest_only_if_they_are_equal(one: Tree, two: Tree) -> None:
    assert (digest(one) == digest(two)) == (one == two)
