"""Writing folders: whole or not at all, and never over somebody else's files."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from imagegen.act.folder import EPOCH, NotOurs, lay, write
from imagegen.errors import ImagegenError
from imagegen.tree import MANIFEST, Entry, File, Link, Tree, text


def tree(**entries: Entry | str) -> Tree:
    """A tree in a line; double underscores are slashes."""
    return {
        PurePosixPath(name.replace("__", "/")): text(entry) if isinstance(entry, str) else entry
        for name, entry in entries.items()
    }


OLD = tree(a="old\n", b__c="old c\n")
NEW = tree(a="new\n", d=text("#!/bin/sh\n", executable=True), e__link=Link("../a"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The folder of the blueprint."""
    made = tmp_path / "source"
    made.mkdir()
    return made


@pytest.fixture
def out(tmp_path: Path, source: Path) -> Path:
    """A folder that imagegen wrote before: OLD."""
    made = tmp_path / "out"
    assert write(OLD, made, source=source)
    return made


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}"
        if path.is_symlink()
        else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
        if path.name != MANIFEST
    }


def beside(folder: Path) -> set[str]:
    """What lies beside a folder: nothing may be left there."""
    return {path.name for path in folder.parent.iterdir()} - {folder.name, "source"}


# --- what is written ------------------------------------------------------------------------------


def test_the_folder_holds_exactly_the_tree(out: Path, source: Path) -> None:
    assert write(NEW, out, source=source)
    assert content(out) == {"a": "new\n", "d": "#!/bin/sh\n", "e/link": "-> ../a"}
    assert beside(out) == set()


def test_folders_above_are_made(tmp_path: Path, source: Path) -> None:
    assert write(OLD, tmp_path / "x" / "y", source=source)
    assert content(tmp_path / "x" / "y") == {"a": "old\n", "b/c": "old c\n"}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_and_times_do_not_depend_on_umask_and_clock(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        lay(NEW, tmp_path / "new")
    finally:
        os.umask(before)
    paths = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in paths if not p.is_symlink()}
    assert modes == {"new": 0o755, "a": 0o644, "d": 0o755, "e": 0o755}
    assert {int(path.lstat().st_mtime) for path in paths} == {EPOCH}


def test_what_has_changed_has_another_time_for_builders_that_look_at_it_and_the_size(
    tmp_path: Path,
) -> None:
    times = []
    for number, content in enumerate(["x = 1\n", "x = 2\n", "x = 1\n"]):
        lay({PurePosixPath("file"): text(content)}, tmp_path / str(number))
        times.append((tmp_path / str(number) / "file").stat().st_mtime_ns)
    assert times[0] == times[2] != times[1]


def test_a_file_of_the_user_is_copied_with_the_mode_of_the_tree(
    tmp_path: Path, source: Path
) -> None:
    own = source / "own"
    own.write_text("own\n")
    own.chmod(0o600)
    write(tree(x=File(own, executable=True)), tmp_path / "out", source=source)
    assert (tmp_path / "out" / "x").read_text() == "own\n"
    assert stat.S_IMODE((tmp_path / "out" / "x").stat().st_mode) == 0o755


def test_what_is_up_to_date_is_not_touched(out: Path, source: Path) -> None:
    before = out.stat().st_ino
    assert not write(OLD, out, source=source)
    assert out.stat().st_ino == before


@pytest.mark.parametrize("lost", ["a", MANIFEST])
def test_what_is_missing_comes_back(out: Path, source: Path, lost: str) -> None:
    (out / lost).unlink()
    assert write(OLD, out, source=source, overwrite=lost == MANIFEST)
    assert content(out) == {"a": "old\n", "b/c": "old c\n"}
    assert not write(OLD, out, source=source)


def test_an_empty_folder_may_be_there(tmp_path: Path, source: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert write(OLD, tmp_path / "empty", source=source)
    assert content(tmp_path / "empty") == {"a": "old\n", "b/c": "old c\n"}


# --- what is not ours -----------------------------------------------------------------------------


def test_foreign_files_are_not_touched(out: Path, source: Path) -> None:
    (out / "notes").write_text("mine")
    with pytest.raises(NotOurs, match=r"holds files not written by imagegen: notes\n.*--overwrite"):
        write(NEW, out, source=source)
    assert content(out)["a"] == "old\n"
    assert content(out)["notes"] == "mine"


def test_of_many_foreign_files_a_few_are_named(tmp_path: Path, source: Path) -> None:
    (tmp_path / "full").mkdir()
    for number in range(5):
        (tmp_path / "full" / str(number)).touch()
    with pytest.raises(NotOurs, match="0, 1, 2 and 2 more"):
        write(NEW, tmp_path / "full", source=source)


def edit(path: Path) -> None:
    path.write_text("mine")


def open_up(path: Path) -> None:
    path.chmod(0o755)


def make_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [edit, open_up, make_link, make_pipe])
def test_files_changed_by_hand_are_not_touched(
    out: Path, source: Path, change: Callable[[Path], None]
) -> None:
    change(out / "a")
    before = (out / "a").lstat().st_ino
    with pytest.raises(NotOurs, match="holds files changed since: a\n"):
        write(NEW, out, source=source)
    assert (out / "a").lstat().st_ino == before


def test_overwrite_replaces_everything(out: Path, source: Path) -> None:
    (out / "a").write_text("mine")
    (out / "notes").write_text("mine")
    assert write(NEW, out, source=source, overwrite=True)
    assert content(out) == {"a": "new\n", "d": "#!/bin/sh\n", "e/link": "-> ../a"}


