# shellcheck shell=sh
# Sourced by check-variables, with-environment and others that run under the variables the container was started with:
# the values of secrets. They are kept nowhere: each time they are read from where they were given.
#
# The names here begin with imagegen_, for any other may be a variable of the container.

# imagegen_secrets: print the names of all secrets, one a line.
imagegen_secrets() {
    for imagegen_folder in "${IMAGEGEN_ETC:-/etc/imagegen}"/variables/*/secret; do
        [ -e "$imagegen_folder" ] || continue
        imagegen_folder=${imagegen_folder%/secret}
        echo "${imagegen_folder##*/}"
    done
}

# imagegen_reveal NAME: set $imagegen_value to what was given as NAME, or in the file that NAME_FILE names; false after
# one line, which holds nothing of it.
imagegen_reveal() {
    imagegen_given "$1"
    eval "imagegen_file=\${${1}_FILE-}"
    [ -n "$imagegen_file" ] || return 0
    if [ -n "$imagegen_value" ]; then
        echo "imagegen: $1 and ${1}_FILE are both set: only one can be meant" >&2
        return 1
    fi
    if [ ! -f "$imagegen_file" ] || [ ! -r "$imagegen_file" ]; then
        echo "imagegen: ${1}_FILE: $imagegen_file is no file that user $(id -u) can read" >&2
        return 1
    fi
    imagegen_value=$(cat "$imagegen_file")
}

# imagegen_given NAME: set $imagegen_value to what the init was started with.
imagegen_given() {
    imagegen_value='' imagegen_init=''
    { IFS= read -r imagegen_init; } 2>/dev/null <"$IMAGEGEN_RUN/init.pid" || return 0
    eval "$(tr '\n\0' '\001\n' <"/proc/$imagegen_init/environ" \
        | sed -n "s/'/'\\\\''/g; s/^$1=\(.*\)\$/imagegen_value='\1'/p" | tr '\001' '\n')"
}
