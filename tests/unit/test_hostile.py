"""Input that means harm: it gets a complaint or stays what it is, and never leads elsewhere."""

import json
import os
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import pytest

from imagegen.act.folder import laid, lay
from imagegen.cli.output import as_json, complain, table
from imagegen.errors import BlueprintError, ImagegenError
from imagegen.plan import plan
from imagegen.plan.naming import slug
from imagegen.read import read
from imagegen.render import context
from imagegen.tree import File, digest, text

HEAD = 'blueprint = 1\nimage = { name = "web", base = "debian:bookworm-slim" }\n'


def _blueprint(folder: Path, more: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "blueprint.toml").write_text(HEAD + more)
    return folder


@pytest.mark.parametrize(
    "more",
    [
        'files."/x" = { file = "sub/../secret" }\n',
        '[[steps]]\ncopy = ["sub/../secret"]\nto = "/x"\n',
    ],
    ids=["file", "copy"],
)
def test_a_path_can_not_go_out_through_a_link_and_back(tmp_path: Path, more: str) -> None:
    folder = _blueprint(tmp_path / "web", more)
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/secret").write_text("harmless\n")
    (folder / "sub").symlink_to("a/b")
    outside = tmp_path / "shadow"
    outside.write_text("secret\n")
    (folder / "secret").symlink_to(outside)
    with pytest.raises(BlueprintError, match="goes through a link and back"):
        read(folder)


def test_a_variant_is_no_folder_above_and_no_hidden_file(tmp_path: Path) -> None:
    assert [slug([value]) for value in ("..", ".imagegen.json", "-x", "a.b")] == [
        "_.",
        "_imagegen.json",
        "_x",
        "a.b",
    ]
    more = 'matrix = { axes = { v = ["..", "a"] }, suffix = "-x{{ v }}" }\n'
    folder = _blueprint(tmp_path / "web", more)
    assert [one.variant for one in plan(read(folder))] == ["_.", "a"]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x"])
def test_a_tree_never_leads_out_of_its_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="would lead out of the folder"):
        lay({PurePosixPath(path): text("x")}, tmp_path / "out")
    assert not (tmp_path / "x").exists()


def test_a_line_break_in_a_schedule_does_not_reach_the_crontab(tmp_path: Path) -> None:
    more = '[users.app]\nuid = 2143\n[jobs.tick]\nrun = "true"\nschedule = "* *\\n* * *"\n'
    planned = plan(read(_blueprint(tmp_path / "web", more)))[0]
    assert planned.jobs[0].schedule == "* * * * *"


def test_what_is_laid_is_what_was_hashed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("before")
    tree = {PurePosixPath("d/own"): File(own, executable=True), PurePosixPath("x"): text("x")}
    known = digest(tree)
    lay(tree, tmp_path / "same")
    assert digest(laid(tmp_path / "same")) == known
    own.write_text("after")
    lay(tree, tmp_path / "changed")
    assert digest(laid(tmp_path / "changed")) != known


def test_no_terminal_obeys_what_a_build_or_a_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    complain(ImagegenError("log:\n    | \x1b]0;PWNED\x07\x9b2J\u202e"))
    table(("A",), [("\x1b[2J",)])
    said = capsys.readouterr()
    assert not {"\x07", "\x9b", "\u202e"} & set(said.err + said.out)
    assert "\x1b]" not in said.err
    assert "\x1b[2J" not in said.out
    assert "PWNED" in said.err


def test_many_unknown_names_cost_no_time(tmp_path: Path) -> None:
    names = "".join(f'a{n} = "{{{{ nope{n} }}}}"\n' for n in range(2000))
    with pytest.raises(BlueprintError) as raised:
        read(_blueprint(tmp_path / "web", f"[args]\n{names}"))
    assert len(raised.value.problems) + raised.value.more == 2000


