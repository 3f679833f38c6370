"""What `{{ name }}` means, and where: rule 9 of the language."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.errors import BlueprintError
from imagegen.language import Blueprint
from imagegen.read import read

HEAD = """
blueprint = 1
image = { name = "web", version = "4.5.6-rc1", base = "debian:bookworm-slim" }
"""
TABLES = """
args = { home = "/srv/{{ image.name }}", app = "2.7.15", v = "v3", word = "noble", a-b = "x" }
users = { app.uid = 1, db = { uid = 2, home = "{{ home }}/db" } }
ports = { web = 8080, db = { port = 5432 }, major = 81 }
volumes = { data = "/data", cache = { path = "{{ home }}/cache" } }
"""

Filled = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    path = tmp_path / "b.toml"

    def written(text: str) -> Path:
        path.write_text(HEAD + text)
        return path

    return written


@pytest.fixture
def one(write: Callable[[str], Path]) -> Callable[[str], Blueprint]:
    """Read a blueprint of one variant."""

    def blueprint(text: str) -> Blueprint:
        [variant] = read(write(text))
        return variant.blueprint

    return blueprint


@pytest.fixture
def complaints(write: Callable[[str], Path]) -> Callable[[str], list[str]]:
    """Read a wrong blueprint."""

    def messages(text: str) -> list[str]:
        with pytest.raises(BlueprintError) as caught:
            read(write(text))
        return [problem.message for problem in caught.value.problems]

    return messages


@pytest.fixture
def filled(one: Callable[[str], Blueprint]) -> Filled:
    """Fill in one text."""

    def fill(text: str) -> str:
        default = one(f"{TABLES}\nenv.X = '{text}'").env["X"].default
        assert default is not None
        return default

    return fill


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{{ app }}", "2.7.15", id="an arg"),
        pytest.param("{{app}}", "2.7.15", id="without blanks"),
        pytest.param("{{\tapp  }}", "2.7.15", id="with many blanks"),
        pytest.param("{{ a-b }}", "x", id="a name with a hyphen"),
        pytest.param("-{{ v }}{{ v }}-", "-v3v3-", id="twice"),
        pytest.param("{{ home }}", "/srv/web", id="an arg that uses another name"),
        pytest.param("{{ image.name }}", "web", id="the image's name"),
        pytest.param("{{ image.version }}", "4.5.6-rc1", id="the image's version"),
        pytest.param("{{ ports.web }}", "8080", id="a port given as a number"),
        pytest.param("{{ ports.db }}", "5432", id="a port given as a table"),
        pytest.param("{{ ports.major }}", "81", id="a port that is called like a part"),
        pytest.param("{{ volumes.data }}", "/data", id="a volume given as a string"),
        pytest.param("{{ volumes.cache }}", "/srv/web/cache", id="a volume given as a table"),
        pytest.param("{{ users.app.home }}", "/home/app", id="the home that a user gets"),
        pytest.param("{{ users.db.home }}", "/srv/web/db", id="the home that a user has"),
        pytest.param("{{ app.major }}", "2", id="the major number"),
        pytest.param("{{ app.minor }}", "7", id="the minor number"),
        pytest.param("{{ app.patch }}", "15", id="the patch number"),
        pytest.param("{{ v.major }}", "3", id="of a version with a v"),
        pytest.param("{{ image.version.patch }}", "6", id="of a version with more"),
    ],
)
def test_a_name_is_filled_in(filled: Filled, text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{.ID}}",
        "{{ .ID }}",
        "{{json .}}",
        "{{ app | upper }}",
        "{{ app.major + 1 }}",
        "{{ range .Items }}",
        "{ { app } }",
        "{{ app }",
        "{{}}",
        "{% app %}",
        "${app}",
        "{{ app. }}",
        "{{ -app }}",
    ],
)
def test_what_is_no_name_stays(filled: Filled, text: str) -> None:
    assert filled(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{{{", "{{"),
        ("{{{{ app }}", "{{ app }}"),
        ("{{{{ nowhere }}", "{{ nowhere }}"),
        ("{{{{{{{{", "{{{{"),
        ("{{{{{{ app }}", "{{2.7.15"),
        ("{{{ app }}}", "{2.7.15}"),
        ("}}}}", "}}}}"),
    ],
)
def test_four_braces_write_two(filled: Filled, text: str, expected: str) -> None:
    assert filled(text) == expected


def test_what_was_filled_in_is_not_filled_in_again(one: Callable[[str], Blueprint]) -> None:
    blueprint = one('args = { a = "{{{{ b }}", b = "x" }\nenv.X = "{{ a }}"')
    assert blueprint.env["X"].default == "{{ b }}"


def test_args_may_use_args_in_any_order(one: Callable[[str], Blueprint]) -> None:
    blueprint = one('args = { a = "{{ b }}a", b = "{{ c }}b", c = "c" }\nenv.X = "{{ a }}"')
    assert blueprint.args == {"a": "cba", "b": "cb", "c": "c"}
    assert blueprint.env["X"].default == "cba"


def test_names_are_filled_in_in_every_string(one: Callable[[str], Blueprint]) -> None:
    blueprint = one(
        """
        args.x = "1.2"
        packages.apt = ["a{{ x }}"]
        steps = [{ run = ["echo", "{{ x }}"], env.A = "{{ x }}" }]
        config.defaults = { a = [{ b = "{{ x }}", "{{ x }}" = 1 }] }
        tags.release = ["v{{ x }}"]
        """
    )
    assert blueprint.packages.apt.install == ("a1.2",)
    assert blueprint.steps[0].run == ("echo", "1.2")
    assert blueprint.steps[0].env == {"A": "1.2"}
    assert blueprint.config.defaults == {"a": [{"b": "1.2", "{{ x }}": 1}]}
    assert blueprint.tags.release == ("v1.2",)


def test_the_keys_of_files_and_logs_are_filled_in(one: Callable[[str], Blueprint]) -> None:
    blueprint = one(
        """
        args.home = "/srv"
        users.app.uid = 1
        files."{{ home }}/f".text = "{{ home }}"
        logs."{{ home }}/log/*.log".delete-after = "1d"
        """
    )
    assert blueprint.files["/srv/f"].text == "/srv"
    assert list(blueprint.logs) == ["/srv/log/*.log"]


def test_other_keys_are_not_filled_in(one: Callable[[str], Blueprint]) -> None:
    blueprint = one('args.x = "1"\ntags.branch."{{ x }}" = ["a"]')
    assert blueprint.tags.branch == {"{{ x }}": ("a",)}


def test_an_axis_is_a_name(write: Callable[[str], Path]) -> None:
    variants = read(
        write(
            """
            matrix.axes.p = ["3.10", "3.9"]
            matrix.suffix = "-{{ p.minor }}"
            env.X = "{{ p }}"
            """
        )
    )
    assert [(v.blueprint.matrix.suffix, v.blueprint.env["X"].default) for v in variants] == [
        ("-10", "3.10"),
        ("-9", "3.9"),
    ]


def test_axes_are_not_filled_in(write: Callable[[str], Path]) -> None:
    text = (
        'args.v = "3"\nmatrix = { axes.p = ["{{ v }}"], default.p = "{{ v }}" }\nenv.X = "{{ p }}"'
    )
    [variant] = read(write(text))
    assert variant.axes == {"p": "{{ v }}"}
    assert variant.blueprint.matrix.default == {"p": "{{ v }}"}
    assert variant.blueprint.env["X"].default == "{{ v }}"


def test_git_is_filled_in_when_the_tags_are_made(one: Callable[[str], Blueprint]) -> None:
    blueprint = one(
        """
        args.v = "{{ git.version.major }}"
        tags.release = ["{{ git.version }}", "{{git.tag}}-x", "{{ v }}"]
        """
    )
    assert blueprint.tags.release == (
        "{{ git.version }}",
        "{{ git.tag }}-x",
        "{{ git.version.major }}",
    )


def test_the_version_of_the_image_may_come_from_git(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text(
        """
        blueprint = 1
        image = { name = "web", version = "{{ git.version }}", base = "debian:12" }
        tags.release = ["{{ image.version }}", "{{ image.version.major }}"]
        """
    )
    [variant] = read(path)
    assert variant.blueprint.image.version == "{{ git.version }}"
    assert variant.blueprint.tags.release == ("{{ git.version }}", "{{ git.version.major }}")


def test_git_is_not_known_where_the_image_is_built(
    complaints: Callable[[str], list[str]],
) -> None:
    where = "is known only in [tags], image.version and the labels"
    assert complaints('args.sha = "{{ git.sha }}"\nsteps = ["echo {{ sha }} {{ git.tag }}"]') == [
        f"steps[0]: {{{{ sha }}}} holds a name of git, which {where}",
        f"steps[0]: {{{{ git.tag }}}} {where}",
    ]


def test_an_unknown_name_is_told_with_the_nearest(complaints: Callable[[str], list[str]]) -> None:
    assert complaints('args.home = "/"\nenv.X = "{{ hone }}"') == [
        "env.X: unknown name {{ hone }}; did you mean {{ home }}?"
    ]


def test_what_follows_from_an_unknown_name_is_not_told(
    complaints: Callable[[str], list[str]],
) -> None:
    assert complaints(
        """
        args = { home = "{{ hone }}", deep = "{{ home }}/deep", n = "{{ deep.major }}" }
        users = { "app" = { uid = 1, home = "{{ deep }}" } }
        files."{{ deep }}/x" = { file = "{{ n }}" }
        volumes.data = "{{ users.app.home }}"
        services.a = { run = "{{ n }}", after = ["{{ n }}"], user = "{{ n }}" }
        """
    ) == ["args.home: unknown name {{ hone }}; did you mean {{ home }}?"]


def test_a_name_of_something_wrong_is_not_told_again(
    complaints: Callable[[str], list[str]],
) -> None:
    assert complaints(
        """
        args.list = ["a"]
        ports = { a = "b", c = {} }
        env = { A = "{{ ports.a }}", B = "{{ ports.c }}", C = "{{ list }}" }
        """
    ) == [
        "args.list: must be a string, not a list",
        "ports.a: must be a whole number, not a string",
        "ports.c: `port` is missing; write it as in port = 8080",
    ]


@pytest.mark.parametrize(
    ("args", "circle"),
    [
        ('a = "{{ a }}"', "a → a"),
        ('a = "{{ b }}", b = "{{ a }}"', "b → a → b"),
        ('a = "{{ b }}", b = "{{ volumes.v }}"', "b → volumes.v → a → b"),
    ],
)
def test_names_may_not_go_in_a_circle(
    complaints: Callable[[str], list[str]], args: str, circle: str
) -> None:
    [message] = complaints(f'args = {{ {args} }}\nvolumes.v = "/{{{{ a }}}}"')
    assert message.endswith(f"names go in a circle: {circle}")


def test_names_may_not_lead_on_for_ever(complaints: Callable[[str], list[str]]) -> None:
    links = ", ".join(f'a{n} = "{{{{ a{n + 1} }}}}"' for n in range(1000))
    assert any("names lead to names" in said for said in complaints(f"args = {{ {links} }}"))


def test_names_may_not_grow_for_ever(complaints: Callable[[str], list[str]]) -> None:
    doubles = ", ".join(f'a{n} = "{{{{ a{n + 1} }}}}{{{{ a{n + 1} }}}}"' for n in range(30))
    [message] = complaints(f'args = {{ {doubles}, a30 = "0123456789" }}')
    assert message.endswith("what the names stand for grows beyond 1 MiB")
