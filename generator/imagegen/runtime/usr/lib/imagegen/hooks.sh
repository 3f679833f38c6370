# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init: hooks, which run at a moment in the container's life, and the services that must be up meanwhile.

HOOK_FAILED=75 # to be tried again: the next start runs the hook again

has_hook() {
    [ -x "$IMAGEGEN_ETC/hooks/$1/command" ]
}

# linger: a moment of a stage that waits; false when told to stop, or with $code when there is nothing to go on with.
linger() {
    [ "$want" != stop ] || return 1
    [ -z "$dump" ] || show_state
    [ -z "$supervisor" ] || look_at_services
    [ -z "$code" ] || return 1
    deliver
    nap
}

# look_at_services: $code and $reason if they cannot go on.
look_at_services() {
    if ! lives "$supervisor" "$supervisor_began"; then
        code=70 reason="runsvdir has ended"
    elif [ -e "$IMAGEGEN_RUN/gave-up" ]; then
        code=69
        setting reason "$IMAGEGEN_RUN/gave-up"
    fi
}

# run_hook NAME [VARIABLE=VALUE…]: a hook of the boot, with the services that it needs; true as well if there is none. False
# when told to stop, or with $code.
run_hook() {
    has_hook "$1" || return 0
    needed=$(tr '\n' ' ' 2>/dev/null <"$IMAGEGEN_ETC/hooks/$1/after")
    if [ -n "$needed" ]; then
        start_runit && bring_up "$needed" && await_services "$needed" "$1" || return 1
    fi
    if ! attempt begin_hook "$@"; then
        code=$HOOK_FAILED reason="$1 cannot be started: there is no process to be had"
        return 1
    fi
    while lives "$hook" "$hook_began"; do
        linger && continue
        kill -s TERM "$hook" 2>/dev/null # it ends all that is the hook's within 2 s
        now
        until_ended "$hook" "$hook_began" $((clock + 500)) || kill -s KILL "$hook"
    done
    join "$hook"
    [ -z "$code" ] && [ "$want" != stop ] || return 1
    [ "$status" -ne 0 ] || return 0
    setting why "$IMAGEGEN_RUN/hooks/$1/ended" "it was killed"
    code=$HOOK_FAILED reason="$1 failed: $why"
    return 1
}

begin_hook() {
    "$IMAGEGEN_LIB/hook" "$@" 3<&- &
    born hook
}

# run_last_hook NAME: a hook of the stop, which goes on whatever becomes of it.
run_last_hook() {
    has_hook "$1" && attempt begin_hook "$1" || return 0
    setting limit "$IMAGEGEN_ETC/hooks/$1/timeout" 300
    now
    until_ended "$hook" "$hook_began" $((clock + limit * 100 + 300)) || kill -s KILL "$hook"
    join "$hook"
    [ "$status" -ne 0 ] || return 0
    setting why "$IMAGEGEN_RUN/hooks/$1/ended" "it was killed"
    say "$1 failed: $why; the stop goes on"
}

# await_services NAMES WHO: until each of these, of those that run here, is well.
await_services() {
    waiting=''
    while :; do
        missing=''
        for name in $order; do
            case " $1 " in
                *" $name "*) ;;
                *) continue ;;
            esac
            setting word "$IMAGEGEN_RUN/services/$name/state" down
            case ${word%% *} in
                up) ;;
                failed)
                    code=69 reason="$2 needs $name, which gave up"
                    return 1
                    ;;
                *) missing="$missing $name" ;;
            esac
        done
        [ -n "$missing" ] || return 0
        [ "$missing" = "$waiting" ] || say "$2 waits for$missing"
        waiting=$missing
        linger || return 1
    done
}

# run_boot_hook: the first stage that is the blueprint's own.
run_boot_hook() {
    enter BOOT
    run_hook boot
}

# warm_up: every service is well, and nobody has been told so yet.
warm_up() {
    has_hook warmup || return 0
    await_services "$order" warmup && run_hook warmup
}
