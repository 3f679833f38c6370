# shellcheck shell=sh
# Sourced by dev/setup, as the developer: the machine below the set-up. How to speak to its user, become its root, and
# use its package manager. Nothing here knows what is being set up.
: "${scratch:?}"

say() {
    printf 'setup: %s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# Every log is kept in the run's scratch folder; its end is what tells why a step failed.
die_with_log() {
    tail -n 15 "$1" >&2
    shift
    die "$@"
}

require_root() {
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 \
        || die "needs root $*: run it as root, or install sudo"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The machine in one word, such as debian-12 or ubuntu-24.04.
distribution() {
    # shellcheck source=/dev/null
    (. /etc/os-release && printf '%s-%s\n' "${ID:-}" "${VERSION_ID:-}") 2>/dev/null || :
}

require_apt() {
    command -v apt-get >/dev/null 2>&1 || die "$1 is missing, and there is no apt-get here: install it by hand"
}

# Some source of the machine's may be broken and of no concern to us, so the install that follows decides.
refresh_package_lists() {
    as_root apt-get update </dev/null >"$scratch/apt-update.log" 2>&1 \
        || say "apt-get update had problems ($(grep '^[EW]:' "$scratch/apt-update.log" | head -n 1)); going on"
}

# Never at the price of a package that is there (a Docker of another vendor, say), hence --no-remove.
install_packages() {
    require_apt "$1"
    require_root "to install $*"
    say "installing packages: $*"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 "$@" \
        </dev/null >"$scratch/apt-install.log" 2>&1 \
        || die_with_log "$scratch/apt-install.log" "apt-get could not install $*: see above (no network?)"
}

# The address of the Debian archive that the machine itself uses, by the label in its Release file ("Debian" or
# "Debian-Security"); nothing on Ubuntu. Asking apt covers both formats of its sources, and what is off in them.
debian_archive() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' \
        | sed -n "s,^Debian|$1|\(.*[^/]\)/*\$,\1,p" | head -n 1
}
