# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by supervise and control, and by hook: one service or hook, its commands, and the processes that belong to it.
#
# A process belongs to a service if it carries the mark in its environment, if it is in a session that one of the
# service's commands began, or if it descends from such a one. Each sign alone can be lost: programs overwrite their
# environment to show a title in `ps`, daemons leave their session, orphans lose their parent.

# service NAME: set $service, where it is described, and $own, what is known of it now.
service() {
    name=$1 speaker=$1
    service=$IMAGEGEN_ETC/services/$name
    own=$IMAGEGEN_RUN/services/$name
    belongs "$name" "IMAGEGEN_SERVICE=$name" "$service"/*/user
    setting sessions "$own/sessions"
}

# belongs MARK VARIABLE=VALUE FILE…: by what the processes are known, what tells them whose they are, and where the users of
# the commands stand.
belongs() {
    setting boot "$IMAGEGEN_RUN/boot"
    mark=$1@$boot # a boot of its own: containers may share their processes, and both have a service `web`
    role=$2
    shift 2
    accounts=$(accounts "$@")
    sessions=''
}

# accounts FILE…: the users of the commands, as uid:gid, where there is anything to switch.
accounts() {
    [ "$(id -u)" -eq 0 ] || return 0
    # shellcheck disable=SC2046 # names of users, one a word
    set -- $(cat "$@" 2>/dev/null | sort -u)
    [ "$#" -eq 0 ] || getent passwd "$@" | cut -d : -f 3,4 | grep -v '^0:'
}

# launch FOLDER [TIMEOUT]: become the command that FOLDER describes. Called with `&`, so that $! is the command itself.
launch() {
    setting user "$1/user"
    setting limit "$1/timeout" "${2-}"
    launched=$1
    set -- "$1/command"
    [ -z "$user" ] || set -- "$IMAGEGEN_LIB/as" "$user" "$@"
    [ -z "$limit" ] || set -- timeout -k 2 "$limit" "$@"
    marked "$launched" setsid "$@"
}

# marked FOLDER PROGRAM [ARG…]: become PROGRAM, marked as the service's, with the secrets of the command in FOLDER. What
# a shell starts with `&` ignores INT and QUIT, and most programs would leave it at that.
marked() {
    secretive=$1
    shift
    exec env -i --default-signal=INT,QUIT "$IMAGEGEN_LIB/with-environment" "$IMAGEGEN_RUN" "$secretive" \
        env "$role" IMAGEGEN_MARK="$mark" "$@"
}

# remember PID STARTED: remember a session of the service by its leader.
remember() {
    sessions="$sessions $1:$2"
    echo "$sessions" >"$own/sessions"
}

forget() {
    sessions=''
    rm -f "$own/sessions"
}

# bearers PROCESS…: those that carry the mark, as /proc/PID/environ. Root may not look into the environment of other
# users' processes (docker takes CAP_SYS_PTRACE away), so each user looks for its own.
bearers() {
    LC_ALL=C grep -slzxF "IMAGEGEN_MARK=$mark" "$@"
    for account in $accounts; do
        setpriv --reuid="${account%:*}" --regid="${account#*:}" --clear-groups \
            env LC_ALL=C grep -slzxF "IMAGEGEN_MARK=$mark" "$@" | owned_by "${account%:*}"
    done
}

# owned_by UID: what runs as the service's user can be made to say anything by the service (ptrace); it is believed of
# that user's own processes only.
owned_by() {
    owner=$1
    # shellcheck disable=SC2046 # they hold no blank
    set -- $(grep -xE '/proc/[0-9]+/environ')
    [ "$#" -eq 0 ] || stat -c '%u %n' "$@" 2>/dev/null | sed -n "s/^$owner //p"
}

# members: print the processes of the service that live.
members() {
    {
        bearers /proc/[0-9]*/environ
        LC_ALL=C grep -asHz '' /proc/[0-9]*/stat | tr '\n\0' ' \n'
    } | awk -v sessions="$sessions" "$kinship"
}

# A line is /proc/PID/environ for a bearer of the mark, and /proc/PID/stat:… for each process there is.
# shellcheck disable=SC2016 # the dollars are awk's
kinship='
{ split($0, path, "/"); pid = path[3] }
/^[^:]*\/environ$/ { bearer[pid]; next }
{
    sub(/.*\) /, "")
    if ($1 ~ /[ZX]/) next
    parent[pid] = $2; session[pid] = $4; started[pid] = $20
}
END {
    # A number that another process bears today is no session of ours any more.
    for (n = split(sessions, known, " "); n > 0; n--) {
        split(known[n], leader, ":")
        if (!(leader[1] in started) || started[leader[1]] == leader[2]) ours[leader[1]]
    }
    for (pid in parent) if (pid in bearer || session[pid] in ours) member[pid]
    do {
        found = 0
        for (pid in parent)
            if (!(pid in member) && parent[pid] in member) { member[pid]; found = 1 }
    } while (found)
    for (pid in member) if (pid in parent) printf "%s ", pid
}'

# sweep DEADLINE: end what is left of the service, with TERM, and from DEADLINE (by `now`) on with KILL. Sets $killed if
# that was needed.
sweep() {
    killed='' heard=' '
    while left=$(members) && [ -n "$left" ]; do
        now
        # shellcheck disable=SC2086 # numbers, one a word
        if [ "$clock" -ge $(($1 + 200)) ]; then
            say "cannot be killed: $(names $left)"
            return 1
        elif [ "$clock" -ge "$1" ]; then
            [ -n "$killed" ] || say "$([ "$heard" = ' ' ] || echo "does not end in time, ")KILL: $(names $left)"
            killed=yes
            kill -s KILL $left 2>/dev/null
        else
            ask_to_end $left
        fi
        pause 0.05
    done
}

# ask_to_end PID…: TERM, once each; and CONT, for what is halted would not hear it.
ask_to_end() {
    for member; do
        case $heard in
            *" $member "*) continue ;;
        esac
        heard="$heard$member "
        kill -s TERM "$member" 2>/dev/null
        kill -s CONT "$member" 2>/dev/null
    done
}

# names PID…: what they are called, for messages.
names() {
    for member; do
        read -r comm 2>/dev/null <"/proc/$member/comm" && printf '%s (%s)\n' "$comm" "$member"
    done | tr '\000-\037\177' ' ' | sed 's/ $//'
}
