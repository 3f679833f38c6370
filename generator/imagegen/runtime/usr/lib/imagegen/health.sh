# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by supervise: is the service well? Its probe says when it is ready, and later that it must be restarted; a
# service without one is well when it is there.
: "${service:?}" "${own:?}"

setting interval "$service/health/interval" 30
setting retries "$service/health/retries" 3
setting grace "$service/health/start-period" 60
setting probe_limit "$service/health/timeout" 5

answer='' # where the probe leaves the JSON that it has judged, for the hook that gets the figures
[ ! -d "$IMAGEGEN_ETC/hooks/stats" ] || answer=$own/answer

# Set anew for each life of the service.
examine_anew() {
    well='' probe='' failing=0 due=0
}

# examine: false with $trouble when the service has to be restarted. Never waits: a probe runs beside us.
examine() {
    if [ ! -d "$service/health" ]; then
        [ -n "$well" ] || arrive
        return 0
    fi
    if [ -n "$probe" ]; then
        ! lives "$probe" "$probe_began" || return 0
        join "$probe"
        probe=
        judge || return 1
    fi
    now
    [ "$clock" -ge "$due" ] || return 0
    # Until the first success once a second: a service that is ready should not wait for an interval to end.
    due=$((clock + 100))
    [ -z "$well" ] && [ $((clock - began)) -lt $((grace * 100)) ] || due=$((clock + interval * 100))
    attempt start_probe
    return 0
}

# The probe keeps its own time; the limit here is for a probe that cannot.
start_probe() {
    marked "$service/health" ${answer:+"IMAGEGEN_ANSWER=$answer"} setsid timeout -k 1 $((probe_limit + 2)) "$IMAGEGEN_LIB/probe" "$service/health" >"$own/probe" 2>&1 &
    born probe
}

judge() {
    [ -z "$answer" ] || attempt keep_answer
    if [ "$status" -eq 0 ]; then
        [ "$failing" -eq 0 ] || say "is well again"
        failing=0
        [ -n "$well" ] || arrive
        return 0
    fi
    now
    [ -n "$well" ] || [ $((clock - began)) -ge $((grace * 100)) ] || return 0
    failing=$((failing + 1))
    setting why "$own/probe" "the probe gave no answer in time"
    say "is not well, $failing of $retries: ${why:-the probe says nothing}"
    [ "$failing" -lt "$retries" ] || trouble="has to be restarted: ${why:-the probe says nothing}"
    [ -z "$trouble" ]
}

# keep_answer: what was well is passed on; what was not is nobody's business.
keep_answer() {
    if [ "$status" -eq 0 ]; then
        sed -n '1s/^=//p' "$answer" >"$answer.new" 2>/dev/null && mv -f "$answer.new" "$answer.json"
    else
        rm -f "$answer.json"
    fi
}

# arrive: the service is well for the first time in this life.
arrive() {
    since "$began"
    well=$clock
    say "is up after $since s (process $pid)"
    enter up
}

# end_probe: it must not hold up a stop. All of its session ends, for `timeout` makes process groups of its own.
end_probe() {
    [ -n "$probe" ] || return 0
    for entry in /proc/[0-9]*; do
        ! process "${entry#/proc/}" || [ "$session" != "$probe" ] || kill -s KILL "${entry#/proc/}" 2>/dev/null
    done
    join "$probe"
    probe=
}
