# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by supervise: an app that makes a daemon of itself. Its start and stop are commands; the daemon is no child of
# ours and has to be found, by its pidfile or by its command line.
: "${service:?}" "${own:?}"

setting pidfile "$service/pidfile"
setting match "$service/match"
setting daemon_user "$service/start/user"
setting start_limit "$service/start/timeout" 60

daemon_uid=$(id -u)
if [ "$daemon_uid" -eq 0 ] && [ -n "$daemon_user" ]; then
    daemon_uid=$(id -u "$daemon_user")
else
    daemon_user=
fi
poll=${IMAGEGEN_POLL:-1}
case $poll in
    *[!0-9]*) poll=1 ;;
esac
starter=
init_session=
! running "$IMAGEGEN_RUN" || ! process "$init" || init_session=$session

# begin: true when the daemon is there, or when we are told something else meanwhile; false with $trouble.
begin() {
    look=0
    forget_pidfile
    launch "$service/start" "$start_limit" &
    born starter
    remember "$starter" "$starter_began"
    while lives "$starter" "$starter_began"; do
        [ "$want" != stop ] || return 0
        nap
    done
    join "$starter"
    starter=
    ending "$status"
    case $status in
        0) await_daemon ;;
        124) trouble="start has not returned within $start_limit s" ;;
        *) trouble="start failed: $ending" ;;
    esac
    [ -z "$trouble" ]
}

alive() {
    now
    [ "$clock" -ge "$look" ] || return 0
    look=$((clock + poll * 100))
    ! lives "$pid" "$pid_began" || return 0
    if find_daemon; then
        say "goes on as process $pid"
    else
        trouble="the daemon is gone"
        return 1
    fi
}

# A pidfile that is there before the start is left over: nothing of the service lives. Its number may be anybody's by
# now, and many a start command would take that process for the daemon.
forget_pidfile() {
    [ -n "$pidfile" ] && [ -e "$pidfile" ] || return 0
    set -- rm -f -- "$pidfile"
    [ -z "$daemon_user" ] || set -- "$IMAGEGEN_LIB/as" "$daemon_user" "$@"
    ! "$@" || say "removed $pidfile, which is left from an earlier run"
}

# await_daemon: some start commands return before the daemon has written its pidfile.
await_daemon() {
    now
    returned=$clock
    until find_daemon; do
        [ "$want" != stop ] || return 0
        now
        if [ $((clock - began)) -ge $((start_limit * 100)) ]; then
            trouble="start succeeded, but there is no daemon: looked for ${pidfile:-$match}"
            return 1
        elif [ $((clock - returned)) -ge 200 ] && [ -z "$(members)" ]; then
            trouble="start succeeded, but nothing of it is left"
            return 1
        fi
        pause 0.1
    done
    # A daemon is in a session of its own; the leader is often gone by now. One that was there before the start, or is
    # another user's, is somebody else's: a pidfile can name any process of the user, also one that root has begun.
    if process "$pid"; then
        leader=$session
        if ! process "$leader"; then
            remember "$leader" 0
        else
            candidate_began=$started
            ! of_this_start "$leader" || remember "$leader" "$candidate_began"
        fi
    fi
}

# find_daemon: set $pid and $pid_began.
find_daemon() {
    if [ -n "$pidfile" ]; then
        [ -f "$pidfile" ] || return 1
        candidate=
        read -r candidate _ 2>/dev/null <"$pidfile" || [ -n "$candidate" ] || return 1
        case $candidate in
            *[!0-9]* | 0* | ????????*) return 1 ;;
        esac
        by_pidfile "$candidate" || return 1
    else
        by_match || return 1
    fi
}

# by_pidfile PID: anything may stand in a pidfile, and a number may have been given away again. So the process must be
# marked as the service's, or be of its user and younger than the start.
by_pidfile() {
    candidate "$1" || return 1
    bears_mark "$1" || of_this_start "$1" || return 1
    pid=$1 pid_began=$candidate_began
}

# by_match: the oldest process of this start with such a command line.
by_match() {
    found=
    for entry in /proc/[0-9]*; do
        set -- "${entry#/proc/}"
        candidate "$1" && [ "$candidate_began" -ge $((began - 5)) ] || continue
        [ -z "$found" ] || [ "$candidate_began" -lt "$found_began" ] || continue
        command_line "$1" | grep -Eq -e "$match" || continue
        bears_mark "$1" || of_this_start "$1" || continue
        found=$1 found_began=$candidate_began
    done
    [ -n "$found" ] || return 1
    pid=$found pid_began=$found_began
}

command_line() {
    tr '\0\n' '  ' 2>/dev/null <"/proc/$1/cmdline" | sed 's/ $//'
}

# candidate PID: a living process that is none of ours. All that supervises is in the session of init, of runsvdir or of
# a runsv; `runsv java` must not be taken for java.
candidate() {
    [ "$1" -ne 1 ] && process "$1" && [ "$condition" != Z ] && [ "$session" != "$init_session" ] || return 1
    candidate_began=$started
    leader_name=
    read -r leader_name 2>/dev/null <"/proc/$session/comm"
    [ "$leader_name" != runsv ] && [ "$leader_name" != runsvdir ]
}

bears_mark() {
    [ -n "$(bearers "/proc/$1/environ")" ]
}

# of_this_start PID: of the service's user, and not older than the start command (start times are cut to 10 ms).
of_this_start() {
    [ "$candidate_began" -ge $((began - 5)) ] || return 1
    grep -qs "^Uid:[[:space:]]*${daemon_uid}[[:space:]]" "/proc/$1/status"
}

# ask: the stop command, then time for what it has set going.
ask() {
    if [ -n "$starter" ]; then
        # The start may finish: what is half up can seldom be stopped. It gets half of the time.
        until_ended "$starter" "$starter_began" $((halted + (deadline - halted) / 2)) || {
            say "start is still running, and is ended"
            kill -s TERM "$starter"
        }
        join "$starter"
        starter=
    fi
    launch "$service/stop" 60 &
    born stopper
    remember "$stopper" "$stopper_began"
    enter stopping
    if ! until_ended "$stopper" "$stopper_began" "$polite"; then
        say "stop is still running, and is ended"
        kill -s TERM "$stopper"
        return
    fi
    join "$stopper"
    if [ "$status" -ne 0 ]; then
        ending "$status"
        say "stop failed: $ending"
    elif [ -n "$pid" ]; then
        until_ended "$pid" "$pid_began" "$polite"
    fi
}

# recover: what a killed supervisor left can be stopped by its stop command.
recover() {
    find_daemon || pid=''
}