def test_a_broken_manifest_makes_all_files_foreign(out: Path, source: Path) -> None:
    (out / MANIFEST).write_text("[]")
    with pytest.raises(NotOurs, match="not written by imagegen: a, b/c"):
        write(NEW, out, source=source)


def test_an_output_that_is_a_file_is_refused(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotOurs, match="is no folder"):
        write(OLD, tmp_path / "file", source=source, overwrite=True)
    assert (tmp_path / "file").read_text() == "mine"


def test_an_output_that_is_a_link_is_refused(out: Path, source: Path) -> None:
    link = out.parent / "link"
    link.symlink_to(out)
    with pytest.raises(NotOurs, match="is a link"):
        write(NEW, link, source=source, overwrite=True)
    assert link.is_symlink()
    assert content(out)["a"] == "old\n"


def test_a_link_on_the_way_is_fine(out: Path, source: Path) -> None:
    link = out.parent / "link"
    link.symlink_to(out.parent)
    assert write(NEW, link / "out", source=source)
    assert content(out)["a"] == "new\n"


@pytest.mark.parametrize("above", [".", ".."])
def test_the_blueprint_itself_is_never_replaced(tmp_path: Path, source: Path, above: str) -> None:
    (source / "blueprint.toml").write_text("blueprint = 1")
    with pytest.raises(NotOurs, match="the blueprint lies in it"):
        write(OLD, source / above, source=source, overwrite=True)
    assert (tmp_path / "source" / "blueprint.toml").read_text() == "blueprint = 1"


def test_nobody_loses_the_folder_they_are_in(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    for output in (Path(), Path("..")):
        with pytest.raises(NotOurs, match="you are in it"):
            write(OLD, output, source=source, overwrite=True)


# --- when it fails in the middle ------------------------------------------------------------------


def failing(error: BaseException, after: int) -> Callable[[Path, Path], None]:
    """A stand-in for shutil.copyfile that fails at the given call."""
    calls: Iterator[int] = iter(range(after + 1))

    def copyfile(source: Path, target: Path) -> None:
        if next(calls) == after:
            raise error
        Path(target).write_bytes(Path(source).read_bytes())

    return copyfile


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "out: can't be written: No space left"),
        (PermissionError(13, "Permission denied", "/own"), "written: /own: Permission denied"),
    ],
    ids=["disk full", "unreadable"],
)
def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    out: Path, source: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    own = source / "own"
    own.write_text("own")
    monkeypatch.setattr(shutil, "copyfile", failing(error, after=1))
    with pytest.raises(ImagegenError, match=said):
        write(tree(a=File(own), b=File(own), c="c"), out, source=source)
    assert content(out) == {"a": "old\n", "b/c": "old c\n"}
    assert beside(out) == set()


def test_a_disk_that_is_really_full(
    out: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "own").write_text("own")
    copyfile = shutil.copyfile

    def to_full_disk(own: Path, target: Path) -> None:
        target.symlink_to("/dev/full")
        copyfile(own, target)

    monkeypatch.setattr(shutil, "copyfile", to_full_disk)
    with pytest.raises(ImagegenError, match="No space left on device"):
        write(tree(a="x", b=File(source / "own")), out, source=source)
    assert content(out) == {"a": "old\n", "b/c": "old c\n"}
    assert beside(out) == set()


@pytest.mark.parametrize("step", [1, 2], ids=["putting the old away", "putting the new there"])
@pytest.mark.parametrize("error", [OSError(errno.EBUSY, "busy"), KeyboardInterrupt()], ids=repr)
def test_a_failure_at_the_very_end_brings_the_old_folder_back(
    out: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    error: BaseException,
) -> None:
    rename, calls = Path.rename, iter(range(1, 10))

    def failing_rename(self: Path, target: Path) -> Path:
        if next(calls) == step:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing_rename)
    with pytest.raises((ImagegenError, KeyboardInterrupt)):
        write(NEW, out, source=source)
    assert content(out) == {"a": "old\n", "b/c": "old c\n"}
    assert beside(out) == set()


def test_an_interrupt_after_the_first_rename_brings_the_old_folder_back(
    out: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, calls = Path.rename, iter(range(1, 10))

    def interrupted(self: Path, target: Path) -> Path:
        renamed = rename(self, target)
        if next(calls) == 1:
            raise KeyboardInterrupt
        return renamed

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(NEW, out, source=source)
    assert content(out) == {"a": "old\n", "b/c": "old c\n"}
    assert beside(out) == set()


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImagegenError, match=r"can't be written: .*/file: File exists"):
        write(OLD, tmp_path / "file" / "out", source=source)


def test_laying_into_a_full_disk_is_a_failure_of_the_user_s_machine(tmp_path: Path) -> None:
    with pytest.raises(ImagegenError, match="can't be written"):
        lay(OLD, tmp_path / "nowhere" / "out")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "[" * 100_000,
        '{"Dockerfile": [1]}',
        '["Dockerfile"]',
        '{"Dockerfile": null, "x": {}}',
        "\udcff",
    ],
    ids=["pipe", "deep", "list for a mark", "list", "null", "no text"],
)
def test_a_manifest_that_imagegen_did_not_write_counts_as_none(
    tmp_path: Path, source: Path, content: str | None
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM theirs\n")
    if content is None:
        os.mkfifo(folder / MANIFEST)
    else:
        (folder / MANIFEST).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(NotOurs):
        write(NEW, folder, source=source)
    assert (folder / "Dockerfile").read_text() == "FROM theirs\n"