def test_a_base_with_an_endless_name_is_a_complaint(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    said = f'blueprint = 1\n[image]\nname = "web"\nbase = {{ blueprint = "{"x" * 300}.toml" }}\n'
    (folder / "blueprint.toml").write_text(said)
    with pytest.raises(BlueprintError, match="beside the blueprint"):
        read(folder)


def test_a_filter_for_jq_is_one_line(tmp_path: Path) -> None:
    more = 'users.app.uid = 2143\n[services.app]\nrun = "x"\n'
    more += '[services.app.health]\nrun = "y"\njq = ".a\\nand .b"\n'
    with pytest.raises(BlueprintError, match="must be one line"):
        read(_blueprint(tmp_path / "web", more))


def test_the_defaults_of_a_configuration_are_read_only_where_they_may_be(tmp_path: Path) -> None:
    folder = _blueprint(tmp_path / "web", 'config.file = "pipe"\n')
    os.mkfifo(folder / "pipe")
    with pytest.raises(BlueprintError, match="is neither a file nor a folder"):
        read(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": ' + "[" * 500 + "]" * 500 + "}", "a: is nested too deeply"),
        ('{"a": "\\ud800"}', "a: holds half a character"),
        ('{"a": {"\\udc00": 1}}', "a: holds half a character"),
    ],
)
def test_a_configuration_that_no_file_could_hold_is_a_complaint(
    tmp_path: Path, content: str, said: str
) -> None:
    folder = _blueprint(tmp_path / "web", 'config.file = "c.json"\n')
    (folder / "c.json").write_text(content)
    with pytest.raises(BlueprintError, match=said):
        read(folder)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            '{"properties": {"a": {"pattern": "("}}}',
            "is no valid JSON Schema: properties/a/pattern",
        ),
        ('{"properties": {"a": {"maxLength": "x"}}}', "is no valid JSON Schema: properties/a/max"),
        ('{"$schema": ["x"]}', "must name its kind in a string"),
        ('{"$ref": "#"}', "refers to itself without an end"),
        ('{"not": ' * 400 + "{}" + "}" * 400, "nested too deeply"),
        ('{"$ref": "#/a/b", "a": 1}', "config.schema can't be used"),
        ('{"$ref": "#/a", "a": "x"}', "config.schema can't be used"),
        ('{"$id": "http://[", "properties": {"a": {"$ref": "x"}}}', "config.schema can't be used"),
        (
            '{"$schema": "http://json-schema.org/draft-03/schema#", "type": "foo"}',
            "config.schema can't be used",
        ),
    ],
)
def test_a_schema_that_its_library_trips_over_is_a_complaint(
    tmp_path: Path, schema: str, said: str
) -> None:
    more = 'config = { defaults = { a = "b" }, schema = "s.json" }\n'
    folder = _blueprint(tmp_path / "web", more)
    (folder / "s.json").write_text(schema)
    with pytest.raises(BlueprintError) as raised:
        read(folder)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "key", ['packages.apt = ["...", "..."]', 'services.a.run = ["...", "..."]']
)
def test_a_list_that_doubles_from_layer_to_layer_ends(tmp_path: Path, key: str) -> None:
    more = 'packages.apt = ["curl"]\nusers.app.uid = 2143\nservices.a.run = ["x"]\n'
    more += 'matrix = { axes = { v = ["1"] }, suffix = "-{{ v }}" }\n'
    more += f'[[override]]\nwhen.v = "1"\n{key}\n' * 50
    with pytest.raises(BlueprintError, match="grows beyond 10000 items"):
        read(_blueprint(tmp_path / "web", more))


def test_services_of_a_stack_that_double_a_list_end(tmp_path: Path) -> None:
    more = '[stack.services]\ns0 = { image = "x:1", run = ["a"] }\n'
    for n in range(1, 50):
        more += f's{n} = {{ extends = ["s{n - 1}"], run = ["...", "..."] }}\n'
    with pytest.raises(BlueprintError, match="grows beyond 10000 items"):
        read(_blueprint(tmp_path / "web", more))


def test_many_keys_to_remove_that_are_not_there_cost_no_time(tmp_path: Path) -> None:
    listed = ", ".join(f'"args.b{n}"' for n in range(3000))
    known = "".join(f'a{n} = "x"\n' for n in range(3000))
    folder = _blueprint(tmp_path / "web", "")
    (folder / "part.toml").write_text(f"[args]\n{known}")
    text = (folder / "blueprint.toml").read_text()
    (folder / "blueprint.toml").write_text(f'extends = ["part.toml"]\nremove = [{listed}]\n{text}')
    with pytest.raises(BlueprintError) as raised:
        read(folder)
    assert len(raised.value.problems) + raised.value.more == 3000


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("F\\\\\nROM debian", "must not contain FROM"),
        ("RUN x\\\\\\\\\nFROM debian", "must not contain FROM"),
        ("RUN true \\\\\n# the end", "must not end in a backslash"),
        ("RUN true \\\\\n\n", "must not end in a backslash"),
    ],
)
def test_lines_of_a_dockerfile_end_where_docker_says(tmp_path: Path, lines: str, said: str) -> None:
    more = f'[[steps]]\ndockerfile = """\n{lines}"""\n'
    with pytest.raises(BlueprintError, match=said):
        read(_blueprint(tmp_path / "web", more))


def test_a_line_that_goes_on_may_begin_with_from(tmp_path: Path) -> None:
    more = "[[steps]]\ndockerfile = '''\nRUN sql \"select x \\\nFROM y\"\n'''\n"
    assert read(_blueprint(tmp_path / "web", more))


