"""Rules 7, 8, 17 and 18 of the language, each in a section: variants, tags, stacks."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.language.tags import KINDS
from imagegen.plan import plan
from imagegen.plan.composed import Member
from imagegen.plan.event import Event
from imagegen.read import read

Write = Callable[..., Path]
Imagegen = Callable[..., subprocess.CompletedProcess[str]]


def points(path: Path) -> list[str]:
    """Name each variant by its axes, in the order in which they are planned."""
    return [" ".join(f"{k}={v}" for k, v in one.axes.items()) for one in read(path)]


def complaints(path: Path) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        plan(read(path))
    return [problem.message for problem in caught.value.problems]


# --- Rule 7: axes multiply, `exclude` drops what it fits, `include` adds whole combinations -------

AXES = 'matrix.axes = { os = ["b", "a"], java = ["21", "17"] }\n'


def test_axes_multiply_by_name_and_values_stand_as_listed(blueprint: Write) -> None:
    assert points(blueprint(AXES)) == [
        *("java=21 os=b", "java=21 os=a", "java=17 os=b", "java=17 os=a"),
    ]
    assert points(blueprint()) == [""]


def test_exclude_drops_what_all_its_axes_fit(blueprint: Write) -> None:
    text = AXES + 'matrix.exclude = [{ java = "1*", os = ["x", "a"] }, { java = "21", os = "b" }]\n'
    assert points(blueprint(text)) == ["java=21 os=a", "java=17 os=b"]


def test_include_adds_whole_combinations_behind_the_others(blueprint: Write) -> None:
    text = AXES + 'matrix.include = [{ os = "z", java = "25" }, { java = "11", os = "a" }]\n'
    assert points(blueprint(text))[3:] == ["java=17 os=a", "java=25 os=z", "java=11 os=a"]


def test_include_brings_back_what_exclude_dropped(blueprint: Write) -> None:
    text = (
        AXES + 'matrix.exclude = [{ java = "*" }]\nmatrix.include = [{ java = "17", os = "b" }]\n'
    )
    assert points(blueprint(text)) == ["java=17 os=b"]


def test_a_default_may_be_one_that_is_included(blueprint: Write) -> None:
    text = f'{AXES}matrix.include = [{{ java = "25", os = "z" }}]\n'
    assert len(points(blueprint(text + 'matrix.default = { java = "25", os = "z" }'))) == 5
    assert complaints(blueprint(text + 'matrix.default = { java = "25", os = "b" }')) == [
        "matrix.default: is no variant: no combination is like that"
    ]


def test_names_are_not_filled_in_where_values_of_axes_stand(blueprint: Write) -> None:
    text = AXES + 'args.old = "17"\nmatrix.exclude = [{ java = "{{ old }}" }]\n'
    assert complaints(blueprint(text)) == [
        "matrix.exclude[0].java: fits no combination of the axes",
    ]


BASE = """blueprint = 1
image = { name = "below", base = "debian:12" }
matrix.axes = { os = ["a", "b"], java = ["17", "21"] }
matrix.exclude = [{ os = "a", java = "21" }]
"""


def test_what_a_base_leaves_out_is_left_out_above_it(blueprint: Write) -> None:
    above = 'blueprint = 1\nimage = { name = "above", base.blueprint = "base" }\n'
    path = blueprint("", {"base/blueprint.toml": BASE, "above.toml": above}).parent / "above.toml"
    assert points(path) == ["java=17 os=a", "java=17 os=b", "java=21 os=b"]
    path.write_text(above + 'matrix.axes.lang = ["en", "de"]\nmatrix.exclude = [{ os = "b" }]\n')
    assert points(path) == ["java=17 lang=en os=a", "java=17 lang=de os=a"]
    path.write_text(above + 'matrix.include = [{ os = "a", java = "21" }]\n')
    assert complaints(path) == [
        "matrix.include[0]: the base has no variant that fits this one",
    ]
    path.write_text(above + 'matrix.exclude = [{ os = "a", java = "21" }]\n')
    assert complaints(path) == ["matrix.exclude[0]: fits no combination of the axes"]


# --- Rule 8: overrides are for the variants that there are ----------------------------------------


def test_an_override_is_laid_over_what_is_included_too(blueprint: Write) -> None:
    text = AXES + 'matrix.include = [{ os = "z", java = "25" }]\n[[override]]\nwhen.os = "z"\n'
    text += 'env.NEW = "yes"\n'
    found = {one.axes["os"]: dict(one.blueprint.env) for one in read(blueprint(text))}
    assert set(found["z"]) == {"NEW"}
    assert found["a"] == found["b"] == {}


def test_an_override_that_fits_only_what_is_excluded_fits_no_variant(blueprint: Write) -> None:
    text = AXES + 'matrix.exclude = [{ os = "a", java = "17" }]\n[[override]]\n'
    text += 'when = { os = "a", java = "17" }\nenv.X = "y"\n'
    assert complaints(blueprint(text)) == ["override[0].when: fits no variant"]


def test_overrides_are_laid_in_order_over_all_variants_that_fit(blueprint: Write) -> None:
    text = AXES + (
        '[[override]]\nwhen.java = ["2*", "9"]\nenv.X = "first"\nenv.Y = "first"\n'
        '[[override]]\nwhen = { java = "21", os = "a" }\nenv.X = "second"\n'
    )
    found = {
        f"{one.axes['java']}{one.axes['os']}": [v.default for v in one.blueprint.env.values()]
        for one in read(blueprint(text))
    }
    assert found == {
        "21b": ["first", "first"],
        "21a": ["second", "first"],
        "17b": [],
        "17a": [],
    }


# --- Rule 17: an event's rules give tags; fixed ones are made, moving ones move with the highest --

TAGS = ("v1.0.0", "v1.2.0", "v2.0.0", "v3.0.0-rc.1", "snapshot-7", "noise")


def given(path: Path, kind: str, name: str) -> tuple[str, ...]:
    """What an event gives; nothing where it is built only."""
    event = Event(kind=kind, name=name, sha="0123456789", tags=(*TAGS, name), time=0)  # type: ignore[arg-type]
    (planned,) = plan(read(path), event)
    return planned.tags if planned.released else ()


EACH = """
[tags]
release = ["{{ git.version }}", "latest"]
prerelease = ["{{ git.version }}", "next"]
tag = { "snapshot-*" = ["{{ git.tag }}", "snapshot"] }
branch = { main = ["edge"] }
schedule = { main = ["nightly"], "*" = ["nightly-{{ git.branch }}-{{ git.sha }}"] }
pull-request = ["pr-{{ git.pr }}"]
"""


@pytest.mark.parametrize(
    ("kind", "name", "tags"),
    [
        ("tag", "v2.1.0", ("2.1.0", "latest")),
        ("tag", "v1.2.1", ("1.2.1",)),
        ("tag", "v3.0.0-rc.2", ("3.0.0-rc.2", "next")),
        ("tag", "v0.1.0-rc.2", ("0.1.0-rc.2", "next")),
        ("tag", "snapshot-8", ("snapshot-8", "snapshot")),
        ("tag", "noise", ()),
        ("branch", "main", ("edge",)),
        ("branch", "x", ()),
        ("schedule", "main", ("nightly", "nightly-main-0123456")),
        ("schedule", "x/y", ("nightly-x-y-0123456",)),
        ("pull-request", "7", ("pr-7",)),
        ("local", "no event", ()),
    ],
)
def test_each_event_has_its_rule(
    blueprint: Write, kind: str, name: str, tags: tuple[str, ...]
) -> None:
    assert given(blueprint(EACH), kind, name) == tags


@pytest.mark.parametrize(
    ("kind", "name", "tags"),
    [
        ("tag", "v2.1.0", ("2.1.0", "2.1", "latest")),
        ("tag", "v3.0.0-rc.2", ("3.0.0-rc.2",)),
        ("tag", "noise", ()),
        ("branch", "a/b", ("a-b",)),
        ("schedule", "main", ()),
        ("pull-request", "7", ()),
    ],
)
def test_without_rules_there_are_the_usual_ones(
    blueprint: Write, kind: str, name: str, tags: tuple[str, ...]
) -> None:
    assert given(blueprint(), kind, name) == tags
    assert given(blueprint("tags = {}"), kind, name) == tags


@pytest.mark.parametrize("kind", KINDS)
def test_who_writes_one_rule_writes_all(blueprint: Write, kind: str) -> None:
    path = blueprint(f'tags.{kind} = ["only"]')
    names = {"release": "v9.0.0", "prerelease": "v9.0.0-rc", "tag": "t", "pull-request": "1"}
    for other in KINDS:
        event = "tag" if other in ("release", "prerelease", "tag") else other
        assert given(path, event, names.get(other, "main")) == (("only",) if other == kind else ())


def test_every_glob_that_fits_adds_its_tags_once(blueprint: Write) -> None:
    rule = 'release = { "v2*" = ["two", "x"], "*" = ["x", "all"], "v1*" = ["one"] }\n'
    assert given(blueprint(f"[tags]\n{rule}"), "tag", "v2.0.1") == ("two", "x", "all")


def test_a_moving_tag_moves_only_if_no_higher_release_gives_it(blueprint: Write) -> None:
    rule = 'release = { "v1*" = ["old", "any"], "v2*" = ["any"], "v3*" = ["new"] }\n'
    path = blueprint(f"[tags]\n{rule}")
    assert given(path, "tag", "v1.2.1") == ("old",)  # v2.0.0 gives "any" too
    assert given(path, "tag", "v1.1.0") == ()  # v1.2.0 has overtaken it
    assert given(path, "tag", "v2.0.1") == ("any",)
    assert given(path, "tag", "v3.0.0") == ("new",)  # its pre-release is no release


def test_a_pre_release_holds_back_no_release(blueprint: Write) -> None:
    path = blueprint('tags = { release = ["latest"], prerelease = ["latest"] }\n')
    assert given(path, "tag", "v2.0.1") == ("latest",)  # though v3.0.0-rc.1 is there
    assert given(path, "tag", "v0.0.1-rc.1") == ("latest",)


@pytest.mark.parametrize(
    ("event", "ref", "said"),
    [
        ("schedule", "refs/heads/main", "app:nightly, app:nightly-main-0123456"),
        ("pull_request", "refs/pull/7/merge", "app:pr-7"),
        ("push", "refs/tags/v3.0.0-rc.2", "app:3.0.0-rc.2, app:next"),
        ("push", "refs/tags/snapshot-8", "app:snapshot-8, app:snapshot"),
        ("push", "refs/heads/main", "app:edge"),
    ],
)
def test_the_commands_hear_of_each_event_of_ci(
    blueprint: Write, imagegen: Imagegen, event: str, ref: str, said: str
) -> None:
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "0123456789", "GITHUB_EVENT_NAME": event}
    path = blueprint(f'image.registries = ["localhost:1"]\n{EACH}')
    names = said.replace("app:", "localhost:1/app:")
    assert names in imagegen("tags", path, **ci, GITHUB_REF=ref).stdout


def test_what_is_pushed_is_what_the_event_has_a_rule_for(
    blueprint: Write, imagegen: Imagegen
) -> None:
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "0123456789", "GITHUB_EVENT_NAME": "push"}
    ci["GITHUB_REF"] = "refs/tags/snapshot-8"
    path = blueprint(f'image.registries = ["localhost:1"]\n{EACH}')
    assert "localhost:1/app:snapshot-8" in imagegen("plan", path, **ci).stdout
    done = imagegen("push", path, **ci)
    assert done.returncode == 5, done.stderr  # there is something to push, and no engine
    none = path.read_text().partition("[tags]")[0]
    path.write_text(f'{none}tags.branch = {{ other = ["x"] }}\n')
    done = imagegen("push", path, **ci)
    assert done.stdout.startswith("nothing to push: [tags] has no rule for ")


def test_fixed_tags_are_made_by_every_release(blueprint: Write) -> None:
    text = 'image.version = "7.1"\n[tags]\n'
    for name in ("version", "tag", "sha", "date", "describe"):
        event = Event(kind="tag", name="v1.0.0", sha="0123456", tags=TAGS, time=0, describe="v1")
        (planned,) = plan(read(blueprint(f'{text}release = ["{{{{ git.{name} }}}}"]')), event)
        assert planned.released, name
    held = 'release = { "*" = ["{{ image.version }}", "7.1-x", "{{ git.version.major }}"] }'
    assert given(blueprint(text + held), "tag", "v1.0.0") == ("7.1",)


def test_versions_of_python_have_their_own_order(blueprint: Write) -> None:
    text = 'image.versioning = "pep440"\n'
    assert given(blueprint(text), "tag", "2.1rc1") == ("2.1rc1",)
    assert given(blueprint(text), "tag", "v2.0.0.post1") == ("2.0.0.post1", "2.0", "latest")
    assert given(blueprint(text), "tag", "1.9.post2") == ("1.9.post2", "1.9")
    assert given(blueprint(), "tag", "2.1rc1") == ()


def test_one_tag_from_two_variants_is_an_error_for_every_event(blueprint: Write) -> None:
    for kind in KINDS:
        text = f'matrix.axes.os = ["a", "b"]\ntags.{kind} = {{ "x*" = ["same"] }}\n'
        (said,) = complaints(blueprint(text))
        assert 'the variants a and b would both be tagged "same" for ' in said
        assert "x*" in said


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        ("release", "branch"),
        ("prerelease", "pr"),
        ("tag", "version"),
        ("branch", "tag"),
        ("schedule", "version.major"),
        ("pull-request", "branch"),
    ],
)
def test_what_an_event_lacks_is_said_before_it_comes(
    blueprint: Write, kind: str, fact: str
) -> None:
    for rule in (f'["{{{{ git.{fact} }}}}"]', f'{{ "*" = ["x", "{{{{ git.{fact} }}}}"] }}'):
        (said,) = complaints(blueprint(f"tags.{kind} = {rule}"))
        assert f"{{{{ git.{fact} }}}} is not known for a" in said


# --- Rule 18: a service of a stack is its image's tables with its own laid over them --------------

IMAGE = """
[users]
app.uid = 2143
[env]
LEVEL = { default = "info", pattern = "debug|info" }
TOKEN = { secret = true, required = true }
[ports]
web = { port = 8080, publish = 8080 }
admin = { port = 8081, protocol = "udp" }
[volumes]
data = { path = "/data", exclusive = true }
conf = { path = "/conf", source = "./conf", read-only = true }
[container]
memory = "1GiB"
ulimits = { nofile = 4096, core = 0 }
[services]
web = { run = "web", stop-timeout = "20s" }
worker = { run = "work", stop-timeout = "2m", enabled = false }
[jobs]
set-up = "set-up"
[secrets]
token.env = "TOKEN"
[stack]
volumes.shared = {}
networks = { back = {}, front = {} }
settings = { PORT = "443", DIR = { required = true } }
[stack.services]
"""
WEB = 'web = { secrets.TOKEN = "token" }\n'


def composed(path: Path) -> dict[str, Member]:
    """The planned services of the stack, by name."""
    found = [one.stack for one in plan(read(path)) if one.stack]
    assert len(found) == 1
    return {member.name: member for member in found[0].services}


def test_what_the_image_says_holds_unless_the_service_says_otherwise(blueprint: Write) -> None:
    text = f"""{IMAGE}{WEB}
