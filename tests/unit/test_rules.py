"""The rules of the language, by their numbers; each test fails when its rule is broken.

What is said of a mistake is in tests/problems; how layers merge in detail is in test_layers.py.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import tomli

from imagegen.errors import BlueprintError
from imagegen.language import Blueprint
from imagegen.plan import plan
from imagegen.read import Variant, read
from imagegen.read.notes import notes
from imagegen.read.parts import ready_made
from imagegen.render import by_folder
from imagegen.tree import File, Tree

TOP = Path(__file__).parents[2]
Write = Callable[..., Path]

WEB = 'users.web.uid = 1200\nservices.web.run = "web"\n'
PART = "blueprint = 1\n"


def one(path: Path) -> Blueprint:
    [variant] = read(path)
    return variant.blueprint


def said(path: Path) -> str:
    with pytest.raises(BlueprintError) as caught:
        read(path)
    return str(caught.value)


def trees(path: Path) -> Mapping[PurePosixPath, Tree]:
    return {folder: one.tree for folder, one in by_folder(plan(read(path))).items()}


def content(tree: Tree, path: str) -> bytes:
    entry = tree[PurePosixPath(path)]
    assert isinstance(entry, File)
    return entry.read()


# --- 1. Order: tables have none, lists have -------------------------------------------------------


@pytest.mark.parametrize("example", ["hello", "overwatch"])
def test_rule_1_moving_a_table_changes_no_byte(example: str, tmp_path: Path) -> None:
    path = tmp_path / example / "blueprint.toml"
    shutil.copytree(TOP / "examples" / example, path.parent)
    top, *tables = re.split(r"^(?=\[)", path.read_text(), flags=re.MULTILINE)
    grouped: dict[str, str] = {}  # items of an array of tables keep their order
    for table in tables:
        header = table.split("]")[0].lstrip("[").split(".")[0]
        grouped[header] = grouped.get(header, "") + table
    assert len(grouped) > 5
    moved = top + "\n".join(reversed(grouped.values()))
    assert tomli.loads(moved) == tomli.loads(path.read_text())
    before = trees(path)
    path.write_text(moved)
    assert trees(path) == before


def test_rule_1_moving_an_item_of_a_list_changes_the_order(blueprint: Write) -> None:
    steps = ['{ run = "a" }', '{ run = "b" }']
    found = []
    for order in (steps, steps[::-1]):
        read_so = one(blueprint(f"steps = [{', '.join(order)}]\n"))
        found.append([step.run for step in read_so.steps])
    assert found == [["a", "b"], ["b", "a"]]


# --- 2. Bare values and alternatives --------------------------------------------------------------


def test_rule_2_a_bare_value_is_its_table_before_anything_merges(blueprint: Write) -> None:
    part = PART + 'ports.web = { port = 80, publish = 8080 }\nservices.web = "old"\n'
    text = 'extends = ["part.toml"]\nports.web = 81\nservices.web = { stop-timeout = "5s" }\n'
    found = one(blueprint(text + "users.web.uid = 1\n", {"part.toml": part}))
    assert (found.ports["web"].port, found.ports["web"].publish) == (81, "8080")
    assert (found.services["web"].run, found.services["web"].stop_timeout) == ("old", "5s")


def test_rule_2_an_upper_choice_drops_the_lower(blueprint: Write) -> None:
    part = PART + 'files."/a" = { text = "x", mode = "0600" }\n'
    text = 'extends = ["part.toml"]\nfiles."/a".link = "/b"\nremove = [\'files."/a".mode\']\n'
    found = one(blueprint(text, {"part.toml": part})).files["/a"]
    assert (found.text, found.link, found.mode) == (None, "/b", None)


def test_rule_2_two_choices_of_one_layer_are_an_error(blueprint: Write) -> None:
    assert "only one of `text` and `link`" in said(
        blueprint('files."/a" = { text = "x", link = "/b" }\n')
    )


# --- 3. Merge -------------------------------------------------------------------------------------


def test_rule_3_tables_merge_and_of_scalars_and_lists_the_upper_wins(blueprint: Write) -> None:
    part = PART + 'env = { A = "part", B = "part" }\npackages.apt = ["a", "b"]\n'
    text = 'extends = ["part.toml"]\nenv = { B = "file", C = "file" }\npackages.apt = ["c"]\n'
    found = one(blueprint(text, {"part.toml": part}))
    assert {k: v.default for k, v in found.env.items()} == {"A": "part", "B": "file", "C": "file"}
    assert found.packages.apt.install == ("c",)


def test_rule_3_dots_stand_for_the_list_below_through_all_layers(blueprint: Write) -> None:
    files = {
        "low.toml": PART + 'packages.apt = ["a"]\n',
        "high.toml": PART + 'extends = ["low.toml"]\npackages.apt = ["b", "..."]\n',
    }
    text = 'extends = ["high.toml"]\npackages.apt = ["...", "c"]\n'
    assert one(blueprint(text, files)).packages.apt.install == ("b", "a", "c")


def test_rule_3_dots_without_a_list_below_are_an_error_of_the_file(blueprint: Write) -> None:
    assert "there is none" in said(blueprint('packages.apt = ["...", "c"]\n'))
    text = 'extends = ["part.toml"]\npackages.apt = ["...", "c"]\n'
    assert "there is none" in said(blueprint(text, {"part.toml": PART + 'env.A = "1"\n'}))


def test_rule_3_in_a_part_dots_may_stand_for_nothing(blueprint: Write) -> None:
    part = PART + 'packages.apt = ["...", "a"]\n'
    text = 'extends = ["part.toml"]\n'
    assert one(blueprint(text, {"part.toml": part})).packages.apt.install == ("a",)


def test_rule_3_an_item_whose_name_exists_below_merges_in_its_place(blueprint: Write) -> None:
    part = PART + 'steps = [{ name = "a", run = "1" }, { name = "b", run = "2" }]\n'
    text = 'extends = ["part.toml"]\nsteps = [{ run = "3" }, { name = "a", user = "daemon" }]\n'
    text += "users.daemon.uid = 1\n"
    steps = one(blueprint(text, {"part.toml": part})).steps
    assert [(step.name, step.run, step.user) for step in steps] == [
        ("a", "1", "daemon"),
        ("b", "2", None),
        (None, "3", None),
    ]


# --- 4. remove ------------------------------------------------------------------------------------

BELOW = (
    PART
    + """
