# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init: the hooks that are told what happens. They run beside everything, one after the other so that the last that
# is told is true, and what becomes of them changes nothing.

notices=''   # what the hook `notify` has not been told yet, a line each
messenger='' # that hook, while it runs
muted=''     # whether it is not told any more, for it hangs

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