[stack.services.other]
extends = ["web"]
env.LEVEL = "debug"
ports = {{ web.publish = "0.0.0.0:${{PORT}}", admin = 9 }}
volumes = {{ data.source = "shared", conf = {{ source = "${{DIR}}/conf", read-only = false }} }}
container = {{ memory = "2GiB", ulimits.nofile = 1 }}
"""
    path = blueprint(text, {"conf/x": ""})
    web, other = (composed(path)[name] for name in ("web", "other"))
    assert [(p.name, p.number, p.protocol, p.publish) for p in web.ports] == [
        ("admin", 8081, "udp", None),
        ("web", 8080, "tcp", "8080"),
    ]
    assert [(p.number, p.protocol, p.publish) for p in other.ports] == [
        (9, "udp", None),
        (8080, "tcp", "0.0.0.0:${PORT}"),
    ]
    conf = str(path.parent.resolve() / "conf")
    assert [(m.path, m.source, m.read_only) for m in web.mounts] == [
        ("/conf", conf, True),
        ("/data", "web-data", False),
    ]
    assert [(m.path, m.source, m.read_only) for m in other.mounts] == [
        ("/conf", "${DIR}/conf", False),
        ("/data", "shared", False),
    ]
    assert (web.resources.memory, other.resources.memory) == (2**30, 2**31)
    assert dict(other.resources.ulimits) == {"core": "0", "nofile": "1"}
    assert (dict(web.env), dict(other.env)) == ({}, {"LEVEL": "debug"})
    assert dict(other.secrets) == {"TOKEN": "token"}
    assert (web.image, web.variant) == ("app:local", "default")


def test_the_stop_time_is_that_of_the_services_that_run_here(blueprint: Write) -> None:
    text = f"""{IMAGE}