users.db.uid = 27
container.user = "db"
services.db = { run = "db", health.tcp = "localhost:1" }
files."/etc/x" = { text = "x" }
files."/etc/y" = { text = "y" }
steps = [{ name = "jdk", run = "1", env.A = "1" }, { name = "app", run = "2" }]
packages.apt = ["a"]
"""
)


def test_rule_4_remove_takes_out_what_lies_below_before_the_file_is_laid(blueprint: Write) -> None:
    text = """\
extends = ["part.toml"]
remove = ["services.db", "container.user", "users.db", 'files."/etc/x"', "steps.jdk", "packages"]
services.db.start.run = "start"
services.db.stop = "stop"
services.db.match = "db"
users.web.uid = 1200
"""
    found = one(blueprint(text, {"part.toml": BELOW}))
    assert (found.services["db"].run, found.services["db"].health) == (None, None)
    assert list(found.users) == ["web"]
    assert list(found.files) == ["/etc/y"]
    assert [step.name for step in found.steps] == ["app"]
    assert found.packages.apt.install == ()


def test_rule_4_remove_reaches_into_a_step_by_its_name(blueprint: Write) -> None:
    text = 'extends = ["part.toml"]\nremove = ["steps.jdk.env.A", "services.db.health"]\n'
    found = one(blueprint(text, {"part.toml": BELOW}))
    assert [dict(step.env) for step in found.steps] == [{}, {}]
    assert found.services["db"].health is None


def test_rule_4_remove_in_a_part_acts_on_the_parts_below_it(blueprint: Write) -> None:
    files = {
        "low.toml": PART + 'env = { A = "1", B = "1" }\n',
        "middle.toml": PART + 'remove = ["env.A"]\n',
        "high.toml": PART + 'env.C = "1"\n',
    }
    text = 'extends = ["low.toml", "middle.toml", "high.toml"]\n'
    assert list(one(blueprint(text, files)).env) == ["B", "C"]


def test_rule_4_remove_in_an_override_acts_on_what_lies_below_the_entry(blueprint: Write) -> None:
    text = """\
