# shellcheck shell=sh
# shellcheck disable=SC1091,SC2034,SC2154 # the files that make up a script share their variables
# Sourced by init: from the first line of the log to the last service. What the container is told comes first, so that what
# is wrong with it ends the start before anything is touched.

# The stages in their order. Each is a function that returns false with $code when there is nothing to go on with, or when it
# was told to stop; each wait in it is a `linger`, or ends with the heartbeat.
stages='prepare check_settings claim_volumes download lay_down run_boot_hook first_boot upgrade release_shared start_services warm_up'

# boot: false with $code, or when told to stop.
boot() {
    for stage in $stages; do
        "$stage" && [ -z "$code" ] && [ "$want" != stop ] || return 1
    done
}

prepare() {
    make_directory || die 73 "$trouble"
    export IMAGEGEN_RUN IMAGEGEN_CONFIG="$IMAGEGEN_RUN/config.json"
    setting title "$IMAGEGEN_ETC/image" "an image without a name"
    setting budget "$IMAGEGEN_ETC/stop-budget" 0
    [ "$budget" -le 10 ] || title="$title; needs docker stop -t $((budget + 5))" # docker's own patience is 10 s
    mkfifo -m 0600 "$IMAGEGEN_RUN/idle"
    mkdir "$IMAGEGEN_RUN/hooks"
    setting boot /proc/sys/kernel/random/uuid
    echo "$boot" >"$IMAGEGEN_RUN/boot"
    dump_environment
    enter DOCKERUP "$title"
    warn_of_names &
}

check_settings() {
    recall || return 1
    check_variables
    merge || [ "$want" = stop ] || refuse "$status" "$reason"
    [ -z "$code" ]
}

# download, and lay_down: on volumes too, so when they are claimed.
download() {
    fetch_downloads || [ "$want" = stop ] || refuse "$status" "$reason"
}

lay_down() {
    lay_files || [ "$want" = stop ] || refuse "$status" "$reason"
}

# check_variables: each that is wrong has had its line when this ends.
check_variables() {
    [ -d "$IMAGEGEN_ETC/variables" ] || return 0
    env -i imagegen_first="$first" \
        "$IMAGEGEN_LIB/with-environment" "$IMAGEGEN_RUN" '' "$IMAGEGEN_LIB/check-variables" &
    born checking
    while lives "$checking" "$checking_began"; do
        nap
    done
    join "$checking"
    [ "$status" -eq 0 ] || refuse "$status" "the variables are not as they must be"
}

# refuse CODE REASON: the first has the code; what else is wrong gets a line too.
refuse() {
    if [ -n "$code" ]; then
        say "$2"
        reason=$refused
    else
        code=$1 reason=$2 refused=$2
    fi
}

# merge: false with $status and $reason.
merge() {
    "$IMAGEGEN_LIB/merge-config" 2>"$IMAGEGEN_RUN/config.said" &
    born merging
    while lives "$merging" "$merging_began"; do
        [ "$want" != stop ] || kill -s TERM "$merging" 2>/dev/null
        nap
    done
    join "$merging"
    [ "$status" -ne 0 ] || return 0
    setting reason "$IMAGEGEN_RUN/config.said" "the configuration cannot be merged"
    reason=${reason#imagegen: }
    return 1
}

# lay_files: false with $status and $reason.
lay_files() {
    stage lay-files || reason="not everything could be laid down"
    [ "$status" -eq 0 ]
}

# fetch_downloads: false with $status and $reason.
fetch_downloads() {
    status=0
    [ ! -d "$IMAGEGEN_ETC/downloads" ] || stage fetch-downloads || reason="not everything could be downloaded"
    [ "$status" -eq 0 ]
}

# stage SCRIPT: run a part of the start in a clean environment; false with $status, or when told to stop.
stage() {
    env -i PATH="$PATH" IMAGEGEN_LIB="$IMAGEGEN_LIB" IMAGEGEN_ETC="$IMAGEGEN_ETC" IMAGEGEN_RUN="$IMAGEGEN_RUN" \
        IMAGEGEN_CONFIG="$IMAGEGEN_CONFIG" IMAGEGEN_DOWNLOADS="${IMAGEGEN_DOWNLOADS-}" "$IMAGEGEN_LIB/$1" &
    born staging
    while lives "$staging" "$staging_began"; do
        [ "$want" != stop ] || kill -s TERM "$staging" 2>/dev/null
        nap
    done
    join "$staging"
    [ "$status" -eq 0 ]
}

# dump_environment: what the container was started with, as shell, for all that runs in it. Taken from /proc and not from
# our variables: any name is anybody's, and what we call `name` is not what `docker run -e name=` means. Secrets are left
# out: they reach only what names them.
dump_environment() {
    (
        umask 077
        left_out=$(imagegen_secrets | sed 's/.*/\/^&=\/d;/')
        {
            tr '\n\0' '\001\n' <"/proc/$$/environ" \
                | sed -n "$left_out s/'/'\\\\''/g; s/^\([A-Za-z_][A-Za-z0-9_]*\)=\(.*\)\$/export \1='\2'/p" | tr '\001' '\n'
            echo "export IMAGEGEN_RUN='$IMAGEGEN_RUN' IMAGEGEN_CONFIG='$IMAGEGEN_CONFIG'"
        } >"$IMAGEGEN_RUN/environment"
    )
}

# warn_of_names: what is no name of a shell variable is lost in any shell script, this one or a start command.
warn_of_names() {
    lost=$(tr '\0\n' '\n ' <"/proc/$$/environ" | grep -v '^[A-Za-z_][A-Za-z0-9_]*=' | cut -d = -f 1)
    # shellcheck disable=SC2086 # on one line
    [ -z "$lost" ] || say "these are no names of shell variables, and do not reach the services:" $lost
}