all = {{ secrets.TOKEN = "token" }}
web = {{ secrets.TOKEN = "token", services = ["web"], ports.web.publish = 1 }}
work = {{ secrets.TOKEN = "token", services = ["worker"], ports.web.publish = 2 }}
db = {{ image = "mysql:8" }}
"""
    found = composed(blueprint(text, {"conf/x": ""}))
    graces = {name: one.stop_grace for name, one in found.items()}
    assert graces == {"all": 145, "web": 25, "work": 125, "db": None}
    assert found["web"].roles == ("web",)


def test_services_stand_in_the_order_of_their_start(blueprint: Write) -> None:
    text = f"""{IMAGE}
a = {{ image = "a:1", after = ["web", "z"] }}
z = {{ image = "z:1" }}
{WEB}"""
    assert list(composed(blueprint(text, {"conf/x": ""}))) == ["web", "z", "a"]


def test_parts_lie_below_left_to_right_and_dots_stand_for_their_lists(blueprint: Write) -> None:
    text = """
[stack.services]
one = { image = "a:1", after = ["x"], env = { A = "1", B = "1" }, restart = "no" }
two = { image = "b:2", after = ["...", "y"], env = { B = "2" }, extends = ["one"] }
three = { extends = ["one", "two"], after = ["...", "z"], env.C = "3" }
x = { image = "x:1" }
y = { image = "x:1" }
z = { image = "x:1" }
"""
    three = composed(blueprint(text))["three"]
    assert (three.image, three.restart) == ("b:2", "no")
    assert three.after == ("x", "y", "z")
    assert dict(three.env) == {"A": "1", "B": "2", "C": "3"}


def test_every_part_counts_and_of_two_the_later(blueprint: Write) -> None:
    text = """
