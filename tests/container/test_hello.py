"""examples/hello in a running container: what its users rely on."""

import time
from datetime import UTC, datetime

import pytest

from conftest import Box, Start, wait_for

pytestmark = pytest.mark.container


def _pid(box: Box) -> str:
    return box.sh("cat /srv/hello/hello.pid 2>/dev/null").strip()


def test_the_app_answers_over_http(start: Start, hello: str) -> None:
    box = start(hello).up()
    assert box.get("/?name=test") == "Hello, test!\n"
    assert box.json("/alive")["state"] == "UP"


def test_cfg_changes_the_answer_and_nested_keys_merge(start: Start, hello: str) -> None:
    box = start(hello, env={"CFG": '{"greeting": "Salut", "web": {"title": "New"}}'}).up()
    assert box.get("/?name=test") == "Salut, test!\n"
    assert box.json("/config")["web"] == {"port": 8080, "title": "New"}


@pytest.mark.parametrize(
    "broken",
    ['{"a": 1,}', "[]", "null", '"s"', '{"a":1}{"b":2}', "{"],
    ids=["comma", "list", "null", "string", "two", "open"],
)
def test_broken_cfg_stops_the_boot_with_one_clear_line(
    start: Start, hello: str, broken: str
) -> None:
    box = start(hello, env={"CFG": broken})
    assert box.exit_code() == 78
    complaints = [line for line in box.log().splitlines() if "CFG" in line]
    assert len(complaints) == 1
    assert complaints[0].startswith("imagegen: ")
    assert "listening" not in box.log()


def test_docker_stop_runs_the_stop_script_to_its_end(start: Start, hello: str) -> None:
    box = start(hello).up()
    code, took = box.stop()
    assert code == 0
    assert took < 10
    _, marker = box.container.get_archive("/srv/hello/stop-marker")
    assert marker["size"] > 0
    assert "KILL" not in box.log()


