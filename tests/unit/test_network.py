"""How build steps reach the network: settings, certificates, and the secret that tells them."""

import os
import ssl
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from test_lint import passes

from imagegen.act.network import LARGEST, certificates, network, told
from imagegen.errors import ImagegenError, SettingsError
from imagegen.language.settings import Build, Settings
from imagegen.read.settings import read_settings, settings_path
from imagegen.render.network import DIRECT, Network, script

TOP = Path(__file__).parents[2]
PROXY = "http://me:pass%40word@proxy.example.org:3128"
CERTIFICATE = (Path(__file__).parent / "recorded" / "authority.pem").read_text()


# --- settings -------------------------------------------------------------------------------------


def complaint(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{folder}/", "")


def test_settings_that_are_not_there_say_nothing(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "settings.toml") == Settings()


def test_settings_are_where_the_desktop_standard_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    usual = Path("/home/me/.config/imagegen/settings.toml")
    assert settings_path({}) == usual
    assert settings_path({"XDG_CONFIG_HOME": "relative"}) == usual
    assert settings_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/imagegen/settings.toml")


def test_every_setting_arrives(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[build]\nca-bundle = "/ca.pem"\nhttp-proxy = "{PROXY}"\nhttps-proxy = "{PROXY}"\n'
        'no-proxy = "localhost,.example.org"\n'
    )
    assert read_settings(path).model_dump() == {
        "build": {
            "ca_bundle": "/ca.pem",
            "http_proxy": PROXY,
            "https_proxy": PROXY,
            "no_proxy": "localhost,.example.org",
        }
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[build]\nca-bundel = 1\n", "build.ca-bundel: unknown key; did you mean `ca-bundle`?"),
        ('ca-bundle = "x"\n', "ca-bundle: unknown key; `ca-bundle` belongs into [build]"),
        ("[build]\nca-bundle = true\n", "build.ca-bundle: must be a string, not true"),
        ("build = 1\n", "build: must be a table, not a number; its keys are: ca-bundle,"),
        ('[build]\nhttp-proxy = "proxy:3128"\n', "build.http-proxy: is no address of a proxy;"),
        ("[build\n", "TOML syntax: `]` is missing"),
    ],
)
def test_a_mistake_is_told_as_that_of_a_blueprint(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        '[build]\nhttp-proxy = "htp://me:hunter2@proxy"\n',
        '[build]\nhttp-proxy = "me:hunter2"\n',
        '[build]\nhttps-prox = "http://me:hunter2@proxy"\n',
        'build.http-proxy = "http://me:hunter2\n',
        "build.http-proxy = 'http://me:hunter2@proxy' x\n",
        'build.http-proxy = """\nhttp://me:hunter2@proxy\n',
        "build.http-proxy = http://me:hunter2@proxy\n",
        "build = { http-proxy = ['http://me:hunter2@proxy'] }\n",
    ],
)
def test_no_complaint_shows_a_password(tmp_path: Path, text: str) -> None:
    assert "hunter2" not in complaint(tmp_path, text)


# --- certificates ---------------------------------------------------------------------------------


def test_only_certificates_are_taken_each_once(tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    key = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"
    path.write_text(f"a comment\n{CERTIFICATE}{key}{CERTIFICATE}".replace("\n", "\r\n"))
    assert certificates(path) == CERTIFICATE


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read: No such file or directory"),
        (b"", "holds no certificate as text; PEM text is needed"),
        (b"\x30\x82\x01\x00", "make it with: openssl x509 -inform der -in"),
        (CERTIFICATE.replace("M", "A").encode(), "its certificate 1 is damaged"),
        (b"x" * (16 * 2**20 + 1), "is too large for certificates"),
    ],
)
def test_a_bundle_that_is_none_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImagegenError, match="the CA bundle ") as caught:
        certificates(path)
    assert said in str(caught.value)


def test_more_certificates_than_a_secret_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagegen.act.network.LARGEST", 100)
    path = tmp_path / "ca.pem"
    path.write_text(CERTIFICATE)
    with pytest.raises(ImagegenError, match="leave out the public ones"):
        certificates(path)
    assert LARGEST > 400_000  # as much as all public authorities, twice


def test_the_command_line_wins_over_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(CERTIFICATE)
    settings = Settings(build=Build.model_validate({"ca-bundle": "/missing", "no-proxy": "x"}))
    assert network(settings, path) == Network(certificates=CERTIFICATE, no_proxy="x")
    with pytest.raises(ImagegenError, match="/missing"):
        network(settings, None)


# --- the secret -----------------------------------------------------------------------------------


def test_without_settings_there_is_no_secret() -> None:
    assert not DIRECT
    with told(DIRECT) as secrets:
        assert secrets == ()


def test_only_the_user_may_read_the_secret_and_it_goes_also_when_the_build_fails() -> None:
    path = Path()
    with suppress(ZeroDivisionError), told(Network(no_proxy="x")) as (secret,):
        path = Path(secret.partition('"src=')[2].rstrip('"'))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        raise ZeroDivisionError
    assert path.name == "network.sh"
    assert not path.parent.exists()


def test_the_script_sets_what_programs_look_for(tmp_path: Path) -> None:
    """Source it as a RUN does; /dev/shm is another folder here."""
    said = script(Network(CERTIFICATE, PROXY, "http://it's", "a,$(b)"))
    text = said.replace("/dev/shm", str(tmp_path)).replace("/etc/ssl/certs", str(tmp_path))  # noqa: S108
    (tmp_path / "ca-certificates.crt").write_text("public\n")
    (tmp_path / "s").write_text(text)
    run = f"umask 077; . {tmp_path}/s; umask; env"
    done = subprocess.run(
        ["sh", "-euc", run], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    mask, *lines = done.stdout.decode().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    bundle = tmp_path / "imagegen-ca.crt"
    assert mask == "0077"
    assert bundle.read_text() == f"public\n{CERTIFICATE}"
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o644
    for name, value in {
        "http_proxy": PROXY,
        "https_proxy": "http://it's",
        "no_proxy": "a,$(b)",
    }.items():
        assert found[name] == found[name.upper()] == value
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"):
        assert found[name] == str(bundle)
    assert Path(found["APT_CONFIG"]).read_text() == f'Acquire::https::CAInfo "{bundle}";\n'
    assert Path(found["WGETRC"]).read_text() == f"ca_certificate = {bundle}\n"
    assert not [name for name in found if name.startswith("imagegen")]


def test_the_script_is_clean_for_shellcheck(tmp_path: Path) -> None:
    path = tmp_path / "network.sh"
    path.write_text(script(Network(CERTIFICATE, PROXY, PROXY, "x")))
    passes("shellcheck", "--shell=sh", path)


def test_what_a_build_says_of_a_password_is_covered() -> None:
    one = Network(http_proxy=PROXY, https_proxy="http://token@proxy")
    said = f"can't reach {PROXY}, not with pass@word or token"
    assert one.covered(said) == (
        "can't reach http://***@proxy.example.org:3128, not with *** or ***"
    )
    assert DIRECT.covered(said) == said
    assert "pass" not in repr(one)


def test_the_page_names_every_setting_and_variable() -> None:
    page = (TOP / "docs" / "network.md").read_text()
    for name in ("ca-bundle", "http-proxy", "https-proxy", "no-proxy"):
        assert f"`{name}`" in page
    for name in ("IMAGEGEN_CA_BUNDLE", "imagegen-network", "--ca-bundle", "APT_CONFIG", "WGETRC"):
        assert name in page
    assert ssl.PEM_cert_to_DER_cert(CERTIFICATE)
