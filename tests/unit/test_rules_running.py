"""Rules 10 to 16 of the language: what runs, and what it finds, as far as reading and rendering go.

What a container does of it is in tests/container/test_running.py.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen.errors import BlueprintError
from imagegen.language.expressions import compiled
from imagegen.plan import Plan, plan
from imagegen.read import read
from imagegen.read.notes import notes
from imagegen.render import context
from imagegen.render.shell import expanded
from imagegen.tree import File, Tree

Write = Callable[..., Path]

USER = "users.app.uid = 2143\n"


@pytest.fixture
def one(blueprint: Write) -> Callable[..., Plan]:
    """Plan a blueprint of one variant, with one user."""

    def planned(text: str, files: dict[str, str] | None = None) -> Plan:
        (only,) = plan(read(blueprint(USER + text, files)))
        return only

    return planned


def wrong(path: Path) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        plan(read(path))
    return [problem.message for problem in caught.value.problems]


def has(tree: Tree, name: str) -> bool:
    return PurePosixPath(name) in tree


def content(tree: Tree, name: str) -> str:
    entry = tree[PurePosixPath(name)]
    assert isinstance(entry, File)
    return entry.read().decode()


def own(tree: Tree, name: str) -> str:
    """What a file of the plan in the image says."""
    return content(tree, f"rootfs/etc/imagegen/{name}").rstrip("\n")


def sh(script: str, *arguments: str, **env: str) -> str:
    done = subprocess.run(
        ["sh", "-c", script, "sh", *arguments],
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


# --- 10: ${NAME} ----------------------------------------------------------------------------------


def test_10_the_dockerfile_fills_in_defaults_and_no_secret_is_in_it(
    one: Callable[..., Plan],
) -> None:
    planned = one(
        'env.HOME_DIR = "/srv"\nenv.DATA = "${HOME_DIR}/data $${HOME_DIR}"\n'
        'env.TOKEN = { secret = true, default = "" }\nenv.KEY.secret = true\n'
    )
    assert planned.env == {"HOME_DIR": "/srv", "DATA": "${HOME_DIR}/data $${HOME_DIR}"}
    written = content(context(planned), "Dockerfile")
    assert 'ENV DATA="${HOME_DIR}/data \\${HOME_DIR}"\n' in written
    assert "TOKEN" not in written
    assert "KEY" not in written


def test_10_the_env_of_a_command_is_filled_in_when_it_starts(one: Callable[..., Plan]) -> None:
    tree = context(
        one('env.A = "1"\nservices.s = { run = ["s"], env.B = "<${A}> $${A} $A ${UNSET}" }\n')
    )
    script = own(tree, "services/s/run/command").replace("exec s", 'printf %s "$B"')
    assert sh(script, A="it's") == "<it's> ${A} $A "


@example("$$${A}")
@given(st.lists(st.sampled_from(["$", "$$", "${", "${A}", "$A", "'", '"', "\\", "`id`", " ", "x"])))
def test_10_nothing_else_means_anything_in_the_env_of_a_command(parts: list[str] | str) -> None:
    value = "".join(parts).replace("${", "$${")
    meant = "".join(parts)
    assert sh(f'X={expanded(value)}; printf %s "$X"', A="filled") == meant


def test_10_a_rendered_file_may_name_variables_and_the_configuration(
    one: Callable[..., Plan],
) -> None:
    planned = one(
        'env.A = "1"\nconfig.defaults = { web = { port = 80 }, list = ["x"] }\n'
        '[files."/etc/x.json"]\nrender = true\n'
        'text = \'["${A}", ${cfg.web.port}, ${cfg.list.0}, "$${B}"]\'\n'
        "[files]\n"
        '"/etc/y" = { text = "${B}" }\n'
        '"/etc/z.ini" = { text = "", render = true, format = "sh" }\n'
    )
    assert {p.path: (p.format, p.at_start) for p in planned.placed} == {
        "/etc/x.json": ("json", True),
        "/etc/y": (None, False),
        "/etc/z.ini": ("sh", True),
    }


@pytest.mark.parametrize(
    "name", ["B", "", " A", "A B", "cfg.web", "cfg.nowhere", "cfg..x", "cfg.list.1", "cfg.list.x"]
)
def test_10_whatever_else_a_rendered_file_names_is_wrong(blueprint: Write, name: str) -> None:
    text = (
        'env.A = "1"\nconfig.defaults = { list = ["x"] }\n'
        f"files.\"/etc/x\" = {{ text = '${{{name}}}', render = true }}\n"
    )
    (said,) = wrong(blueprint(text))
    assert f"${{{name}}} is not" in said


def test_10_names_in_an_own_file_are_found_with_their_line(blueprint: Write) -> None:
    text = 'files."/etc/x" = { file = "x.conf", render = true }\n'
    (said,) = wrong(blueprint(text, {"x.conf": "a\nb ${NOWHERE}\n"}))
    assert '"x.conf", line 2: ${NOWHERE} is not declared in [env]' in said


# --- 11: commands ---------------------------------------------------------------------------------


def test_11_hooks_take_user_folder_and_time_from_the_container(one: Callable[..., Plan]) -> None:
    planned = one(
        'container.workdir = "/srv/app"\nvolumes.data = "/data"\n'
        'lifecycle.boot = "boot"\n'
        'lifecycle.firstboot = { run = ["first"], user = "root", workdir = "/", timeout = "1h" }\n'
        'services.s = { run = ["s"], reload = "r" }\njobs.j = { run = "j", schedule = "@daily" }\n'
    )
    boot, first = (hook.command for hook in planned.lifecycle.hooks)
    assert (boot.user, boot.workdir, boot.timeout) == ("app", "/srv/app", 300)
    assert (first.user, first.workdir, first.timeout) == ("root", "/", 3600)
    (service,), (job,) = planned.services, planned.jobs
    assert service.run
    assert service.reload
    assert {service.run.workdir, service.reload.workdir, job.command.workdir} == {"/srv/app"}
    assert (service.run.timeout, service.reload.timeout) == (None, 60)
    tree = context(planned)
    assert "\ncd /srv/app\n" in own(tree, "services/s/reload/command")
    assert "\nWORKDIR /srv/app\n" in content(tree, "Dockerfile")


def test_11_a_script_of_ones_own_keeps_its_first_line_and_gets_flags(
    one: Callable[..., Plan],
) -> None:
    tree = context(
        one(
            'env.LEVEL = "info"\nservices.s = { file = "start", flags.LEVEL = "--level" }\n',
            {"start": "#!/bin/bash\n"},
        )
    )
    assert own(tree, "services/s/run/script") == "#!/bin/bash"
    assert "set -- /etc/imagegen/services/s/run/script\n" in own(tree, "services/s/run/command")


# --- 12: files below a volume ---------------------------------------------------------------------


def test_12_files_below_a_volume_are_laid_at_each_start_and_steps_may_not_write_there(
    one: Callable[..., Plan], blueprint: Write
) -> None:
    planned = one(
        'volumes.data = "/data"\nfiles."/data/a".text = ""\nfiles."/data2".text = ""\n'
        'files."/data/link".link = "/x"\nfiles."/once" = { text = "", once = true }\n'
    )
    assert [placed.path for placed in planned.placed if placed.at_start] == [
        *("/data/a", "/data/link", "/once"),
    ]
    text = 'volumes.data = "/data"\n[[steps]]\ncopy = ["own"]\nto = "/data/x"\n'
    (said,) = wrong(blueprint(text, {"own": ""}))
    assert said.startswith("steps[0].to: lies in the volume data")


# --- 14: start ------------------------------------------------------------------------------------


def test_14_hooks_stand_in_the_order_in_which_they_run(one: Callable[..., Plan]) -> None:
    planned = one(
        'image.version = "1"\nvolumes.data = "/d"\nservices.db = "db"\n'
        "[lifecycle]\n"
        'stats = "8"\nnotify = "7"\npost-stop = "6"\npre-stop = "5"\nwarmup = "4"\n'
        'upgrade = { run = "3", every-boot = true, after = ["db"] }\nfirstboot = "2"\nboot = "1"\n'
    )
    hooks = planned.lifecycle.hooks
    assert [(hook.name, hook.command.text) for hook in hooks] == [
        *(("boot", "1"), ("firstboot", "2"), ("upgrade", "3"), ("warmup", "4")),
        *(("pre-stop", "5"), ("post-stop", "6"), ("notify", "7"), ("stats", "8")),
    ]
    assert [(hook.after, hook.every_boot) for hook in hooks if hook.name == "upgrade"] == [
        (("db",), True)
    ]


def test_14_downloads_are_planned_by_name_with_all_defaults(one: Callable[..., Plan]) -> None:
    planned = one(
        "env.MIRROR.secret = true\n[downloads]\n"
        'b = { fetch = "https://example.org/b", to = "/srv/b" }\n'
        'a = { fetch = "https://example.org/a.tgz", to = "/srv/a/", unpack = true, strip = 1,'
        ' owner = "app", netrc = "MIRROR", refresh = "missing" }\n'
    )
    first, second = planned.downloads
    assert (first.name, first.to, first.strip, first.refresh) == ("a", "/srv/a/", 1, "missing")
    assert (second.owner, second.mode, second.refresh, second.netrc) == (
        *("root", None, "changed", None),
    )


@pytest.mark.parametrize(
    ("volumes", "volume", "mark"),
    [
        ('a = "/a"', "", "a"),
        ('a = "/a"\nb = { path = "/b", read-only = true }', "", "a"),
        ('a = "/a"\nb = "/b"', 'lifecycle.volume = "b"\n', "b"),
        ('a = "/a"\nb = "/b"', "", None),
        ('b = { path = "/b", read-only = true }', "", None),
    ],
)
def test_14_the_volume_that_remembers_is_known_or_asked_for(
    one: Callable[..., Plan], blueprint: Write, volumes: str, volume: str, mark: str | None
) -> None:
    text = f'{volume}lifecycle.firstboot = "x"\n[volumes]\n{volumes}\n'
    if mark:
        assert one(text).lifecycle.volume == mark
    else:
        (said,) = wrong(blueprint(USER + text))
        assert said.startswith("lifecycle.firstboot: what runs at the first boot only needs")


def test_14_hooks_are_inherited_from_a_base(tmp_path: Path) -> None:
    for name, text in (
        ("low", 'base = "debian:x"\n[lifecycle]\nboot = "low"\nnotify.file = "hook"\n'),
        ("up", 'base.blueprint = "../low"\n[lifecycle]\nboot = { run = "up", user = "root" }\n'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hook").write_text("")
        head = f'blueprint = 1\nusers.app.uid = 5\nimage.name = "{name}"\nimage.'
        (tmp_path / name / "blueprint.toml").write_text(head + text)
    (planned,) = plan(read(tmp_path / "up"))
    boot, notify = planned.lifecycle.hooks
    assert (boot.command.text, boot.command.user) == ("up", "root")
    assert notify.command.script == tmp_path / "low" / "hook"


def test_14_a_service_that_is_not_enabled_rests_and_nobody_waits_for_it(
    one: Callable[..., Plan],
) -> None:
    tree = context(
        one(
            'services.a = { run = "a", enabled = false }\nservices.b = { run = "b", after = ["a"] }'
        )
    )
    assert own(tree, "services/a/enabled") == "0"
    assert not has(tree, "rootfs/etc/imagegen/services/b/enabled")


# --- 15: health and restarts ----------------------------------------------------------------------


def test_15_what_a_service_is_worth_and_how_often_it_may_fail_is_told(
    one: Callable[..., Plan],
) -> None:
    tree = context(
        one(
            'services.a = "a"\n[services.b]\nrun = "b"\nessential = false\nrestart-limit = 0\n'
            'restart-window = "1h"\nstop-signal = "SIGQUIT"\n'
        )
    )
    keys = ("essential", "restart-limit", "restart-window")
    assert [own(tree, f"services/a/{key}") for key in keys] == ["1", "5", "600"]
    assert [own(tree, f"services/b/{key}") for key in keys] == ["0", "0", "3600"]
    assert own(tree, "services/b/stop-signal") == "SIGQUIT"
    assert not has(tree, "rootfs/etc/imagegen/services/a/stop-signal")


# --- 16: variables, flags and services of the base ------------------------------------------------


def test_16_what_a_variable_must_be_is_told_and_nothing_of_the_others(
    one: Callable[..., Plan],
) -> None:
    tree = context(
        one(
            'volumes.data = "/data"\nservices.s = "s"\nenv.FREE = "x"\n'
            'env.NEEDED = { required = true, description = "which\\n  one" }\n'
            'env.KEY = { secret = true, pattern = "[0-9]+" }\n'
            'env.FIRST = { required = "firstboot", description = "x" }\n'
        )
    )
    folder = "rootfs/etc/imagegen/variables/"
    found = {str(p).removeprefix(folder): content(tree, str(p)) for p in tree if folder in str(p)}
    assert found == {
        "FIRST/required": "firstboot\n",
        "FIRST/description": "x\n",
        "KEY/pattern": "[0-9]+\n",
        "KEY/secret": "yes\n",
        "NEEDED/required": "yes\n",
        "NEEDED/description": "which one\n",
    }


@pytest.mark.parametrize(
    ("words", "env", "argv"),
    [
        ('"s"', {}, ["s"]),
        ('"s"', {"ID": ""}, ["s"]),
        ('"s"', {"ID": "x y", "LEVEL": "-v"}, ["s", "--id", "x y", "--level=-v"]),
        ('"s", "--id", "z"', {"ID": "x"}, ["s", "--id", "z"]),
        ('"s", "--id=z"', {"ID": "x"}, ["s", "--id=z"]),
        ('"s", "--ident", "a --id b"', {"ID": "x"}, ["s", "--ident", "a --id b", "--id", "x"]),
        ('"s", "--level", ""', {"LEVEL": "x"}, ["s", "--level", ""]),
        (
            '"s"',
            {"word": "w", "flag": "f", "ID": "$(id) `id` '\""},
            ["s", "--id", "$(id) `id` '\""],
        ),
    ],
)
def test_16_a_flag_is_added_where_its_variable_is_set_and_it_is_not_given(
    one: Callable[..., Plan], words: str, env: dict[str, str], argv: list[str]
) -> None:
    tree = context(
        one(
            "env = { ID = {}, LEVEL = {} }\n[services.s]\n"
            f'run = [{words}]\nflags = {{ ID = "--id", LEVEL = "--level=" }}\n'
        )
    )
    show = 'for each; do printf "%s\\n" "$each"; done; printf %s "${word-}${flag-}"'
    script = own(tree, "services/s/run/command").replace('exec "$@"', show)
    said = "".join(f"{word}\n" for word in argv) + env.get("word", "") + env.get("flag", "")
    assert sh(script, **env) == said


def test_16_of_a_service_of_the_base_only_enabled_may_be_said(
    one: Callable[..., Plan], blueprint: Write
) -> None:
    planned = one("services.sshd.enabled = true\nservices.cron.enabled = false\n")
    assert planned.base_services == {"cron": False, "sshd": True}
    assert planned.services == ()
    written = content(context(planned), "Dockerfile")
    assert "touch /etc/service/cron/down" in written
    assert "rm -f /etc/service/sshd/down" in written
    (said,) = wrong(blueprint(USER + "services.sshd = { enabled = true, essential = false }\n"))
    assert said == "services.sshd.essential: needs `run`, `file` or `start` beside it"


def test_16_single_runs_one_service(one: Callable[..., Plan], blueprint: Write) -> None:
    assert one('container.init = "single"\nservices.a = "a"\n').init == "single"
    text = 'container.init = "single"\nservices = { a = "a", b = "b" }\n'
    assert "runs exactly one service" in wrong(blueprint(USER + text))[0]


# --- The configuration ----------------------------------------------------------------------------


def test_the_configuration_may_lie_in_a_file_and_have_a_variable_of_its_own(
    one: Callable[..., Plan],
) -> None:
    planned = one(
        'services.s = "s"\nconfig = { file = "c.json", env = "APP" }\n',
        {"c.json": '\ufeff{"a": null, "b": {"c": 1.5}}'},
    )
    assert planned.config
    assert (planned.config.variable, planned.config.defaults) == (
        "APP",
        {"a": None, "b": {"c": 1.5}},
    )
    tree = context(planned)
    assert own(tree, "config/variable") == "APP"
    assert json.loads(own(tree, "config/defaults.json")) == {"a": None, "b": {"c": 1.5}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON: line 1, column 2: "),
        ('{"a": NaN}', "is not valid JSON: it has no NaN"),
        ("1", "must hold a JSON object"),
        ("[" * 5000, "is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "holds a number that is too long"),
        ("", "is not valid JSON: line 1, column 1: "),
    ],
)
def test_a_file_that_holds_no_object_is_told_with_its_place(
    blueprint: Write, text: str, said: str
) -> None:
    (message,) = wrong(blueprint('config.file = "c.json"\n', {"c.json": text}))
    assert said in message


def test_a_schema_is_loaded_only_where_there_is_one(blueprint: Write) -> None:
    script = "import sys; from imagegen.read import read; from pathlib import Path\n"
    script += "read(Path(sys.argv[1])); print('jsonschema' in sys.modules)"
    for text, loaded in (("config.defaults = {}\n", False), ('config.schema = "s.json"\n', True)):
        path = blueprint(text, {"s.json": "{}"})
        done = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{loaded}\n"


def test_a_schema_is_never_downloaded(blueprint: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        pytest.fail("something is downloaded")

    monkeypatch.setattr("urllib.request.urlopen", opened)
    schema = '{"$ref": "https://example.org/schema.json"}'
    (said,) = wrong(blueprint('config.schema = "s.json"\n', {"s.json": schema}))
    assert "refers to https://example.org/schema.json" in said


# --- Regular expressions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        *("a|b", "a+b?", "(a|b)*", "[[:alpha:]_]+", "[^[:space:]]*", r"[\.]+", "[]x]+", "[^]x]+"),
        *(
            "[a-c]{2,3}",
            r"a\.b",
            "[[]",
            "[a^]",
            r"[\]]*",
            "[[:digit:][:upper:]-]+",
            "x{0}",
            "[&|~]+",
        ),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        "a",
        "ab",
        "ABC-1",
        "a.b",
        "]",
        "[",
        "x]",
        "\\",
        ".",
        " ",
        "aa",
        "abcabc",
        "^",
        "&&",
        "\\]",
        "1",
    ],
)
def test_python_finds_what_grep_finds(expression: str, value: str) -> None:
    found = subprocess.run(
        ["grep", "-Eqx", "-e", expression], input=value, text=True, check=False
    ).returncode
    assert (compiled(expression).fullmatch(value) is not None) == (found == 0)


@pytest.mark.parametrize("expression", [r"\d", "(?i)a", "(", "[[:nothing:]]", "a{2,1}", "*["])
def test_what_is_no_extended_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"expression"):
        compiled(expression)


# --- Zone and locale ------------------------------------------------------------------------------


def test_zone_and_locale_are_set_once_in_a_chain(tmp_path: Path) -> None:
    for name, text in (
        ("low", 'base = "debian:x"\ncontainer = { timezone = "UTC", locale = "de_DE.UTF-8" }\n'),
        ("up", 'base.blueprint = "../low"\ncontainer.workdir = "/srv"\n'),
    ):
        (tmp_path / name).mkdir()
        head = f'blueprint = 1\nimage.name = "{name}"\nimage.'
        (tmp_path / name / "blueprint.toml").write_text(head + text)
    (up,) = plan(read(tmp_path / "up"))
    assert up.parent
    low = content(context(up.parent), "Dockerfile")
    assert "ln -snf /usr/share/zoneinfo/UTC /etc/localtime" in low
    assert "-i de_DE -f UTF-8 de_DE.UTF-8" in low
    assert up.env == {"LANG": "de_DE.UTF-8", "TZ": "UTC"}
    written = content(context(up, "low"), "Dockerfile")
    assert not {"localtime", "localedef", "TZ", "tzdata"} & set(written.replace("/", " ").split())
    assert "\nWORKDIR /srv\n" in written


def test_a_locale_that_is_always_there_is_not_made(one: Callable[..., Plan]) -> None:
    written = content(context(one('container.locale = "C.UTF-8"\n')), "Dockerfile")
    assert 'ENV LANG="C.UTF-8"\n' in written
    assert "apt-get" not in written


# --- What check notes -----------------------------------------------------------------------------


def test_a_key_without_effect_is_noted_unless_it_says_what_is_so_already(blueprint: Write) -> None:
    def noted(text: str) -> list[str]:
        return [note.message for note in notes(read(blueprint(USER + text)))]

    not_yet = "is checked and planned, but nothing acts on it yet"
    service = 'services.web = { run = "web", restart = "on-failure", log = "stdout" }\n'
    assert noted(service) == [f"services.web.restart: {not_yet}"]
    assert noted('container = { init = "runit", syslog = true }\n') == [
        f"container.syslog: {not_yet}"
    ]
    assert noted('services.web = { run = "web", restart = "always" }\n') == []
