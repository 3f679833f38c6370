# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init: the hooks that are told what happens. They run beside everything, one after the other so that the last that
# is told is true, and what becomes of them changes nothing.

notices=''   # what the hook `notify` has not been told yet, a line each
messenger='' # that hook, while it runs
muted=''     # whether it is not told any more, for it hangs

reporter='' # the hook `stats`, while it runs
report_due=0

announce() {
    [ -z "$muted" ] && has_hook notify || return 0
    notices="$notices$1 ${2-}
"
}

# deliver: the next notice, unless the last is still on its way.
deliver() {
    [ -n "$notices" ] || return 0
    [ -z "$messenger" ] || ! lives "$messenger" "$messenger_began" || return 0
    notice=${notices%%
*}
    attempt begin_notify || return 0
    notices=${notices#*
}
}

begin_notify() {
    "$IMAGEGEN_LIB/hook" notify "IMAGEGEN_STATE=${notice%% *}" "IMAGEGEN_REASON=${notice#* }" 3<&- &
    born messenger
}

# deliver_all: at the end, as far as one hook's time allows.
deliver_all() {
    [ -n "$messenger" ] || [ -n "$notices" ] || return 0
    now
    setting limit "$IMAGEGEN_ETC/hooks/notify/timeout" 5
    last_notice=$((clock + limit * 100))
    while deliver && lives "$messenger" "$messenger_began"; do
        now
        if [ "$clock" -ge "$last_notice" ]; then
            notices='' muted=yes
            kill -s TERM "$messenger"
            until_ended "$messenger" "$messenger_began" $((clock + 300)) || kill -s KILL "$messenger"
            return
        fi
        pause 0.02
    done
}

# report: the figures of the container, once an interval, unless the last are still on their way.
report() {
    has_hook stats || return 0
    now
    [ "$clock" -ge "$report_due" ] || return 0
    [ -z "$reporter" ] || ! lives "$reporter" "$reporter_began" || return 0
    setting report_interval "$IMAGEGEN_ETC/hooks/stats/interval" 30
    report_due=$((clock + report_interval * 100))
    attempt begin_report
}

begin_report() {
    figures >"$IMAGEGEN_RUN/figures.new" && mv -f "$IMAGEGEN_RUN/figures.new" "$IMAGEGEN_RUN/figures" || return 0
    "$IMAGEGEN_LIB/hook" stats <"$IMAGEGEN_RUN/figures" 3<&- &
    born reporter
}

# figures: print one line of JSON. States, times and names need no quoting; answers are JSON, as jq has written it.
figures() {
    setting word "$IMAGEGEN_RUN/state"
    moment=${word#* }
    printf '{"state":"%s","since":"%s","services":{' "${word%% *}" "${moment%% *}"
    comma=''
    for name in $order; do
        setting word "$IMAGEGEN_RUN/services/$name/state" "down - "
        moment=${word#* }
        printf '%s"%s":{"state":"%s","since":"%s"' "$comma" "$name" "${word%% *}" "${moment%% *}"
        if [ -s "$IMAGEGEN_RUN/services/$name/answer.json" ]; then
            printf ',"health":'
            tr -d '\n' <"$IMAGEGEN_RUN/services/$name/answer.json"
        fi
        printf '}'
        comma=,
    done
    printf '}}\n'
}
