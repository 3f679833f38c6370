# shellcheck shell=sh
# Sourced by the scripts of the runtime: messages, and files of one value.

: "${IMAGEGEN_ETC:=/etc/imagegen}" # other places are for tests without a container
: "${IMAGEGEN_LIB:=/usr/lib/imagegen}"

# One line a message, without the time: the engine's log has it. $speaker is a service, a job, or imagegen itself.
say() {
    printf '%s: %s\n' "${speaker:-imagegen}" "$*" >&2
}

# die CODE MESSAGE
die() {
    death=$1
    shift
    say "$*"
    exit "$death"
}

# lines NAME: each line of the input as `NAME: …`, at once. grep ends a last line that has no end; sed would have to wait for
# the next line to know.
lines() {
    grep -a --line-buffered '' | sed -u "s/^/$1: /"
}

# setting VARIABLE FILE [DEFAULT]: give VARIABLE the line in FILE. No process is started for it: `$(cat …)` would cost
# half a millisecond each time.
setting() {
    eval "$1=\${3-}"
    [ ! -f "$2" ] || IFS= read -r "$1" <"$2" || :
}

# replace FILE LINE…: whoever reads sees the old lines or the new ones. Each file has one writer, so that the name
# beside it is free.
replace() {
    replaced=$1
    shift
    printf '%s\n' "$@" >"$replaced.new" && mv -f "$replaced.new" "$replaced"
}
