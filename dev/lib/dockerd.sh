#!/bin/sh
# Run by dev/setup, as root: starts the installed Docker engine for a user (start UID), or stops the one that it started
# (stop). Under systemd the engine is systemd's.
set -eu

# In /run, so that the record goes when the machine restarts, as the engine does.
state=/run/imagegen-dev
record=$state/dockerd
log=$state/dockerd.log

say() {
    printf 'setup: engine: %s\n' "$*" >&2
}

# When a process began, in the kernel's ticks: with its id, that names one process for good. The name in the second
# field may hold blanks, so count from its closing bracket.
began() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

runs() {
    [ -n "$1" ] && [ "$(began "$1")" = "$2" ]
}

# dockerd gives up where the kernel has no nftables for iptables' newer face; the older one may do.
prefer_iptables_that_work() {
    iptables -t nat -L -n >/dev/null 2>&1 && return
    iptables-legacy -t nat -L -n >/dev/null 2>&1 || return 0
    mkdir -p "$state/bin"
    for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
        case $tool in
            *-*) legacy=${tool%%-*}-legacy-${tool#*-} ;;
            *) legacy=$tool-legacy ;;
        esac
        ln -sf "$(command -v "$legacy")" "$state/bin/$tool"
    done
    PATH=$state/bin:$PATH
    say 'this kernel wants the legacy iptables'
}

start() {
    if [ -d /run/systemd/system ]; then
        say 'starting docker.service (stop it with: systemctl stop docker.socket docker.service)'
        systemctl start docker.service
    else
        start_dockerd
    fi
    # For this user and until the engine stops, without a lasting change to any group.
    [ "$1" -eq 0 ] || chown "$1" /run/docker.sock
}

start_dockerd() {
    mkdir -p "$state"
    prefer_iptables_that_work
    # Not /etc/init.d/docker: it wants more open files than some machines allow. A session of its own outlives our
    # shell; descriptor 9 is the lock of dev/setup, which it must not hold.
    setsid dockerd </dev/null >"$log" 2>&1 9<&- &
    pid=$!
    tenths=0
    until docker --host unix:///run/docker.sock version >/dev/null 2>&1; do
        if ! kill -0 "$pid" 2>/dev/null || [ "$tenths" -ge 600 ]; then
            kill "$pid" 2>/dev/null || :
            tail -n 15 "$log" >&2
            say "dockerd did not come up: see above, and $log"
            exit 1
        fi
        sleep 0.1
        tenths=$((tenths + 1))
    done
    printf '%s %s\n' "$pid" "$(began "$pid")" >"$record"
    say "started dockerd (log: $log); stop it with: dev/setup stop"
}

stop() {
    read -r pid start <"$record"
    if ! runs "$pid" "$start"; then
        say 'the one started from here runs no more'
    else
        kill "$pid"
        tenths=0
        while runs "$pid" "$start"; do
            if [ "$tenths" -ge 600 ]; then
                say "dockerd (process $pid) does not stop: see $log"
                exit 1
            fi
            sleep 0.1
            tenths=$((tenths + 1))
        done
        say 'stopped dockerd; images and containers are kept'
    fi
    rm -f "$record"
}

"$@"
