# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by supervise: what follows when a service ends on its own or had to be ended. It is started again, after a
# pause that grows, until that has happened too often.
: "${service:?}" "${own:?}"

setting essential "$service/essential" 1
setting restart_limit "$service/restart-limit" 5
setting restart_window "$service/restart-window" 600

failures=0 # in a row
delay=0    # before the next start: 0, 1, 2, 4, … 60 seconds

account() {
    now
    # Times of the machine's clock: a supervisor that is killed takes no limit with it.
    setting restarts "$own/restarts"
    recent=''
    for restart in $restarts; do
        [ $((clock - restart)) -ge $((restart_window * 100)) ] || recent="$recent $restart"
    done
    # shellcheck disable=SC2086 # times, one a word
    set -- $recent "$clock"
    echo "$*" >"$own/restarts"

    [ -z "$well" ] || [ $((clock - well)) -lt 6000 ] || failures=0
    failures=$((failures + 1))
    if [ "$#" -gt "$restart_limit" ]; then
        give_up "$#"
    else
        delay=$((failures < 2 ? 0 : failures > 7 ? 60 : 1 << (failures - 2)))
        say "starts again in $delay s, $# of $restart_limit times in $restart_window s"
    fi
}

# back_off: false when told something else meanwhile.
back_off() {
    [ "$delay" -gt 0 ] || return 0
    enter pausing "for $delay s: $trouble"
    now
    until=$((clock + delay * 100))
    while [ -z "$want" ] && [ "$clock" -lt "$until" ]; do
        nap
        now
    done
    delay=0
    [ -n "$want" ] || return 0
    failures=0
    return 1
}

# give_up FAILURES: runit would go on once a second for ever, and nobody would notice.
give_up() {
    trouble="$1 failures within $restart_window s, the last: $trouble"
    enter failed "$trouble"
    if [ "$essential" -eq 1 ]; then
        say "gives up"
        replace "$IMAGEGEN_RUN/gave-up" "$name gave up: $trouble"
        tell_init
    else
        say "gives up and stays down: $trouble"
        [ ! -p supervise/control ] || printf d 1<>supervise/control # runsv shall not start it again
    fi
    while [ "$want" != stop ]; do
        want=''
        nap
    done
}

# ending STATUS: set $ending to it in words.
ending() {
    if [ "$1" -gt 128 ] && ending=$(kill -l "$1" 2>/dev/null); then
        ending="killed by signal $ending"
    else
        ending="exit code $1"
    fi
}

# since CLOCK: set $since to the seconds from then to now.
since() {
    now
    since=$((clock - $1))
    since=$((since / 100)).$((since / 10 % 10))$((since % 10))
}
