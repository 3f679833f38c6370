# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init: the services, under runit.
#
# runsvdir keeps one runsv for each folder below $IMAGEGEN_RUN/sv; that runs the service's `run`. The folders hold links
# to what is in /etc/service, which can be read-only then. None starts on its own: each has a file `down` at first, and
# is told to come up in its turn.

order=''     # our services, as they are started
backwards='' # and as they are stopped
resting=''   # those that are not enabled: they wait for `sv up`, and are stopped before the others
begun=' '    # those of ours that were told to come up
extras=''    # others in /etc/service, such as cron: started before ours, stopped after them

# start_services: all of them, those that a hook has needed already left out.
start_services() {
    start_runit || return 1
    enter WARMUP
    for name in $extras; do
        down=$IMAGEGEN_RUN/sv/$name/down
        [ -L "$down" ] || start "$name" # the image's own: it waits for `sv up`
    done
    bring_up "$order"
}

# start_runit: runsvdir with a runsv for each service, all down as yet; once. False with $code, or when told to stop.
start_runit() {
    [ -z "$supervisor" ] || return 0
    lay_out || return 1
    # What lies in /etc/service beside ours, as cron, has our environment, but no secrets.
    # shellcheck disable=SC2046 # names, one a word
    env $(imagegen_secrets | sed 's/^/-u/') --default-signal=INT,QUIT setsid runsvdir -P "$IMAGEGEN_RUN/sv" 3<&- &
    born supervisor
    for name in $extras $resting $order; do
        until [ -p "$IMAGEGEN_RUN/sv/$name/supervise/ok" ]; do
            [ "$want" != stop ] || return 1
            if ! lives "$supervisor" "$supervisor_began"; then
                code=70 reason="runsvdir has ended"
                return 1
            fi
            pause 0.01
        done
    done
}

# bring_up NAMES: start these, and what they come after, in the order of all.
bring_up() {
    wanted=" $1 "
    for name in $backwards; do
        case $wanted in
            *" $name "*) wanted="$wanted$(tr '\n' ' ' 2>/dev/null <"$IMAGEGEN_ETC/services/$name/after")" ;;
        esac
    done
    for name in $order; do
        case $begun in
            *" $name "*) continue ;;
        esac
        case $wanted in
            *" $name "*) begun="$begun$name " && start "$name" ;;
        esac
    done
}

start() {
    rm -f "$IMAGEGEN_RUN/sv/$1/down" # a runsv that takes over for a killed one must come up
    tell "$1" u
}

lay_out() {
    mkdir "$IMAGEGEN_RUN/sv" "$IMAGEGEN_RUN/services" "$IMAGEGEN_RUN/jobs"
    while read -r name; do
        if [ ! -x "/etc/service/$name/run" ]; then
            code=78 reason="the service $name is not in /etc/service"
            return 1
        fi
        setting enabled "$IMAGEGEN_ETC/services/$name/enabled" 1
        if [ "$enabled" -eq 1 ]; then
            order="$order $name" backwards="$name $backwards"
            mkdir "$IMAGEGEN_RUN/services/$name" # who comes after one that has no folder does not wait for it
        else
            resting="$name $resting"
        fi
        live_folder "$name"
    done <"$IMAGEGEN_ETC/order"
    for entry in /etc/service/*/run; do
        name=${entry%/run} name=${name##*/}
        case " $order $resting" in
            *" $name "*) continue ;;
        esac
        [ -x "$entry" ] || continue
        if [ "$name" = cron ] && [ "$uid" -ne 0 ]; then
            say "cron needs root: there will be no jobs and no clean-up of logs"
            continue
        fi
        extras="$extras $name"
        live_folder "$name"
    done
    # runsvdir waits a second with a folder that has changed in the second that it starts in.
    touch -d @0 "$IMAGEGEN_RUN/sv"
}

# live_folder NAME: a log service has a folder of its own; what runit writes is never linked.
live_folder() {
    mkdir "$IMAGEGEN_RUN/sv/$1"
    ln -s "/etc/service/$1/"* "$IMAGEGEN_RUN/sv/$1/"
    [ ! -L "$IMAGEGEN_RUN/sv/$1/supervise" ] || rm "$IMAGEGEN_RUN/sv/$1/supervise"
    if [ -d "/etc/service/$1/log" ]; then
        rm "$IMAGEGEN_RUN/sv/$1/log"
        mkdir "$IMAGEGEN_RUN/sv/$1/log"
        ln -s "/etc/service/$1/log/"* "$IMAGEGEN_RUN/sv/$1/log/"
        [ ! -L "$IMAGEGEN_RUN/sv/$1/log/supervise" ] || rm "$IMAGEGEN_RUN/sv/$1/log/supervise"
    fi
    [ -e "$IMAGEGEN_RUN/sv/$1/down" ] || : >"$IMAGEGEN_RUN/sv/$1/down"
}