[stack.services]
one = { image = "a:1", hostname = "one", env = { A = "1", B = "1" } }
two = { image = "b:1", env = { B = "2" } }
both = { extends = ["one", "two"] }
turned = { extends = ["two", "one"] }
"""
    found = composed(blueprint(text))
    assert (found["both"].image, found["both"].hostname) == ("b:1", "one")
    assert dict(found["both"].env) == {"A": "1", "B": "2"}
    assert (found["turned"].image, dict(found["turned"].env)) == ("a:1", {"A": "1", "B": "1"})


def test_in_the_network_of_the_host_nothing_is_published(blueprint: Write) -> None:
    text = f"""{IMAGE}{WEB}
host = {{ extends = ["web"], network-mode = "host" }}
more = {{ extends = ["web"], network-mode = "host" }}
"""
    found = composed(blueprint(text, {"conf/x": ""}))  # else the three would want one port
    assert [p.publish for p in found["web"].ports] == [None, "8080"]
    assert [p.publish for p in found["host"].ports] == [None, None]


def test_a_stack_may_name_its_own_file(blueprint: Write) -> None:
    path = blueprint('stack.services.me = { blueprint = "blueprint.toml" }\n')
    assert composed(path)["me"].image == "app:local"


def test_a_service_of_ones_own_image_drops_the_image_that_it_extends(blueprint: Write) -> None:
    text = """
