# shellcheck shell=sh
# Sourced by dev/setup, as the developer: base images. Each is the one that is there, else the registry's, else one made
# of Debian packages, which is labelled and announced so that nobody takes it for the real one.
: "${lib:?}" "${scratch:?}"

base_label=io.imagegen.base.bootstrapped
debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Set once a pull has failed: the next image would only wait for the same registry.
registry_is_silent=

ensure_base() {
    if bootstrapped=$(docker image inspect --format "{{index .Config.Labels \"$base_label\"}}" "$1" 2>/dev/null); then
        case $bootstrapped in
            true) say "base: $1 is here (bootstrapped, NOT the official image)" ;;
            *) say "base: $1 is here" ;;
        esac
    elif pull_base "$1"; then
        say "base: pulled $1"
    else
        bootstrap_base "$1"
    fi
}

# A registry that answers names the image at once and may then take its time; one that does not gets ten seconds.
pull_base() {
    [ -z "$registry_is_silent" ] || return 1
    : >"$scratch/pull.log"
    docker pull "$1" </dev/null >"$scratch/pull.log" 2>&1 &
    pull=$!
    tenths=0
    while kill -0 "$pull" 2>/dev/null; do
        patience=100
        ! grep -q 'Pulling from' "$scratch/pull.log" || patience=9000
        [ "$tenths" -lt "$patience" ] || kill "$pull" 2>/dev/null || :
        sleep 0.1
        tenths=$((tenths + 1))
    done
    ! wait "$pull" || return 0
    registry_is_silent=yes
    say "base: no registry gives $1: $(tail -n 1 "$scratch/pull.log" | cut -c 1-150)"
    return 1
}

bootstrap_base() {
    suite=${1#debian:}
    suite=${suite%-slim}
    [ "$1" = "debian:$suite-slim" ] \
        || die "base: $1 cannot be pulled; only debian:SUITE-slim can be bootstrapped: docker load it from a file"
    require_root "to bootstrap $1"
    if ! command -v mmdebstrap >/dev/null 2>&1 || [ ! -e "$debian_keyring" ]; then
        refresh_package_lists
        install_packages mmdebstrap debian-archive-keyring
    fi
    say "base: bootstrapping $1 from Debian packages"
    bootstrap_rootfs "$suite"
    docker import \
        --change "LABEL $base_label=true" \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'CMD ["bash"]' \
        --message 'bootstrapped from Debian packages by imagegen' \
        "$scratch/base.tar" "$1" >"$scratch/import.log" 2>&1 \
        || die_with_log "$scratch/import.log" "base: the engine did not import $1: see above"
    rm -f "$scratch/base.tar"
    say "base: made $1, NOT the official image (label $base_label=true); remove it with: docker rmi $1"
}

# mmdebstrap rather than debootstrap: it has the security updates in from the start, as the official images do, makes
# the tar itself, and is faster. The options for dpkg are those of the official slim images.
bootstrap_rootfs() {
    base_sources "$1" >"$scratch/base.sources"
    set -- "$1" "$scratch/base.tar" "$scratch/base.sources"
    certificates=
    if [ ! -s "$3" ]; then
        # Not a Debian machine: mmdebstrap knows where Debian's archive is.
        set -- "$1" "$2"
    elif grep -q '^URIs: https' "$3"; then
        # Without these the image could not read the sources that it was made from.
        certificates=--include=ca-certificates
    fi
    # As root it need not map users, which many containers and kernels forbid.
    as_root mmdebstrap --mode=root --variant=minbase ${certificates:+"$certificates"} \
        --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr \
        --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/groff/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/linda/*' \
        --dpkgopt='path-exclude=/usr/share/lintian/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --customize-hook="$lib/slim.sh" \
        --skip=output/dev \
        "$@" </dev/null >"$scratch/bootstrap.log" 2>&1 \
        || die_with_log "$scratch/bootstrap.log" "base: could not bootstrap debian:$1-slim: see above (no network?)"
}

# The apt sources of a suite, from the archives that this machine uses; nothing if it uses none of Debian's.
base_sources() {
    archive=$(debian_archive Debian)
    if [ -z "$archive" ]; then
        refresh_package_lists
        archive=$(debian_archive Debian)
    fi
    [ -n "$archive" ] || return 0
    archive=$(outside_this_machine "$archive")
    archive_has "$archive" "$1" || die "base: $archive has no suite $1"
    source_of "$archive" "$1" "$1-updates"
    archive=$(outside_this_machine "$(debian_archive Debian-Security)")
    [ -z "$archive" ] || source_of "$archive" "$1-security"
}

# The suites of an old release move away one by one; apt would refuse a source of which one is missing.
source_of() {
    address=$1
    shift
    present=
    for candidate in "$@"; do
        ! archive_has "$address" "$candidate" || present="$present $candidate"
    done
    [ -n "$present" ] || return 0
    printf 'Types: deb\nURIs: %s\nSuites:%s\nComponents: main\nSigned-By: %s\n\n' \
        "$address" "$present" "$debian_keyring"
}

# apt's own downloader: the machine's proxy and certificates hold for it.
archive_has() {
    /usr/lib/apt/apt-helper download-file "$1/dists/$2/InRelease" "$scratch/InRelease" </dev/null >/dev/null 2>&1
}

# Debian's cloud images name their mirror in a local file, which a container has not.
outside_this_machine() {
    case $1 in
        mirror+file:*)
            sed -n -E 's,^([^#[:space:]]*[^/[:space:]])/*([[:space:]].*)?$,\1,p' "${1#mirror+file:}" | head -n 1
            ;;
        *) printf '%s\n' "$1" ;;
    esac
}