env = { A = "file", B = "file" }
matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}" }
override = [
  { when.lang = "fr", remove = ["env.A"], env.C = "first" },
  { when.lang = "fr", remove = ["env.C"], env.D = "second" },
]
"""
    english, french = read(blueprint(text))
    assert list(english.blueprint.env) == ["A", "B"]
    assert list(french.blueprint.env) == ["B", "D"]


def test_rule_4_remove_acts_on_what_an_own_base_brings(blueprint: Write) -> None:
    base = 'blueprint = 1\nimage = { name = "base", base = "debian:bookworm-slim" }\n'
    base += WEB + 'services.db.run = "db"\n'
    text = 'blueprint = 1\nremove = ["services.db"]\n'
    text += 'image = { name = "top", base.blueprint = "base.toml" }\n'
    path = blueprint("", {"base.toml": base, "top.toml": text}).with_name("top.toml")
    assert list(one(path).services) == ["web"]
    [(_, base_tree), (_, top_tree)] = trees(path).items()
    assert any("services/db" in str(path) for path in base_tree)
    assert b"rm -f" in content(top_tree, "Dockerfile")


def test_rule_4_a_path_that_is_not_there_is_an_error_with_a_hint(blueprint: Write) -> None:
    text = 'extends = ["part.toml"]\nremove = ["services.dbb"]\n'
    complaint = said(blueprint(text, {"part.toml": BELOW}))
    assert 'remove[0]: there is no "dbb" in services below this file' in complaint
    assert "did you mean db?" in complaint


# --- 5. extends -----------------------------------------------------------------------------------


def test_rule_5_parts_lie_left_to_right_and_the_file_on_top(blueprint: Write) -> None:
    files = {
        "a.toml": PART + 'env = { A = "a", B = "a", C = "a" }\n',
        "b.toml": PART + 'env = { B = "b", C = "b" }\n',
    }
    found = one(blueprint('extends = ["a.toml", "b.toml"]\nenv.C = "file"\n', files))
    assert [v.default for v in found.env.values()] == ["a", "b", "file"]


def test_rule_5_parts_may_extend_parts_by_paths_of_their_own(blueprint: Write) -> None:
    files = {
        "parts/a.toml": PART + 'extends = ["deep/b.toml"]\nenv.A = "a"\n',
        "parts/deep/b.toml": PART + 'env = { A = "b", B = "b" }\n',
    }
    found = one(blueprint('extends = ["parts/a.toml"]\n', files))
    assert {k: v.default for k, v in found.env.items()} == {"A": "a", "B": "b"}


def test_rule_5_a_part_reached_twice_lies_where_it_was_reached_first(blueprint: Write) -> None:
    files = {
        "low.toml": PART + 'env.A = "low"\npackages.apt = ["...", "low"]\n',
        "a.toml": PART + 'extends = ["low.toml"]\nenv.A = "a"\n',
        "b.toml": PART + 'extends = ["./low.toml"]\nenv.B = "b"\n',
    }
    found = one(blueprint('extends = ["a.toml", "b.toml"]\n', files))
    assert {k: v.default for k, v in found.env.items()} == {"A": "a", "B": "b"}
    assert found.packages.apt.install == ("low",)


def test_rule_5_completeness_is_checked_after_that(blueprint: Write) -> None:
    files = {"half.toml": PART + 'services.web.stop-timeout = "5s"\nimage.version = "1"\n'}
    assert one(blueprint('extends = ["half.toml"]\n' + WEB, files)).image.version == "1"
    assert "needs `run`" in said(blueprint('extends = ["half.toml"]\n', files))


def test_rule_5_every_error_names_the_file_that_wrote_the_value(blueprint: Write) -> None:
    files = {"parts/p.toml": PART + "\nports.web = 70000\n"}
    assert "parts/p.toml:3:13: ports.web:" in said(
        blueprint('extends = ["parts/p.toml"]\nports.web.publish = 80\n', files)
    )


def test_rule_5_own_files_of_a_part_are_beside_it(blueprint: Write) -> None:
    files = {
        "parts/p.toml": PART
        + 'args.which = "one"\nfiles."/etc/x".file = "conf/{{ which }}.conf"\n'
        + 'steps = [{ copy = ["conf"], to = "/c" }]\nvolumes.v = { path = "/v", source = "./v" }\n',
        "parts/conf/one.conf": "one\n",
    }
    path = blueprint('extends = ["parts/p.toml"]\n' + WEB, files)
    [tree] = trees(path).values()
    assert content(tree, "files/etc/x") == b"one\n"
    assert any(path.name == "one.conf" for path in tree)
    [planned] = plan(read(path))
    assert planned.volumes[0].source == str(path.resolve().parent / "parts" / "v")


def test_rule_5_own_files_of_a_part_are_beside_what_a_link_to_it_leads_to(
    blueprint: Write, tmp_path: Path
) -> None:
    shared = tmp_path / "shared {{ x }}"
    shared.mkdir()
    (shared / "p.toml").write_text(PART + 'files."/etc/x".file = "x.conf"\n')
    (shared / "x.conf").write_text("x\n")
    path = blueprint('extends = ["p.toml"]\n' + WEB)
    (path.parent / "p.toml").symlink_to(shared / "p.toml")
    [tree] = trees(path).values()
    assert content(tree, "files/etc/x") == b"x\n"


def test_rule_5_a_part_may_stand_on_an_own_base_of_its_own_folder(blueprint: Write) -> None:
    base = 'blueprint = 1\nimage = { name = "base", base = "debian:bookworm-slim" }\n' + WEB
    files = {
        "parts/p.toml": PART + 'image.base.blueprint = "../base.toml"\n',
        "base.toml": base,
        "top.toml": 'blueprint = 1\nextends = ["parts/p.toml"]\nimage.name = "top"\n',
    }
    [variant] = read(blueprint("", files).with_name("top.toml"))
    assert variant.base
    assert variant.base.blueprint.image.name == "base"


def test_rule_5_overrides_of_parts_come_before_those_of_the_file(blueprint: Write) -> None:
    part = PART + 'env = { A = "part", B = "part" }\n'
    part += 'override = [{ when.lang = "en", env = { A = "part-en", B = "part-en" } }]\n'
    text = """\
