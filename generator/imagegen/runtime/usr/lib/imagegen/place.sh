# shellcheck shell=sh
# shellcheck disable=SC2034 # the files that make up a script share their variables
# Sourced by lay-files and fetch: a way to a place in the image, on which nobody can lead root astray.
#
# What is laid may lie in a folder that a service's user, or another container, writes to. So each folder on the way is
# entered by itself, and what is done at its end is done in that folder, whatever its name leads to by then.

uid=$(id -u)

# approach FOLDER: enter it; false with $trouble. Folders that are missing are made, and belong to whom the one belongs
# that they are made in. A symbolic link is followed if it is root's, in a folder that only root can write to, which is
# how images have them, and on no volume.
approach() {
    cd / || return 1
    way=${1#/} links=0
    while [ -n "$way" ]; do
        step=${way%%/*}
        way=${way#"$step"} way=${way#/}
        if [ -z "$step" ] || [ "$step" = . ]; then
            continue
        elif [ -L "./$step" ]; then
            links=$((links + 1))
            if [ "$links" -gt 40 ] || ! is_trusted "./$step"; then
                trouble="${PWD%/}/$step is a symbolic link, and is not followed"
                return 1
            fi
            target=$(readlink "./$step")
            case $target in /*) cd / || return 1 ;; esac
            way=${target#/}${way:+/$way}
        else
            [ -e "./$step" ] || make_folder || return 1
            enter_folder || return 1
        fi
    done
}

# enter_folder: $step, if it is there and no link by now.
enter_folder() {
    expected=${PWD%/}/$step
    [ "$step" != .. ] || expected=''
    if ! cd -P "./$step" 2>/dev/null; then
        trouble="$expected cannot be entered by user $uid"
        [ -d "./$step" ] || trouble="$expected is no folder"
        return 1
    fi
    if [ -n "$expected" ] && [ "$PWD" != "$expected" ]; then
        trouble="$expected is a symbolic link, and is not followed"
        return 1
    fi
}

make_folder() {
    keeper=$(stat -c %u:%g .)
    if ! said=$(LC_ALL=C mkdir -m 0755 -- "./$step" 2>&1); then
        trouble="${PWD%/}/$step cannot be made: ${said##*: }"
        return 1
    fi
    [ "$uid" -eq 0 ] && [ "$keeper" != 0:0 ] || return 0
    (enter_folder && chown "$keeper" .) || {
        trouble="${PWD%/}/$step cannot be given to $keeper"
        return 1
    }
}

# is_trusted LINK
is_trusted() {
    [ "$(stat -c %u:%m "$1")" = 0:/ ] && [ -n "$(find . -maxdepth 0 -user 0 ! -perm /022)" ]
}

# is_mounted NAME: something is mounted at that name, here.
is_mounted() {
    sought=$(printf %s "${PWD%/}/$1" | sed 's/\\/\\134/g; s/ /\\040/g')
    while read -r _ _ _ _ point _; do
        [ "$point" != "$sought" ] || return 0
    done </proc/self/mountinfo
    return 1
}

# put NAME OWNER MODE PROGRAM [ARG…]: make a file of what PROGRAM prints, here; whoever looks sees the old one or the new.
# False with $trouble and $code. What PROGRAM complains of is said; if it exits with 3, nothing is put.
put() {
    name=$1
    : >"$IMAGEGEN_RUN/put.said"
    code=0
    (put_anew "$@") 2>"$IMAGEGEN_RUN/put.said" || code=$?
    [ "$code" -ne 0 ] || return 0
    [ "$code" -ne 3 ] || { code=0 && return 0; }
    trouble=$(tail -n 1 "$IMAGEGEN_RUN/put.said")
    if [ "$code" -eq 78 ] || [ "$code" -eq 75 ]; then
        trouble=${trouble#imagegen: }
    else
        code=73 trouble="${PWD%/}/$name cannot be written: ${trouble##*: }"
    fi
    return 1
}

# The file is opened once, under a name that nobody can guess; all else is done to what is open.
put_anew() {
    owner=$2 mode=$3
    shift 3
    if [ -d "./$name" ] && [ ! -L "./$name" ]; then
        echo "it is a folder" >&2
        exit 73
    fi
    temporary=./.imagegen-$(cat /proc/sys/kernel/random/uuid)
    set -C
    umask 077
    export LC_ALL=C
    exec 7>"$temporary"
    trap 'rm -f -- "$temporary"' EXIT
    trap 'exit 143' TERM
    "$@" >&7 7>&- || exit
    [ "$uid" -ne 0 ] || chown "$owner" /dev/fd/7 || exit 73
    chmod "$mode" /dev/fd/7 || exit 73
    exec 7>&-
    mv -fT -- "$temporary" "./$name" || exit 73
}
