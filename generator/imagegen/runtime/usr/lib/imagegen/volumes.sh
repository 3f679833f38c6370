# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init: volumes that are for one container at a time, and the one that remembers the first boot and the version.

remembers=''  # the volume that does, by name
first=''      # whether the first boot is yet to be done
unfinished='' # the hooks that were begun, and have not succeeded
written_by='' # the version that has the data now
begun_by=''   # the version that has begun to upgrade it
holders=''    # processes that keep volumes, as NAME:PID:STARTED

# on_volume NAME VERB [ARG…]: become `mark`, as the volume's owner.
on_volume() {
    setting place "$IMAGEGEN_ETC/volumes/$1/path"
    setting user "$IMAGEGEN_ETC/volumes/$1/owner"
    shift
    set -- "$IMAGEGEN_LIB/mark" "$place" "$@"
    [ -z "$user" ] || set -- "$IMAGEGEN_LIB/as" "$user" "$@"
    exec env -i PATH="$PATH" IMAGEGEN_LIB="$IMAGEGEN_LIB" IMAGEGEN_ETC="$IMAGEGEN_ETC" setsid "$@"
}

# write_down VERB [ARG…]: to the volume that remembers; false with $code, or when told to stop.
write_down() {
    on_volume "$remembers" "$@" >"$IMAGEGEN_RUN/mark" 2>"$IMAGEGEN_RUN/mark.said" 3<&- &
    born marking
    now
    until_ended "$marking" "$marking_began" $((clock + 6000)) || kill -s KILL "$marking"
    join "$marking"
    [ "$status" -ne 0 ] || return 0
    code=$status
    setting reason "$IMAGEGEN_RUN/mark.said" "the volume $remembers does not answer"
    reason=${reason#imagegen: }
    return 1
}

# recall: what the volume remembers. Nothing is written for it.
recall() {
    for folder in "$IMAGEGEN_ETC"/volumes/*/; do
        [ ! -e "$folder/remembers" ] || remembers=$(basename "$folder")
    done
    [ -n "$remembers" ] || return 0
    write_down look || return 1
    first=yes unfinished=' ' written_by='' begun_by=''
    while read -r file version; do
        case $version in
            *[!A-Za-z0-9._+~:-]*) version='?' ;; # of use to nobody, and known to come from elsewhere
        esac
        case $file in
            firstboot.done) first='' written_by=$version ;;
            upgrade.done) written_by=$version ;;
            upgrade.inprogress) begun_by=$version unfinished="${unfinished}upgrade " ;;
            *.inprogress) unfinished="${unfinished}firstboot " ;;
        esac
    done <"$IMAGEGEN_RUN/mark"
}

# claim_volumes: before the first of the blueprint's own commands, and until the last has ended; but a volume that others may
# use at the same time only until the data are as this version wants them.
claim_volumes() {
    for folder in "$IMAGEGEN_ETC"/volumes/*/; do
        [ -d "$folder" ] || continue
        name=$(basename "$folder")
        if [ -e "$folder/exclusive" ]; then
            hold "$name" hold || return 1
        else
            hold "$name" await || return 1
        fi
    done
    recall && check_versions
}

# hold NAME VERB: true when we have it.
hold() {
    held=$IMAGEGEN_RUN/$1.held
    on_volume "$@" >"$held" 2>"$held.said" 3<&- &
    born holder
    looks=0
    until [ -s "$held" ]; do
        if ! lives "$holder" "$holder_began"; then
            join "$holder"
            code=$status
            setting reason "$held.said" "the volume $1 cannot be had"
            reason=${reason#imagegen: }
            return 1
        elif [ "$want" = stop ]; then
            kill -s KILL "$holder" 2>/dev/null
            return 1
        fi
        [ "$looks" -ne 100 ] || say "waits for another container, which is at work on the volume $1"
        look_again
    done
    holders="$holders $1:$holder:$holder_began"
}

# release NAME…: those that others may have now.
release() {
    kept=''
    for holder in $holders; do
        case " $* " in
            *" ${holder%%:*} "*)
                holder=${holder#*:}
                ! lives "${holder%:*}" "${holder#*:}" || kill -s KILL "${holder%:*}"
                ;;
            *) kept="$kept $holder" ;;
        esac
    done
    holders=$kept
}

release_shared() {
    [ -z "$remembers" ] || [ -e "$IMAGEGEN_ETC/volumes/$remembers/exclusive" ] || release "$remembers"
}

# keep_volumes: an app that ends all processes of its user ends those that hold volumes too.
keep_volumes() {
    for holder in $holders; do
        name=${holder%%:*} holder=${holder#*:}
        ! lives "${holder%:*}" "${holder#*:}" || continue
        release "$name"
        hold "$name" hold || return 0
        say "the lock of the volume $name was lost, and is held again"
    done
}

# check_versions: data of a newer version are left alone.
check_versions() {
    setting version "$IMAGEGEN_ETC/version"
    has_hook upgrade || return 0
    for other in "$begun_by" "$written_by"; do
        if [ -z "$other" ] || [ -z "$version" ] || ! older "$version" "$other"; then
            continue
        fi
        code=78 reason="the data on the volume $remembers are of version $other, and this is $version: an older version is not let to them"
        return 1
    done
}

# older VERSION OTHER: as `sort -V` puts them, where a pre-release comes before its release, as in 1.0-rc1, 1.0rc1 and 1.0.dev1;
# what follows a + says nothing.
older() {
    [ "$1" != "$2" ] || return 1
    sorted=$(printf '%s\n' "$1" "$2" | sed -e 's/^v//' -e 's/+.*//' -e 's/-/~/g' -e 's/\.dev/~~dev/' -e 's/\([0-9]\)\(a\|b\|rc\)\([0-9]\)/\1~\2\3/')
    earliest=$(printf '%s\n' "$sorted" | LC_ALL=C sort -V | head -n 1)
    [ "$(printf '%s\n' "$sorted" | uniq | wc -l)" -eq 2 ] && [ "$(printf '%s\n' "$sorted" | head -n 1)" = "$earliest" ]
}

# first_boot: once in the life of the volume; and again, told so, if it did not succeed.
first_boot() {
    [ -n "$first" ] || return 0
    retry=''
    case $unfinished in
        *" firstboot "*) retry=IMAGEGEN_FIRSTBOOT_RETRY=1 ;;
    esac
    if has_hook firstboot; then
        enter FIRSTBOOT "${retry:+again, for it was not finished}"
    fi
    write_down begin firstboot "$version" && run_hook firstboot ${retry:+"$retry"} && write_down finish firstboot || return 1
    first='' written_by=$version
}

# upgrade: when the data are of another version, or at each boot if the blueprint says so.
upgrade() {
    has_hook upgrade || return 0
    if [ "$written_by" = "$version" ] && [ ! -e "$IMAGEGEN_ETC/hooks/upgrade/every-boot" ]; then
        return 0
    fi
    set -- "IMAGEGEN_UPGRADE_FROM=$written_by" "IMAGEGEN_UPGRADE_TO=$version"
    case $unfinished in
        *" upgrade "*) set -- "$@" IMAGEGEN_UPGRADE_RETRY=1 ;;
    esac
    if [ "$written_by" = "$version" ]; then
        enter UPGRADING "as at every boot"
    else
        enter UPGRADING "from ${written_by:-an unknown version} to $version"
    fi
    [ -z "$remembers" ] || write_down begin upgrade "$version" || return 1
    run_hook upgrade "$@" || return 1
    [ -z "$remembers" ] || write_down finish upgrade || return 1
}