extends = ["part.toml"]
matrix = { axes.lang = ["en"], suffix = "-{{ lang }}" }
env.A = "file"
override = [{ when.lang = "en", env.B = "file-en" }]
"""
    found = one(blueprint(text, {"part.toml": part}))
    assert [v.default for v in found.env.values()] == ["part-en", "file-en"]


def test_rule_5_axes_may_come_from_a_part_and_be_taken_out(blueprint: Write) -> None:
    part = PART + 'matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}" }\n'
    extends = 'extends = ["part.toml"]\n'
    assert len(read(blueprint(extends, {"part.toml": part}))) == 2
    assert len(read(blueprint(extends + 'remove = ["matrix"]\n', {"part.toml": part}))) == 1


@pytest.mark.parametrize("name", ready_made())
def test_rule_5_every_ready_made_part_makes_an_image_and_explains_itself(
    name: str, blueprint: Write
) -> None:
    text = (TOP / "blueprints" / f"{name}.toml").read_text()
    assert text.startswith("# ")
    assert f'extends = ["{name}"]' in text
    assert "name" not in tomli.loads(text).get("image", {}), "it is a part"
    path = blueprint(f'extends = ["{name}"]\n' + WEB)
    assert plan(read(path))
    assert trees(path)
    docs = (TOP / "docs" / "reuse.md").read_text()
    assert f"`{name}`" in docs


def test_rule_5_ready_made_parts_go_together(blueprint: Write) -> None:
    names = ", ".join(f'"{name}"' for name in ready_made())
    found = one(blueprint(f'extends = [{names}]\npackages.apt = ["...", "jq"]\n' + WEB))
    assert {"nginx-light", "redis-server", "python3-venv", "jq"} <= set(found.packages.apt.install)


# --- 6. base.blueprint ----------------------------------------------------------------------------

BASE = """\
blueprint = 1
image = { name = "base", base = "debian:bookworm-slim", title = "Base" }
matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}" }
users.web.uid = 1200
packages.apt = ["curl"]
env = { A = "{{ lang }}", B = "base" }
services.web = { run = "web {{ lang }}", stop-timeout = "7s" }
"""


def test_rule_6_the_tables_of_a_base_lie_below_filled_in_and_all_else_does_not(
    blueprint: Write,
) -> None:
    text = 'blueprint = 1\nimage = { name = "top", base.blueprint = "base.toml" }\nenv.B = "top"\n'
    path = blueprint("", {"base.toml": BASE, "top.toml": text}).with_name("top.toml")
    french = read(path)[1]
    b = french.blueprint
    assert french.axes == {"lang": "fr"}
    assert {k: v.default for k, v in b.env.items()} == {"A": "fr", "B": "top"}
    assert (b.services["web"].run, b.services["web"].stop_timeout) == ("web fr", "7s")
    assert (b.packages.apt.install, b.image.title) == ((), None)


def test_rule_6_naming_an_axis_of_the_base_narrows_it(blueprint: Write) -> None:
    text = 'blueprint = 1\nimage = { name = "top", base.blueprint = "base.toml" }\n'
    text += 'matrix.axes.lang = ["fr"]\n'
    path = blueprint("", {"base.toml": BASE, "top.toml": text}).with_name("top.toml")
    assert [variant.axes for variant in read(path)] == [{"lang": "fr"}]


def test_rule_6_parts_lie_between_the_base_and_the_file(blueprint: Write) -> None:
    text = 'blueprint = 1\nextends = ["part.toml"]\nenv.C = "top"\n'
    text += 'image = { name = "top", base.blueprint = "base.toml" }\n'
    part = PART + 'env = { B = "part", C = "part" }\n'
    files = {"base.toml": BASE, "part.toml": part, "top.toml": text}
    english = read(blueprint("", files).with_name("top.toml"))[0].blueprint
    assert {k: v.default for k, v in english.env.items()} == {"A": "en", "B": "part", "C": "top"}


# --- 7. Variants ----------------------------------------------------------------------------------


def test_rule_7_axes_multiply_by_name_values_as_listed(blueprint: Write) -> None:
    text = 'matrix = { axes = { b = ["2", "1"], a = ["y", "x"] }, suffix = "-{{ a }}{{ b }}" }\n'
    found = [dict(variant.axes) for variant in read(blueprint(text))]
    assert [("".join(axes.values()), list(axes)) for axes in found] == [
        (values, ["a", "b"]) for values in ("y2", "y1", "x2", "x1")
    ]


def test_rule_7_without_axes_there_is_one_variant(blueprint: Write) -> None:
    [variant] = read(blueprint())
    assert variant.axes == {}


# --- 8. override ----------------------------------------------------------------------------------

MATRIX = 'matrix = { axes = { a = ["1", "2"], b = ["x", "y"] }, suffix = "-{{ a }}{{ b }}" }\n'


def env(variants: tuple[Variant, ...]) -> dict[str, Any]:
    return {
        "".join(one.axes.values()): one.blueprint.env["E"].default
        for one in variants
        if "E" in one.blueprint.env
    }


def test_rule_8_the_entries_that_fit_are_laid_over_the_file_in_order(blueprint: Write) -> None:
    text = (
        MATRIX
        + """\