def test_term_acts_at_once_and_not_at_the_next_poll(start: Start, hello: str) -> None:
    box = start(hello, env={"IMAGEGEN_POLL": "30", "CFG": '{"drain": 0}'}).up()
    time.sleep(0.5)  # into the middle of a poll
    told = datetime.now(UTC)
    code, _ = box.stop()
    assert code == 0
    # The stop command has asked the app to end, and the app says so; a poll takes 30 s.
    farewell = next(line for line in box.file("/srv/hello/log/hello.log") if "Goodbye" in line)
    heard = datetime.strptime(farewell[:23], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
    assert (heard - told).total_seconds() < 1


def test_a_killed_daemon_comes_back(start: Start, hello: str) -> None:
    box = start(hello).up()
    before = _pid(box)
    box.sh(f"kill -9 {before}")
    wait_for(lambda: _pid(box) not in ("", before))
    wait_for(lambda: box.state() == "UP")
    assert box.json("/alive")["state"] == "UP"


def test_hup_restarts_the_app_and_the_old_process_is_stopped_first(
    start: Start, hello: str
) -> None:
    box = start(hello).up()
    before = _pid(box)
    box.container.kill("HUP")
    wait_for(lambda: _pid(box) not in ("", before))
    wait_for(lambda: box.state() == "UP")
    assert box.sh(f"test -e /proc/{before} && echo alive") == ""
    assert box.sh("wc -l < /srv/hello/stop-marker").strip() == "1"
    said = [line.removeprefix("imagegen: ").split(":")[0] for line in box.log().splitlines()]
    states = [word for word in said if word in ("RESTARTING", "UP")]
    assert states == ["UP", "RESTARTING", "UP"]
    box.container.reload()
    assert box.container.attrs["RestartCount"] == 0


def test_services_run_as_the_declared_user(start: Start, hello: str) -> None:
    box = start(hello).up()
    pid = _pid(box)
    assert box.sh(f"stat -c %u:%g /proc/{pid}").strip() == "2143:2143"
    ticker = box.sh("grep -l ticker /proc/[0-9]*/cmdline | cut -d/ -f3").split()
    users = {box.sh(f"stat -c %u /proc/{p} 2>/dev/null").strip() for p in ticker} - {""}
    assert "2143" in users


def test_the_config_query_prints_nested_values(start: Start, hello: str) -> None:
    box = start(hello, env={"CFG": '{"web": {"title": "a * $(id) \\" é"}}'}).up()
    assert box.sh("imagegen-cfg web.port").strip() == "8080"
    assert box.sh("imagegen-cfg web.title").strip() == 'a * $(id) " é'
    assert box.sh("imagegen-cfg web.missing >/dev/null 2>&1; echo $?").strip() == "1"
    assert box.sh("imagegen-cfg web.missing --default 7").strip() == "7"
    assert box.sh("imagegen-cfg web.port", user="2143").strip() == "8080"


def test_the_health_check_turns_with_the_app(start: Start, hello: str) -> None:
    box = start(hello).up()
    assert box.sh("/usr/lib/imagegen/healthcheck; echo $?").split()[-1] == "0"


LOGS = """
cd /srv/hello/log
make() { printf '%s\\n' "$1" > "$1"; touch -d "$2" "$1"; chown hello:hello "$1"; }
make hello.log.fresh '6 days ago 22 hours ago'
make hello.log.old '7 days ago 2 hours ago'
make 'hello.log.old with blanks' '8 days ago'
make hello.log.open '9 days ago'
make hello.log.ancient.gz '29 days ago'
make hello.log.kept.gz '28 days ago + 2 hours'
make other.log.old '90 days ago'
make hello.log.newest 'now'
mkdir -p deep && cd deep && make hello.log.deep '90 days ago' && cd ..
echo precious > /srv/hello/precious; touch -d '90 days ago' /srv/hello/precious
ln -s /srv/hello/precious hello.log.link; touch -h -d '90 days ago' hello.log.link
exec 5>>hello.log.open
setpriv --reuid=2143 --regid=2143 --clear-groups sleep 60 5>>hello.log.open &
touch -d '9 days ago' hello.log.open
/usr/lib/imagegen/job logs:1
kill $!
"""


def test_the_log_clean_up_touches_exactly_the_right_files(start: Start, hello: str) -> None:
    box = start(hello).up()
    box.sh(LOGS)
    listed = box.sh("cd /srv/hello/log && find . -name 'hello.log.*' | sort; cat other.log.old")
    assert listed.splitlines() == [
        "./deep/hello.log.deep",
        "./hello.log.fresh",
        "./hello.log.kept.gz",
        "./hello.log.link",
        "./hello.log.newest",
        "./hello.log.old with blanks.gz",
        "./hello.log.old.gz",
        "./hello.log.open",
        "other.log.old",
    ]
    assert box.sh("cat /srv/hello/precious").strip() == "precious"
    assert box.sh("gzip -dc /srv/hello/log/hello.log.old.gz").strip() == "hello.log.old"
    assert box.sh("stat -c %U /srv/hello/log/hello.log.old.gz").strip() == "hello"


def test_the_job_runs_as_its_user_with_the_environment_of_the_container(
    start: Start, hello: str
) -> None:
    box = start(hello, env={"SEEN": "two words"}).up()
    box.sh("/usr/lib/imagegen/job greet")
    wait_for(lambda: "Hello, cron!" in box.log())


@pytest.mark.long
def test_cron_runs_jobs_with_the_environment_and_into_the_log(start: Start, hello: str) -> None:
    box = start(hello, env={"SEEN": "two  words"}).up()
    box.sh(
        "mkdir /etc/imagegen/jobs/seen; cp /etc/imagegen/jobs/greet/user /etc/imagegen/jobs/seen"
    )
    box.sh(
        "printf '#!/bin/sh\\necho \"$(id -un) sees $SEEN\"\\n' > /etc/imagegen/jobs/seen/command"
    )
    box.sh("chmod 755 /etc/imagegen/jobs/seen/command")
    box.sh("echo '* * * * * root /usr/lib/imagegen/job seen' >> /etc/cron.d/imagegen")
    wait_for(lambda: "seen: hello sees two  words" in box.log(), patience=90)


HOSTILE = {
    name: f'{name}\'s own $(id) "value"\nwith a second line'
    for name in (
        *("name", "title", "state", "code", "want", "killed", "user", "service", "pid", "kind"),
        *("own", "clock", "trouble", "order", "dump", "signal", "probe", "retries", "IFS", "PS4"),
    )
}


def test_variables_may_be_called_as_the_runtimes_own_are(start: Start, hello: str) -> None:
    box = start(hello, env=HOSTILE).up()
    pid = _pid(box)
    seen = box.sh(f"tr '\\n\\0' '\\001\\n' < /proc/{pid}/environ", user="2143").replace(
        "\x01", "\n\x01"
    )
    for name in set(HOSTILE) - {"IFS"}:  # which dash does not take from its environment
        assert f"{name}={HOSTILE[name].splitlines()[0]}" in seen
    box.sh("printf '#!/bin/sh\\nprintenv state\\n' > /etc/imagegen/jobs/greet/command")
    box.sh("/usr/lib/imagegen/job greet")
    wait_for(lambda: 'greet: state\'s own $(id) "value"' in box.log())
    assert "greet: with a second line" in box.log()
    code, _ = box.stop()
    assert code == 0


def test_the_crontab_is_one_that_cron_takes(start: Start, hello: str) -> None:
    box = start(hello).up()
    assert box.sh("stat -c '%U %a %h' /etc/cron.d/imagegen").strip() == "root 644 1"
    assert box.sh("pgrep cron || grep -lz '^cron' /proc/[0-9]*/cmdline").strip()


def test_root_believes_nothing_that_another_users_init_has_left(start: Start, hello: str) -> None:
    box = start(hello, user="2143").up()
    box.sh("echo 'touch /proof' >> /run/imagegen/environment", user="2143")
    said = box.sh("/usr/lib/imagegen/job greet", user="0")
    assert "init is not running" in said
    assert box.sh("ls /proof 2>/dev/null") == ""


SHELL_OF_ROOT = "setpriv --reuid=2143 --regid=2143 --clear-groups sleep 300; sleep 301"


def test_a_pidfile_that_leads_to_roots_shell_harms_nobody(start: Start, hello: str) -> None:
    box = start(hello).up()
    # A shell of root's has begun a process of the service's user; the service names that one.
    box.sh(f"setsid sh -c '{SHELL_OF_ROOT}' &")
    named = wait_for(lambda: _with_command_line(box, "sleep 300"))
    box.sh(f"echo {named} > /srv/hello/hello.pid")
    box.container.kill("HUP")
    wait_for(lambda: "RESTARTING" in box.log())
    wait_for(lambda: box.state() == "UP")
    # The app's own stop command may end what is its user's; root's shell goes on.
    assert _with_command_line(box, "sleep 300") or _with_command_line(box, "sleep 301")


def _with_command_line(box: Box, line: str) -> str:
    """Find a process by its whole command line; empty if there is none."""
    script = f"""
for p in /proc/[0-9]*; do
    [ "$(tr '\\0' ' ' < $p/cmdline 2>/dev/null)" != "{line} " ] || echo "${{p#/proc/}}"
done"""
    return box.sh(script).strip()


def test_the_other_variant_speaks_its_own_language(start: Start, hello: str) -> None:
    box = start(hello.replace(":local", ":local-fr")).up()
    assert box.get("/?name=test").startswith("Bonjour")
