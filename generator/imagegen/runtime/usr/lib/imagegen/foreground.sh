# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by supervise: an app that stays in the foreground is our child.
: "${service:?}"

setting stop_signal "$service/stop-signal" TERM
stop_signal=${stop_signal#SIG}

begin() {
    launch "$service/run" &
    born pid
    remember "$pid" "$pid_began"
    pause 0.2 # what cannot even start is gone by then, and was never up
}

alive() {
    ! lives "$pid" "$pid_began" || return 0
    join "$pid"
    ending "$status"
    trouble=$ending
    return 1
}

# ask: the main process hears the signal; what it leaves behind is swept.
ask() {
    if lives "$pid" "$pid_began"; then
        kill -s "$stop_signal" "$pid" 2>/dev/null
        kill -s CONT "$pid" 2>/dev/null # what is halted would not hear it
    fi
    enter stopping
    until_ended "$pid" "$pid_began" "$polite" || return 0
    join "$pid"
    ending "$status"
    [ "$status" -eq 0 ] || ended=" ($ending)"
}

# recover: the child of a killed supervisor is nobody's; it is swept with the rest.
recover() {
    pid=''
}