env.E = "file"
override = [{ when.a = "2", env.E = "first" }, { when.b = "y", env.E = "second" }]
"""
    )
    assert env(read(blueprint(text))) == {
        "1x": "file",
        "1y": "second",
        "2x": "first",
        "2y": "second",
    }


def test_rule_8_all_axes_must_fit_and_of_a_list_one_glob(blueprint: Write) -> None:
    text = MATRIX + 'override = [{ when = { a = ["3", "[12]"], b = "y*" }, env.E = "1" }]\n'
    assert env(read(blueprint(text))) == {"1y": "1", "2y": "1"}


def test_rule_8_a_when_that_fits_no_variant_is_an_error(blueprint: Write) -> None:
    text = MATRIX + 'override = [{ when.a = "3", env.E = "1" }]\n'
    assert "override[0].when.a: fits no variant" in said(blueprint(text))


# --- 9. {{ name }} --------------------------------------------------------------------------------


def test_rule_9_names_are_filled_in_after_merging_and_overriding(blueprint: Write) -> None:
    part = PART + 'args.x = "part"\nenv.E = "{{ x }}"\n'
    text = 'extends = ["part.toml"]\n' + MATRIX + 'args.x = "file"\n'
    text += 'override = [{ when.a = "2", args.x = "over" }]\n'
    found = env(read(blueprint(text, {"part.toml": part})))
    assert found == {"1x": "file", "1y": "file", "2x": "over", "2y": "over"}


def test_rule_9_once_also_in_keys_of_files_but_not_in_extends_and_remove(blueprint: Write) -> None:
    part = PART + "args.x = '{{{{ x }}'\nfiles.\"/{{ y }}\".text = '{{ x }}'\nargs.y = 'z'\n"
    extends = 'extends = ["part.toml"]\n'
    found = one(blueprint(extends, {"part.toml": part})).files
    assert {path: content.text for path, content in found.items()} == {"/z": "{{ x }}"}
    gone = one(blueprint(extends + "remove = ['files.\"/{{ y }}\"']\n", {"part.toml": part}))
    assert gone.files == {}


def test_what_is_doubled_names_no_variable(blueprint: Write) -> None:
    variables = 'env = { A = "$${B}", B = "$${A}", C = "$${S}", S = { secret = true } }\n'
    assert one(blueprint(variables)).env["A"].default == "$${B}"


def test_rule_9_what_is_no_name_stays_and_an_unknown_one_is_an_error(blueprint: Write) -> None:
    text = "env = { A = '{{.ID}} {{ a | b }} {{{{ x' }\n"
    assert one(blueprint(text)).env["A"].default == "{{.ID}} {{ a | b }} {{ x"
    assert "unknown name {{ nowhere }}" in said(blueprint("env.A = '{{ nowhere }}'\n"))
    circle = "args = { a = '{{ b }}', b = '{{ a }}' }\nenv.A = '{{ a }}'\n"
    assert "names go in a circle" in said(blueprint(circle))


def test_rule_9_numbers_and_own_files_are_never_touched(blueprint: Write) -> None:
    text = 'files."/x".file = "x"\nports.web = 80\n'
    path = blueprint(text, {"x": "{{ nowhere }}\n"})
    [tree] = trees(path).values()
    assert content(tree, "files/x") == b"{{ nowhere }}\n"


# --- What check notes of layers -------------------------------------------------------------------


def test_a_list_of_packages_that_drops_what_lies_below_is_noted(tmp_path: Path) -> None:
    (tmp_path / "part.toml").write_text('blueprint = 1\npackages.apt = ["curl", "jq"]\n')
    path = tmp_path / "b.toml"

    def noted(packages: str) -> list[str]:
        path.write_text(
            'blueprint = 1\nextends = ["part.toml"]\n'
            f'image = {{ name = "web", base = "debian:bookworm-slim" }}\n{packages}\n'
        )
        return [note.message for note in notes(read(path))]

    assert noted('packages.apt = ["less"]') == [
        'packages.apt: drops what lies below (curl, jq); "..." keeps it'
    ]
    assert noted('packages.apt = ["jq", "curl"]') == []
    assert noted('packages.apt = ["...", "less"]') == []
    assert noted('packages.pip = ["less"]') == []
    assert noted('remove = ["packages.apt"]\npackages.apt = ["less"]') == []
    assert noted(
        'matrix = { axes.a = ["1"], suffix = "-1" }\n'
        'packages.apt = ["...", "vim"]\n'
        'override = [{ when.a = "1", packages.apt = ["vim"] }]'
    ) == ['override[0].packages.apt: drops what lies below (curl, jq); "..." keeps it']
