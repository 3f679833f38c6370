"""imagegen explain: what a key means, which layer won, and what it became."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from imagegen.errors import UsageError
from imagegen.explain import Explained, asked, explain
from imagegen.plan import plan
from imagegen.plan.event import LOCAL
from imagegen.read import read
from imagegen.render import by_folder
from imagegen.tree import File

Write = Callable[..., Path]
Run = Callable[..., CompletedProcess[str]]

PART = """\
blueprint = 1
[args]
port = "80"
[env]
A = "part"
GONE = "part"
[packages]
apt = ["...", "curl"]
[files."/etc/{{ port }}/x"]
text = "x{{ port }}"
[services.web]
run = "web --port {{ port }}"
stop-timeout = "40s"
[[steps]]
name = "make"
run = "make {{ port }}"
"""
TEXT = """\
extends = ["nginx", "part.toml"]
remove = ["env.GONE"]
matrix = { axes.lang = ["en", "fr"], suffix = "-{{ lang }}" }
users.web.uid = 1200
env.A = "file {{ lang }}"
packages.apt = ["...", "git"]
services.web.stop-timeout = "20s"
volumes.data = "/data"
steps = [{ run = "second" }]

[[override]]
when.lang = "fr"
env.A = "over"
services.web.stop-timeout = "30s"
"""


@pytest.fixture
def path(blueprint: Write) -> Path:
    return blueprint(TEXT, {"part.toml": PART})


def told(path: Path, key: str, *options: str) -> list[Explained]:
    def again(more: Any) -> Any:  # noqa: ANN401 -- as read
        return read(path, options=[*options, *more])

    return explain(asked(key), again([]), LOCAL, again)


def layers(one: Explained) -> list[tuple[str, object, bool]]:
    return [(said.layer, said.value, said.wins) for said in one.layers]


# --- layers ---------------------------------------------------------------------------------------


def test_every_layer_is_told_from_the_lowest_to_the_highest_and_which_won(path: Path) -> None:
    english, french = told(path, "services.web.stop-timeout")
    assert (english.variants, english.value) == (("en",), "20s")
    assert layers(english) == [
        ("default", "30s", False),
        ("part", "40s", False),
        ("blueprint", "20s", True),
    ]
    assert [said.place for said in english.layers[1:]] == [
        f"{path.parent}/part.toml:13:16",
        f"{path}:10:29",
    ]
    assert french.value == "30s"
    assert layers(french)[-1] == ("override 0 when lang = fr", "30s", True)


def test_an_option_lies_above_all(path: Path) -> None:
    for one in told(path, "services.web.stop-timeout", "services.web.stop-timeout=9s"):
        assert (one.value, layers(one)[-1]) == ("9s", ("--set", "9s", True))


def test_variants_with_one_answer_are_one(path: Path) -> None:
    assert [one.variants for one in told(path, "services.web.run")] == [("en", "fr")]
    assert [one.variants for one in told(path, "env.A")] == [("en",), ("fr",)]


def test_a_default_wins_where_nobody_says_anything(path: Path) -> None:
    [one] = told(path, "services.nginx.enabled")
    assert (one.value, layers(one)) == (True, [("default", True, True)])


def test_a_ready_made_part_is_called_so(path: Path) -> None:
    [one] = told(path, "services.nginx.stop-timeout")
    assert layers(one)[-1] == ("ready-made part", "15s", True)
    assert one.layers[-1].place.startswith("imagegen/blueprints/nginx.toml:")


def test_what_was_removed_is_told(path: Path) -> None:
    [one] = told(path, "env.GONE.default")
    assert one.value is None
    assert [(said.layer, said.removed) for said in one.layers] == [
        ("default", False),
        ("part", False),
        ("blueprint", True),
    ]
    assert not any(said.wins for said in one.layers[1:])


def test_a_list_shows_what_each_layer_wrote_and_the_whole(path: Path) -> None:
    [one] = told(path, "packages.apt.install")
    assert one.value == ["nginx-light", "curl", "git"]
    assert [said.value for said in one.layers] == [
        (),
        ["...", "nginx-light"],
        ["...", "curl"],
        ["...", "git"],
    ]


def test_what_is_taken_out_while_reading_is_told_as_it_is_written(path: Path) -> None:
    [one] = told(path, "extends")
    assert one.value == ["nginx", "part.toml"]
    assert layers(one) == [("default", (), False), ("blueprint", one.value, True)]


def test_what_an_own_base_says_is_a_layer(blueprint: Write) -> None:
    top = 'blueprint = 1\nimage = { name = "top", base.blueprint = "blueprint.toml" }\n'
    top += 'matrix.suffix = "-{{ lang }}"\n'
    files = {"part.toml": PART, "top.toml": top}
    path = blueprint(TEXT.replace("remove", "#"), files).with_name("top.toml")
    english, _ = told(path, "env.A.default")
    assert layers(english) == [("default", None, False), ("own base", "file en", True)]


def test_a_path_may_be_given_as_it_stands_there(path: Path) -> None:
    [one] = told(path, 'files."/etc/80/x".text')
    assert (one.value, layers(one)[-1]) == ("x80", ("part", "x{{ port }}", True))


def test_of_a_table_the_keys_below_are_told(path: Path) -> None:
    english, _ = told(path, "services.web")
    below = {row.name: (row.value, row.layer) for row in english.below}
    assert below["run"] == ("web --port 80", "part")
    assert below["stop-timeout"] == ("20s", "blueprint")
    assert below["restart"] == ("always", "default")


# --- what it became -------------------------------------------------------------------------------


def lines(one: Explained) -> dict[str, str]:
    return {f"{b.place}:{b.line}": b.text for b in one.became}


@pytest.mark.parametrize(
    ("key", "place", "text"),
    [
        ("services.web.stop-timeout", "en/rootfs/etc/imagegen/services/web/stop-timeout:1", "20"),
        ("services.web.run", "en/rootfs/etc/imagegen/services/web/run/command:5", "web --port 80"),
        ('files."/etc/80/x".text', "en/files/etc/80/x:1", "x80"),
        ("args.port", "en/files/etc/80/x:0", "x80"),
        ("image.name", "tags:1", "app:local-en"),
        ("users.web.uid", "en/Dockerfile", "USER 1200"),
        ("env.A.default", "en/Dockerfile", 'ENV A="file en"'),
        ("volumes.data.path", "en/Dockerfile", 'VOLUME ["/data"]'),
        ("volumes.data.path", "run recipe", "--volume app-data:/data"),
        ("packages.apt.install", "en/Dockerfile", "git \\"),
        ("steps.make.run", "en/Dockerfile", "make 80"),
        ("steps[1].run", "en/Dockerfile", "second"),
        ("matrix.suffix", "tags:1", "app:local-en"),
    ],
)
def test_a_value_leads_to_what_it_became(key: str, place: str, text: str, path: Path) -> None:
    one = told(path, key)[0]
    found = lines(one)
    assert any(at.startswith(place) and said == text for at, said in found.items())
    trees = {str(folder): context.tree for folder, context in by_folder(plan(read(path))).items()}
    for became in one.became:
        folder, _, name = became.place.partition("/")
        if folder in trees and became.line:
            entry = next(e for p, e in trees[folder].items() if str(p) == name)
            assert isinstance(entry, File)
            line = entry.read().decode().splitlines()[became.line - 1]
            assert line.strip() == became.text


def test_what_has_no_file_says_so(imagegen: Run, path: Path) -> None:
    assert told(path, "ports.http.description")[0].became == ()
    said = imagegen("explain", "blueprint", path).stdout
    assert said.endswith("  becomes  nowhere: it is for imagegen\n")
    said = imagegen("explain", "tags.release", path).stdout
    assert said.endswith("  becomes  nothing in this plan; it goes to: tags\n")


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("services.web.stop-timeuot", 'no key "stop-timeuot" in services.web; did you mean stop-'),
        ("servces", 'there is no key "servces"; did you mean services?'),
        ("image.name.x", 'there is no key "x" in image.name; it is a value, and no table'),
        ("a b", '"a b" is no key; write it as TOML does'),
        ("", '"" is no key'),
        ("services.wbe.run", 'there is no "wbe" in services; did you mean web?'),
        ("steps.mak.run", 'there is no "mak" in steps; did you mean make?'),
        ("config.defaults.x", 'there is no "config"'),
    ],
)
def test_an_unknown_key_says_what_was_meant(key: str, complaint: str, path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        told(path, key)
    assert complaint in str(caught.value)


def test_the_command_ends_in_2(imagegen: Run, path: Path) -> None:
    done = imagegen("explain", "env.B", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'imagegen: there is no "B" in env; known: A\n'


# --- the command ----------------------------------------------------------------------------------


def test_people_get_the_meaning_first_and_then_aligned_columns(imagegen: Run, path: Path) -> None:
    done = imagegen("explain", "env.A.default", path, "--variant", "en")
    assert done.stdout.startswith("env.A.default\n  one line; \N{EN DASH}\n  Its value unless")
    answer = re.sub("Dockerfile:[0-9]+", "Dockerfile:9", done.stdout.partition("\n\n")[2])
    assert (
        answer
        == f"""\
  value  "file en"
       default    -
       part       "part"             {path.parent}/part.toml:5:5
    *  blueprint  "file {{{{ lang }}}}"  {path}:8:9
  becomes
    en/Dockerfile:9  ENV A="file en"
"""
    )


def test_machines_get_json(imagegen: Run, path: Path) -> None:
    record = json.loads(imagegen("explain", "env.A.default", path, "--json").stdout)
    assert (record["key"], record["required"], record["default"]) == ("env.A.default", False, None)
    english, french = record["variants"]
    assert (english["variants"], english["value"]) == (["en"], "file en")
    assert french["layers"][-1]["layer"] == "override 0 when lang = fr"
    assert french["became"][0]["text"] == 'ENV A="over"'