def test_a_plan_with_files_of_requirements_is_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _blueprint(tmp_path / "web", 'packages.pip.requirements = ["r.txt"]\n')
    (folder / "r.txt").write_text("flask\n")
    as_json([asdict(one) for one in plan(read(folder))])
    assert '"r.txt"' in capsys.readouterr().out


def test_services_of_a_stack_extend_others_only_so_deep(tmp_path: Path) -> None:
    more = "[stack.services]\n"
    more += "".join(f's{n} = {{ extends = ["s{n + 1}"] }}\n' for n in range(500))
    more += 's500 = { image = "x:1" }\n'
    with pytest.raises(BlueprintError, match="services extend services, more than 40 times over"):
        read(_blueprint(tmp_path / "web", more))


def test_an_expression_without_an_end_is_a_complaint(tmp_path: Path) -> None:
    more = f'env.A.pattern = "{"[" * 100_000}"\n'
    with pytest.raises(BlueprintError, match="is longer than 2000 characters"):
        read(_blueprint(tmp_path / "web", more))


def test_a_matrix_that_excludes_without_end_is_a_complaint(tmp_path: Path) -> None:
    values = ", ".join(f'"{n}"' for n in range(100))
    excluded = ", ".join(f'{{ v = "{n}*z" }}' for n in range(2_000))
    more = f'[matrix]\nsuffix = "-{{{{ v }}}}"\naxes.v = [{values}]\nexclude = [{excluded}]\n'
    with pytest.raises(BlueprintError, match="exclude: has more than 1000 entries"):
        read(_blueprint(tmp_path / "web", more))


def test_many_unknown_names_in_a_file_cost_no_time(tmp_path: Path) -> None:
    more = 'config.file = "c.json"\nfiles."/x" = { file = "f", render = true }\n'
    folder = _blueprint(tmp_path / "web", more)
    (folder / "f").write_text("".join(f"${{cfg.nope{n}}}\n" for n in range(20_000)))
    (folder / "c.json").write_text(json.dumps({f"k{n}": n for n in range(20_000)}))
    with pytest.raises(BlueprintError, match="is not in the defaults"):
        read(folder)


@pytest.mark.parametrize(
    "more",
    [
        r'packages.apt.repositories.a = { url = "https://a.b/\u0000", suites = ["x"] }',
        r'packages.apt.repositories.a = { package = "https://a.b/\u0007.deb" }',
        r'packages.pip = ["a @ https://a.b/\u001b"]',
        r'packages.pip = ["a @ https://a.b/\u202e"]',
    ],
)
def test_an_address_holds_no_control_characters(tmp_path: Path, more: str) -> None:
    with pytest.raises(BlueprintError, match="is no "):
        read(_blueprint(tmp_path / "web", f"{more}\n"))


def test_a_file_of_requirements_with_an_endless_name_is_a_complaint(tmp_path: Path) -> None:
    folder = _blueprint(tmp_path / "web", 'packages.pip.requirements = ["r.txt"]\n')
    (folder / "r.txt").write_text(f"-r {'x' * 5000}\n")
    with pytest.raises(ImagegenError, match="is no file below the folder"):
        context(plan(read(folder))[0])


def test_a_file_below_a_file_is_a_complaint(tmp_path: Path) -> None:
    more = 'files."/a" = { text = "x" }\nfiles."/a/b/c" = { text = "y" }\n'
    with pytest.raises(BlueprintError, match='lies in "/a", which is a file'):
        read(_blueprint(tmp_path / "web", more))


def test_a_secret_is_no_file_of_requirements(tmp_path: Path) -> None:
    more = 'packages.pip.requirements = ["r.txt"]\nsecrets.token.file = "token"\n'
    folder = _blueprint(tmp_path / "web", more)
    (folder / "r.txt").write_text("-r token\n")
    (folder / "token").write_text("x\n")
    with pytest.raises(ImagegenError, match="is the file of a secret"):
        context(plan(read(folder))[0])


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|aa)*b+", "a*a*a*a*a*b", "((a{1,9}){1,9}){1,9}b"])
def test_a_pattern_that_takes_python_years_is_left_to_the_container(
    tmp_path: Path, pattern: str
) -> None:
    more = f'env.A = {{ default = "{"a" * 300}!", pattern = "{pattern}" }}\n'
    read(_blueprint(tmp_path / "web", more))


@pytest.mark.parametrize("pattern", ["a+", "(a|b)c", "a*b+", "[(*+]+", r"\(a\)+"])
def test_any_other_pattern_is_tried(tmp_path: Path, pattern: str) -> None:
    more = f"env.A = {{ default = '!', pattern = '{pattern}' }}\n"
    with pytest.raises(BlueprintError, match="does not match the pattern"):
        read(_blueprint(tmp_path / "web", more))