[stack.services]
one = { image = "a:1", hostname = "h" }
two = { extends = ["one"], blueprint = "other.toml" }
"""
    other = 'blueprint = 1\nimage = { name = "other", base = "debian:12" }\n'
    two = composed(blueprint(text, {"other.toml": other}))["two"]
    assert (two.image, two.hostname) == ("other:local", "h")


OTHER = """blueprint = 1
image = { name = "other", base = "debian:12" }
matrix = { axes.os = ["a", "b"], default.os = "b", suffix = "-{{ os }}" }
ports.api = 7000
[[override]]
when.os = "a"
ports.old = 7001
[stack]
first-run = ["nobody/nothing"]
services.back = { blueprint = "../blueprint.toml" }
"""


def test_another_blueprint_is_read_without_its_own_stack(blueprint: Write) -> None:
    text = """
[stack.services]
new = { blueprint = "other", env = {} }
old = { blueprint = "other", variant.os = "a", ports.old.publish = 1 }
ask = { image = "a:1", env.PEERS = "{{ address.new.api }} {{ address.ask.x }}", ports.x = 5 }
more = { image = "a:1", env.OLD = "{{ address.old.old }}" }
"""
    path = blueprint(text, {"other/blueprint.toml": OTHER})
    found = composed(path)
    assert (found["new"].variant, found["old"].variant) == ("b", "a")
    assert found["old"].image == "other:local-a"
    assert dict(found["ask"].env) == {"PEERS": "new:7000 localhost:5"}
    assert dict(found["more"].env) == {"OLD": "old:7001"}
    text = path.read_text().replace('variant.os = "a", ', "")
    path.write_text(text.replace("{{ address.old.old }}", ""))
    assert complaints(path) == [
        'stack.services.old.ports.old: the image has no port "old"; known: api',
    ]


def test_what_is_wrong_in_another_blueprint_is_told_there(blueprint: Write) -> None:
    path = blueprint(
        'stack.services.x = { blueprint = "other.toml" }\n',
        {"other.toml": "blueprint = 1\nimage = { name = 'o', base = 'debian:12' }\nports.a = 0\n"},
    )
    with pytest.raises(BlueprintError) as caught:
        read(path)
    (problem,) = caught.value.problems
    assert problem.file.endswith("other.toml")
    assert problem.line == 3


def test_the_stack_stands_for_the_default_variant(blueprint: Write) -> None:
    text = 'matrix = { axes.os = ["a", "b"], default.os = "b", suffix = "-{{ os }}" }\n'
    text += "[stack.services]\nx = { env = {} }\ny = { variant.os = 'a' }\n"
    plans = plan(read(blueprint(text)))
    assert [one.variant for one in plans if one.stack] == ["b"]
    found = composed(blueprint(text))
    assert (found["x"].variant, found["y"].variant) == ("b", "a")


ADDRESSES = """
[stack]
networks.back = {}
settings.PORT = "1"
[stack.services]
db.image = "a:1"
db.ports.open = { port = 5, publish = "0.0.0.0:6" }
db.ports.set = { port = 7, publish = "${PORT}" }
far = { image = "a:1", project = "far", networks = ["back"], ports.x = 8 }
host = { image = "a:1", network-mode = "host", ports.h = 9, env.A = "%s" }
near = { image = "a:1", env.A = "%s" }
joined = { image = "a:1", networks = ["back"], project = "else", env.A = "{{ address.far.x }}" }
"""


def test_an_address_is_as_the_service_reaches_it(blueprint: Write) -> None:
    both = "{{ address.db.open }} {{ address.db.set }}"
    host = f"{both} {{{{ address.host.h }}}}"
    found = composed(blueprint(ADDRESSES % (host, both)))
    assert found["near"].env["A"] == "db:5 db:7"
    assert found["host"].env["A"] == "127.0.0.1:6 127.0.0.1:${PORT} localhost:9"
    assert found["joined"].env["A"] == "far:8"  # in another project, by the network of both
    (said,) = complaints(blueprint(ADDRESSES % ("", "{{ address.far.x }}")))
    assert said.endswith("can't be reached: near and far share no network")


def test_a_service_that_extends_another_has_addresses_of_its_own(blueprint: Write) -> None:
    text = """
