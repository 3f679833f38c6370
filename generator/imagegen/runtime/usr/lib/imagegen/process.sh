# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init, supervise and others: time, processes, and waiting that a signal ends at once.

# now: set $clock to hundredths of a second since the machine started, also the unit of start times in /proc. A step of
# the wall clock changes nothing here.
now() {
    read -r uptime _ </proc/uptime
    clock=$((${uptime%.*} * 100 + 1${uptime#*.} - 100))
}

# process PID: set $condition, $parent, $session and $started; false if there is none. The name in the second field may
# hold blanks, parentheses and newlines: the fields are counted from the last parenthesis.
process() {
    fields=
    { while IFS= read -r line || [ -n "$line" ]; do fields="$fields$line "; done; } 2>/dev/null <"/proc/$1/stat"
    # shellcheck disable=SC2086 # numbers, one a word
    set -- ${fields##*) }
    [ "$#" -ge 20 ] || return 1
    # shellcheck disable=SC2034 # for the callers
    condition=$1 parent=$2 session=$4 started=${20}
}

# lives PID STARTED: that process, and not another that got its number, and no zombie: `kill -0` would be true of both.
lives() {
    process "$1" && [ "$started" = "$2" ] && [ "$condition" != Z ] && [ "$condition" != X ]
}

# born NAME: set $NAME and ${NAME}_began to the process just started with `&`.
born() {
    started=''
    process $!
    eval "$1=$! ${1}_began=\$started"
}

# until_ended PID STARTED CLOCK: false if it still lives at that time.
until_ended() {
    looks=0
    while lives "$1" "$2"; do
        now
        [ "$clock" -lt "$3" ] || return 1
        look_again
    done
    return 0
}

# look_again: the pause in a loop that waits for an end; set looks=0 before it. Only a child's end cuts it short.
look_again() {
    looks=$((looks + 1))
    if [ "$looks" -lt 50 ]; then pause 0.02; else pause 0.1; fi
}

# join PID: set $status to the exit status of a child that has ended. A signal can come back in place of the status:
# only what `wait` says twice is true.
join() {
    wait "$1" 2>/dev/null
    status=$?
    while :; do
        wait "$1" 2>/dev/null
        again=$?
        [ "$again" -ne "$status" ] && [ "$again" -ne 127 ] || return 0
        status=$again
    done
}

# attempt FUNCTION [ARG…]: false, too, if it cannot start a process because the container has no more to give. dash ends
# at that, and PID 1 would take everything with it; but what goes wrong under `command` only fails.
attempt() {
    # shellcheck disable=SC2016 # they are the arguments of this function
    command eval '"$@"'
}

# note FILE WORD [REASON]: a state, since when, and why.
note() {
    attempt write_state "$@"
}

write_state() {
    replace "$1" "$2 $(date -u +%FT%TZ) ${3-}"
}

# nap: a second at most; a signal, or a child's end where CHLD is trapped, cuts it short. This is the heartbeat of all
# loops: should a signal slip in between the question and the wait, it costs that second and no more.
napping=
nap() {
    if [ -z "$napping" ]; then
        if ! attempt snooze 1; then
            read -r _ <>"$IMAGEGEN_RUN/idle" # without a process there are the signals alone, which end it
            return 0
        fi
        napping=$snoozing
    fi
    [ "${want-}" != stop ] || return 0
    if wait "$napping" || ! kill -0 "$napping" 2>/dev/null; then
        napping=
    fi
}

# pause SECONDS: the same for the short looks while something is ending. (dash names the signal that a child died of;
# of PIPE it is silent.)
pause() {
    attempt snooze "$1" 2>/dev/null || return 0
    pausing=$snoozing
    if ! wait "$pausing"; then
        kill -s PIPE "$pausing" 2>/dev/null
        wait "$pausing"
    fi
    return 0
}

snooze() {
    sleep "$1" &
    snoozing=$!
}
