"""What happens once in the life of a container, in which order, and what when that fails."""

import json
import os
import random
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from filelock import FileLock

from conftest import Box, Start, imagegen, wait_for

pytestmark = [pytest.mark.container, pytest.mark.usefixtures("lifecycle")]

BLUEPRINT = Path(__file__).parents[1] / "blueprints" / "lifecycle"
IMAGE = "test-lifecycle:local"
LICENSE = {"LICENSE": "abc"}
KILLS = 15


@pytest.fixture(scope="session")
def lifecycle(tmp_path_factory: pytest.TempPathFactory, once: Callable[[str], FileLock]) -> None:
    """The image, built by whichever worker comes first."""
    folder = tmp_path_factory.mktemp("copy") / "lifecycle"
    shutil.copytree(BLUEPRINT, folder)
    with once("lifecycle"):
        done = imagegen("build", folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def volume(engine: docker.DockerClient) -> Iterator[str]:
    """A new volume, which goes with the test."""
    made = engine.volumes.create(f"test-lifecycle-{uuid.uuid4().hex[:8]}")
    yield made.name
    made.remove(force=True)


@pytest.fixture
def boot(volume: str, start: Start, tmp_path: Path) -> Callable[..., Box]:
    """Start a container on the volume: `boot(firstboot="exit 3")` says what hooks do."""

    def run(
        version: str = "",
        env: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        **hooks: str,
    ) -> Box:
        mounts = {volume: {"bind": "/data", "mode": "rw"}}
        if version:
            file = tmp_path / f"version-{version}"
            file.write_text(f"{version}\n")
            mounts[str(file)] = {"bind": "/etc/imagegen/version", "mode": "ro"}
        does = {f"DO_{name.upper()}": script for name, script in hooks.items()}
        return start(
            IMAGE, env=(LICENSE if env is None else env) | does, volumes=mounts, **(options or {})
        )

    return run


Boot = Callable[..., Box]


def states(box: Box) -> list[str]:
    """List the states in the order of the log, each once."""
    words = [line.split()[1].rstrip(":") for line in box.log().splitlines() if _tells(line)]
    return [word for word, before in zip(words, ["", *words], strict=False) if word != before]


def _tells(line: str) -> bool:
    head, _, rest = line.partition(": ")
    return head == "imagegen" and rest.split(":")[0].split()[0].isupper()


def last(box: Box) -> str:
    return [line for line in box.log().splitlines() if line.startswith("imagegen: ")][-1]


def marks(box: Box) -> list[str]:
    return sorted(box.sh("ls /data/.imagegen").split())


def order(log: str, *lines: str) -> None:
    """The log has these lines, in this order."""
    places = [log.find(line) for line in lines]
    assert -1 not in places, (lines, log)
    assert places == sorted(places), log


# --- the order ------------------------------------------------------------------------------------


def test_hooks_run_in_their_order_and_services_that_they_need_are_up_meanwhile(boot: Boot) -> None:
    box = boot(
        boot='id -un; pwd; echo "$GREETING"; test ! -e /tmp/db',
        firstboot="id -un; test -e /tmp/web; test ! -e /tmp/last",
        warmup="test -e /tmp/last",
    ).up()
    code, _ = box.stop()
    assert (code, states(box)) == (
        0,
        ["DOCKERUP", "BOOT", "FIRSTBOOT", "WARMUP", "UP", "STOPPING", "STOPPED"],
    )
    order(
        box.log(),
        *("boot: begins", "boot: root", "boot: /srv", "boot: hello abc", "boot: ends"),
        *("db: is up", "web: is up", "firstboot: begins", "firstboot: app", "firstboot: ends"),
        *("imagegen: WARMUP", "last: is up", "warmup: begins", "warmup: ends", "imagegen: UP"),
        *("pre-stop: begins", "pre-stop: ends", "last: stopped", "web: stopped", "db: stopped"),
        *("post-stop: begins", "post-stop: ends", "imagegen: STOPPED: exit code 0"),
    )
    assert box.log().count("db: begins") == 1
    assert box.file("/run/imagegen/state")[0].startswith("DOCKERDOWN ")


@pytest.mark.parametrize("hook", ["boot", "firstboot", "upgrade", "warmup"])
def test_a_hook_that_fails_ends_the_start_and_says_which_and_why(boot: Boot, hook: str) -> None:
    version = ""
    if hook == "upgrade":
        boot("1.8.0").up().stop()
    box = boot(version, **{hook: "echo trouble >&2; exit 3"})
    assert box.exit_code() == 75
    assert last(box) == f"imagegen: ERROR: {hook} failed: exit code 3; exit code 75"
    assert f"{hook}: trouble\n" in box.log()
    assert "UP" not in states(box)
    assert "pre-stop: begins" not in box.log()
    if hook == "firstboot":  # what was started for it is stopped in reverse order
        order(box.log(), "imagegen: STOPPING", "web: stopped", "db: stopped", "imagegen: ERROR")


def test_a_hook_that_hangs_is_ended_with_all_that_it_began(boot: Boot) -> None:
    box = boot(firstboot="trap '' TERM; setsid sleep 77 & sleep 78 & while :; do sleep 1; done")
    wait_for(lambda: "firstboot: begins" in box.log())
    began = time.monotonic()
    assert box.exit_code() == 75
    assert 2 < time.monotonic() - began < 15
    assert last(box).endswith("firstboot failed: it had not ended after 3 s; exit code 75")
    assert "firstboot: does not end in time, KILL:" in box.log()


def test_what_a_hook_leaves_running_is_ended_with_it(boot: Boot) -> None:
    box = boot(boot="(setsid sleep 77) >/dev/null 2>&1 &").up()
    assert box.sh("cat /proc/[0-9]*/cmdline 2>&- | tr '\\0' ' ' | grep -o '[s]leep 77'") == ""


def test_hooks_of_the_stop_may_fail_and_hang(boot: Boot) -> None:
    box = boot(pre_stop="exit 4", post_stop="sleep 60").up()
    code, took = box.stop()
    assert code == 0
    assert took < 12
    order(
        box.log(),
        "imagegen: pre-stop failed: exit code 4; the stop goes on",
        "last: stopped",
        "imagegen: post-stop failed: it had not ended after 2 s; the stop goes on",
        "imagegen: STOPPED: exit code 0",
    )


@pytest.mark.parametrize("hook", ["boot", "firstboot", "upgrade", "warmup", "services"])
def test_a_stop_ends_any_stage_at_once_and_it_is_never_up(boot: Boot, hook: str) -> None:
    if hook == "upgrade":
        boot("1.8.0").up().stop()
    if hook == "services":
        box = boot(env=LICENSE | {"DELAY": "30"})
        wait_for(lambda: "waits for db" in box.log())
    else:
        box = boot(**{hook: "trap '' TERM; sleep 30; sleep 30"})
        wait_for(lambda: f"{hook}: begins" in box.log())
    code, took = box.stop()
    assert code == 143
    assert took < 12  # 2 s for the hook, 4 s for a service that does not listen; twice
    assert "UP" not in states(box)
    assert last(box) == "imagegen: STOPPED: before it was UP, by signal TERM; exit code 143"


def test_signals_that_come_together_make_one_stop(boot: Boot) -> None:
    box = boot(boot="sleep 1").up()
    box.sh("kill -TERM 1; kill -HUP 1; kill -TERM 1; kill -INT 1")
    assert box.exit_code() == 0
    assert states(box).count("STOPPING") == 1
    assert box.log().count("pre-stop: begins") == 1


# --- the first boot -------------------------------------------------------------------------------


def test_the_first_boot_is_done_once_and_its_variables_are_needed_until_then(boot: Boot) -> None:
    bare = boot(env={})
    assert bare.exit_code() == 78
    assert "imagegen: LICENSE is required, and not set: what the first boot" in bare.log()
    first = boot().up()
    assert marks(first) == ["firstboot.done", "lock"]
    version, moment, digest = first.sh("cat /data/.imagegen/firstboot.done").splitlines()
    assert (version, moment[-1], digest.partition(":")[0]) == ("1.9.0", "Z", "sha256")
    first.stop()
    for _ in range(2):
        again = boot(env={}).up()
        assert "firstboot" not in again.log()
        assert "FIRSTBOOT" not in states(again)
        again.stop()


def test_a_first_boot_that_failed_runs_again_and_is_told_so(boot: Boot) -> None:
    does = 'echo "retry <${IMAGEGEN_FIRSTBOOT_RETRY-}>"'
    failed = boot(firstboot=f"{does}; exit 1")
    assert failed.exit_code() == 75
    assert "firstboot: retry <>\n" in failed.log()
    killed = boot(firstboot=f"{does}; sleep 60")
    wait_for(lambda: "firstboot: retry <1>\n" in killed.log())
    killed.container.kill()
    done = boot(firstboot=does).up()
    assert marks(done) == ["firstboot.done", "lock"]
    assert "firstboot: retry <1>\n" in done.log()
    assert "imagegen: FIRSTBOOT: again, for it was not finished\n" in done.log()


def test_a_first_boot_is_never_doubled_nor_lost_however_often_it_is_killed(boot: Boot) -> None:
    """Containers are killed at any moment; the hook writes down that it ran, and to the end."""
    does = (
        'echo "begin ${IMAGEGEN_FIRSTBOOT_RETRY-0}" >>/data/runs; sleep 0.3; echo end >>/data/runs'
    )
    moments = random.Random(20)  # noqa: S311 -- the same at each run
    runs: list[str] = []
    for _ in range(KILLS):
        box = boot(firstboot=does)
        time.sleep(moments.uniform(0, 2))
        box.container.kill()
        was_up = "imagegen: UP" in box.log()
        runs = _runs(box)
        assert runs.count("begin 0") <= 1
        assert not was_up or "end" in runs
    box = boot(firstboot=does).up()
    after = _runs(box)
    assert after.count("begin 0") <= 1
    assert "end" in after
    assert marks(box) == ["firstboot.done", "lock"]
    box.container.kill()
    assert _runs(boot(firstboot=does).up()) == after


def _runs(box: Box) -> list[str]:
    try:
        return box.file("/data/runs")
    except docker.errors.NotFound:
        return []


# --- the upgrade ----------------------------------------------------------------------------------


def test_an_upgrade_runs_when_the_version_has_changed_and_a_downgrade_is_refused(
    boot: Boot,
) -> None:
    does = 'echo "$IMAGEGEN_UPGRADE_FROM to $IMAGEGEN_UPGRADE_TO ${IMAGEGEN_UPGRADE_RETRY-}"'
    boot("1.10.0-rc1", upgrade=does).up().stop()
    failed = boot("1.10.0", upgrade=f"{does}; exit 1")
    assert failed.exit_code() == 75
    for version in ("1.9.0", "1.10.0-rc1"):
        refused = boot(version, boot="echo touched")
        assert refused.exit_code() == 78
        assert last(refused) == (
            "imagegen: ERROR: the data on the volume data are of version "
            f"1.10.0, and this is {version}: an older version is not let to them; exit code 78"
        )
        assert "touched" not in refused.log()
    done = boot("1.10.0", upgrade=does).up()
    assert "upgrade: 1.10.0-rc1 to 1.10.0 1\n" in done.log()
    assert states(done)[1:3] == ["BOOT", "UPGRADING"]
    assert marks(done) == ["firstboot.done", "lock", "upgrade.done"]
    done.stop()
    assert "UPGRADING" not in states(boot("1.10.0").up())


# --- volumes --------------------------------------------------------------------------------------


def test_a_second_container_on_the_volume_ends_and_the_first_goes_on(boot: Boot) -> None:
    first = boot().up()
    for user in ("", "2143"):
        second = boot(options={"user": user} if user else None)
        assert second.exit_code() == 75
        assert last(second) == (
            "imagegen: ERROR: /data is in use by another container, and is for one at a time; "
            "exit code 75"
        )
        assert "BOOT" not in states(second)
    assert first.state() == "UP"
    first.stop()
    boot().up()


def test_a_lock_that_is_lost_is_held_again(boot: Boot) -> None:
    first = boot().up()
    first.sh(
        "for p in /proc/[0-9]*; do"
        ' case $(tr "\\0" " " <$p/cmdline) in "sleep infinity "*) kill ${p#/proc/};; esac; done',
        user="app",
    )
    wait_for(lambda: "imagegen: the lock of the volume data was lost, and is held" in first.log())
    assert boot().exit_code() == 75


def test_a_volume_that_can_not_be_written_is_named_with_user_and_mode(
    start: Start, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    mount = {str(tmp_path): {"bind": "/data", "mode": "rw"}}
    for options in ({}, {"user": "2143"}, {"user": "150000:0"}):
        uid = options.get("user", "2143").partition(":")[0]
        box = start(IMAGE, env=LICENSE, volumes=mount, **options)
        assert box.exit_code() == 73
        assert last(box) == (
            f"imagegen: ERROR: /data cannot be written by user {uid}: "
            "it is drwxr-xr-x, user 0, group 0; exit code 73"
        )
    assert [*tmp_path.iterdir()] == []


def test_links_that_are_planted_on_the_volume_are_not_followed(
    boot: Boot, engine: docker.DockerClient, volume: str
) -> None:
    def plant(script: str) -> None:
        engine.containers.run(
            IMAGE,
            ["-c", script],
            entrypoint="sh",
            user="0",
            remove=True,
            volumes={volume: {"bind": "/data", "mode": "rw"}},
        )

    plant("ln -s /srv /data/.imagegen")
    box = boot()
    assert box.exit_code() == 73
    assert "/data/.imagegen is a link, which is not followed: remove it; exit" in last(box)
    # The volume's user may do that in its folder; there, the runtime can do no more than that user.
    plant(
        "cd /data; rm .imagegen; mkdir .imagegen; chown 2143 . .imagegen;"
        "ln -s /etc/x .imagegen/firstboot.new"
    )
    up = boot().up()
    assert up.sh("ls /etc/x 2>&1; stat -c %u /data/.imagegen/*").split()[-2:] == ["2143", "2143"]
    up.stop()


@pytest.mark.parametrize("user", ["2143", "150000:0"])
def test_a_container_that_is_not_root_remembers_and_holds_as_its_own_user(
    start: Start, user: str, tmp_path: Path
) -> None:
    tmp_path.chmod(0o2770)
    os.chown(tmp_path, 2143, 0)
    options = {
        "user": user,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "volumes": {str(tmp_path): {"bind": "/data", "mode": "rw"}},
        "read_only": True,
        "tmpfs": {"/tmp": "", "/run/imagegen": "mode=1777"},  # noqa: S108 -- in the container
    }
    box = start(IMAGE, env=LICENSE | {"DO_FIRSTBOOT": "id -u"}, **options).up()
    assert f"firstboot: {user.partition(':')[0]}\n" in box.log()
    assert marks(box) == ["firstboot.done", "lock"]
    assert start(IMAGE, env=LICENSE, **options).exit_code() == 75
    assert box.stop()[0] == 0
    # Another user of the same group may go on with it, as under OpenShift.
    other = start(IMAGE, **(options | {"user": "160000:0"})).up()
    assert "FIRSTBOOT" not in states(other)


# --- notices --------------------------------------------------------------------------------------


def test_notify_hears_of_each_state_in_order(boot: Boot) -> None:
    box = boot(notify='echo "$1|$2|$IMAGEGEN_STATE" >>/cache/heard').up()
    box.stop()
    heard = [line.split("|")[0] for line in box.file("/cache/heard")]
    assert heard == [*states(box), "DOCKERDOWN"]
    assert "STOPPED|exit code 0|STOPPED" in box.file("/cache/heard")


@pytest.mark.parametrize("does", ["exit 1", "trap '' TERM; sleep 60; sleep 60"])
def test_notify_may_fail_and_hang(boot: Boot, does: str) -> None:
    began = time.monotonic()
    box = boot(notify=does).up()
    assert time.monotonic() - began < 15
    code, took = box.stop()
    assert code == 0
    assert took < 15
    assert states(box)[-3:] == ["UP", "STOPPING", "STOPPED"]


def test_stats_gets_what_the_probes_have_answered_and_no_garbage(boot: Boot) -> None:
    box = boot(stats="cat >/cache/new; mv /cache/new /cache/figures").up()

    def health() -> object:
        said = box.sh("cat /cache/figures")
        return json.loads(said)["services"]["last"].get("health") if said.startswith("{") else None

    wait_for(lambda: health() == {"ok": True, "n": [7]})
    figures = json.loads(box.sh("cat /cache/figures"))
    assert figures["state"] == "UP"
    assert {name: one["state"] for name, one in figures["services"].items()} == dict.fromkeys(
        ("db", "web", "last"), "up"
    )
    box.sh("echo '{\"ok\": true} trailing' >/cache/answer")
    wait_for(lambda: health() is None)
    box.sh('echo \'{"ok": true, "n": "\\\\n"}\' >/cache/answer')
    wait_for(lambda: health() == {"ok": True, "n": "\n"})
    assert box.state() == "UP"
