# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init, which makes the runtime directory, and by those who have to find it: the one place that is written
# to. It holds data and symbolic links, nothing that is executed: docker mounts /run and /tmp noexec.

# The first that will do is taken. Who names one means that one.
places() {
    if [ -n "${IMAGEGEN_RUN-}" ]; then
        echo "$IMAGEGEN_RUN"
    else
        printf '%s\n' /run/imagegen /tmp/imagegen /dev/shm/imagegen
    fi
}

# find_directory: set $IMAGEGEN_RUN to the one of the init that is running now. A health check, a cron job and `docker
# exec` do not inherit it.
find_directory() {
    uid=$(id -u)
    for place in $(places); do
        if trusted "$place" && vouched "$place" && running "$place"; then
            IMAGEGEN_RUN=$place
            return 0
        fi
    done
    return 1
}

# vouched PLACE: its init is ours, or root's. The image ships a folder of root's that everybody may write to; what root
# finds there must not be believed when another user's init made it.
vouched() {
    maker=$(stat -c %u "$1/init.pid" 2>/dev/null) && { [ "$maker" -eq "$uid" ] || [ "$maker" -eq 0 ]; }
}

# running PLACE: set $init to the process that works with it.
running() {
    init='' init_began=''
    { read -r init && read -r init_began; } 2>/dev/null <"$1/init.pid" && lives "$init" "$init_began"
}

# trusted PLACE: a real folder of ours, or root's, for the image ships /run/imagegen with mode 1777. In a shared /tmp it
# may be anybody's, or a link to where something can be spoilt.
trusted() {
    [ ! -L "$1" ] && [ -d "$1" ] || return 1
    owner=$(stat -c %u "$1") && { [ "$owner" -eq "$uid" ] || [ "$owner" -eq 0 ]; }
}

# make_directory: set $IMAGEGEN_RUN to an empty one, or set $trouble.
make_directory() {
    uid=$(id -u) trouble=''
    for place in $(places); do
        make "$place" || continue
        IMAGEGEN_RUN=$place
        return 0
    done
    trouble="no place for the runtime directory:$trouble (user $uid; set IMAGEGEN_RUN to a folder that can be written)"
    return 1
}

make() {
    mkdir -m 0755 "$1" 2>/dev/null
    if ! trusted "$1"; then
        trouble="$trouble $1 is missing or not ours,"
    elif [ ! -w "$1" ] || [ ! -x "$1" ]; then
        trouble="$trouble $1 is not writable,"
    elif running "$1" && [ "$init" -ne $$ ]; then
        trouble="$trouble $1 is used by process $init,"
    elif [ ! -e "$1/init.pid" ] && [ -n "$(ls -A "$1")" ]; then
        trouble="$trouble $1 holds something else,"
    else
        wipe "$1"
        return
    fi
    return 1
}

# wipe PLACE: what an earlier start left would be believed. init.pid shows whose the folder is, and stays to the last.
wipe() {
    find "$1" -mindepth 1 -xdev ! -path "$1/init.pid" -delete || return 1
    [ "$owner" -ne "$uid" ] || chmod 0755 "$1" # nobody else may put anything in
    if ! { process $$ && replace "$1/init.pid" $$ "$started"; } 2>/dev/null; then
        trouble="$trouble $1 is full,"
        return 1
    fi
}