[stack.services]
db = { image = "a:1", ports.sql = { port = 5, publish = 6 } }
one = { image = "a:1", env.DB = "{{ address.db.sql }}" }
two = { extends = ["one"], network-mode = "host" }
"""
    found = composed(blueprint(text))
    assert (found["one"].env["DB"], found["two"].env["DB"]) == ("db:5", "127.0.0.1:6")


def test_args_that_only_the_stack_uses_are_used(blueprint: Write) -> None:
    path = blueprint('stack.services.x = { image = "a:{{ tag }}" }\n')
    (variant,) = read(path, options=["args.tag=7"])
    assert variant.blueprint.stack
    assert variant.blueprint.stack.services["x"].image == "a:7"


def test_settings_and_first_runs_are_planned(blueprint: Write) -> None:
    text = f"{IMAGE.replace('[stack]', '[stack]' + chr(10) + FIRST)}{WEB}"
    (planned,) = plan(read(blueprint(text, {"conf/x": ""})))
    assert planned.stack
    assert planned.stack.name == "app"
    assert [(s.name, s.default, s.required) for s in planned.stack.settings] == [
        ("DIR", None, True),
        ("PORT", "443", False),
    ]
    assert [(f.service, f.job) for f in planned.stack.first_run] == [("web", "set-up")]


FIRST = 'first-run = ["web/set-up"]'


def test_a_stack_is_in_the_plan_that_machines_read(
    blueprint: Write, invoke: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path = blueprint('stack.services.db = { image = "mysql:8", ports.sql = 3306 }\n')
    (said,) = json.loads(invoke("plan", path, "--json").stdout)
    assert said["stack"]["services"][0]["ports"][0]["number"] == 3306