# tell NAME COMMANDS: to the service's runsv. Opened for reading too, the fifo never blocks, runsv or not.
tell() {
    [ -p "$IMAGEGEN_RUN/sv/$1/supervise/control" ] \
        && printf %s "$2" 1<>"$IMAGEGEN_RUN/sv/$1/supervise/control"
}

# stop_services: one after the other, for a log service has to see the last words of the others.
stop_services() {
    # Without runsvdir no runsv comes back.
    kill -s TERM "$supervisor" 2>/dev/null
    now
    until_ended "$supervisor" "$supervisor_began" $((clock + 300)) || kill -s KILL "$supervisor"
    for name in $resting $backwards; do
        setting limit "$IMAGEGEN_ETC/services/$name/stop-timeout" 30
        [ ! -d "$IMAGEGEN_RUN/services/$name" ] || : >"$IMAGEGEN_RUN/services/$name/killed"
        until_done $((limit + 5)) end_runsv "$name" $((limit + 3))
        until_done 5 end_remains "$name" "$limit"
        [ ! -s "$IMAGEGEN_RUN/services/$name/killed" ] || killed="$killed $name"
    done
    for name in $extras; do
        until_done 5 end_runsv "$name" 5
    done
}

# until_done SECONDS FUNCTION NAME [ARG…]: if there are no processes to be had for it, that is most likely the service's
# own doing; told to end, it gives some back.
until_done() {
    now
    latest=$((clock + $1 * 100))
    shift
    attempt "$@" && return
    end_sessions "$2"
    until attempt "$@" 2>/dev/null; do
        pause 0.1
        now
        [ "$clock" -lt "$latest" ] || return 0
    done
}

# end_sessions NAME: TERM to the processes in the service's sessions, by the shell alone.
end_sessions() {
    setting known "$IMAGEGEN_RUN/services/$1/sessions"
    for entry in /proc/[0-9]*; do
        process "${entry#/proc/}" || continue
        case " $known " in
            *" $session:"*) kill -s TERM "${entry#/proc/}" ;;
        esac
    done
}

# end_runsv NAME SECONDS: its lock is free when runsv has ended, and flock knows at once, where `sv` looks every 0.42 s.
# Down is enough, though: runsv sleeps for a second when the service has not lived that long.
end_runsv() {
    tell "$1" x || return 0
    for patience in "$2" 2; do
        flock -w "$patience" "$IMAGEGEN_RUN/sv/$1/supervise/lock" true &
        born locking
        looks=0
        while lives "$locking" "$locking_began"; do
            if is_down "$1"; then
                kill "$locking" 2>/dev/null
                break
            fi
            look_again
        done
        join "$locking"
        if [ "$status" -eq 0 ] || is_down "$1"; then
            return 0
        fi
        say "$1 has not ended within $patience s, KILL"
        tell "$1" k
        [ ! -d "$IMAGEGEN_RUN/services/$1" ] || echo yes >"$IMAGEGEN_RUN/services/$1/killed"
    done
    return 0
}

# end_remains NAME SECONDS: if its runsv or its supervisor was killed, the service may live without them.
end_remains() {
    setting word "$IMAGEGEN_RUN/services/$1/state" down
    case $word in
        down* | failed*) return 0 ;;
    esac
    orphan='' orphan_began=''
    { read -r orphan && read -r orphan_began; } 2>/dev/null <"$IMAGEGEN_RUN/services/$1/supervisor"
    if [ -n "$orphan" ] && lives "$orphan" "$orphan_began"; then
        kill -s TERM "$orphan"
        now
        ! until_ended "$orphan" "$orphan_began" $((clock + $2 * 100 + 300)) || return 0
    fi
    "$IMAGEGEN_LIB/control" "$1" k "$2"
    return 0
}

# take_down NAME: stop a service whose runsv stays.
take_down() {
    setting limit "$IMAGEGEN_ETC/services/$1/stop-timeout" 30
    now
    latest=$((clock + limit * 100 + 300))
    looks=0
    until is_down "$1"; do
        [ "$want" != stop ] || return 0
        # Until it is heard: a runsv that has been killed has a successor within 5 s.
        [ "$word" != run ] || tell "$1" d
        now
        if [ "$clock" -ge "$latest" ]; then
            say "$1 has not ended within $((limit + 3)) s, KILL"
            tell "$1" k
            return 0
        fi
        look_again
    done
}

# is_down NAME: down, and runsv wants it so; it says `down` too in the moment before it starts a service again.
is_down() {
    setting word "$IMAGEGEN_RUN/sv/$1/supervise/stat"
    case $word in
        down*) [ "$(od -An -c -j17 -N1 "$IMAGEGEN_RUN/sv/$1/supervise/status")" = "   d" ] ;;
        *) return 1 ;;
    esac
}
