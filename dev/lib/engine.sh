# shellcheck shell=sh
# Sourced by dev/setup, as the developer: a Docker engine with buildx and compose. One that answers is used and left
# alone; else the distribution's is installed and started.
: "${lib:?}" "${scratch:?}"

ensure_engine() {
    if ! engine_answers; then
        require_own_engine
        if [ ! -x /usr/sbin/dockerd ] && ! command -v dockerd >/dev/null 2>&1; then
            install_engine
        fi
        start_engine
    fi
    require_plugin buildx docker-buildx
    require_plugin compose 'docker-compose (Ubuntu: docker-compose-v2)'
    say "engine: Docker $(docker version --format '{{.Server.Version}}') answers"
}

# A remote engine may hang rather than refuse.
engine_answers() {
    command -v docker >/dev/null 2>&1 && timeout 10 docker version </dev/null >/dev/null 2>&1
}

# Installs nothing beside an engine that was chosen by hand, nor one that is only closed to this user.
require_own_engine() {
    [ -z "${DOCKER_HOST:-}" ] || die "engine: none answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST"
    if command -v docker >/dev/null 2>&1; then
        context=$(docker context show 2>/dev/null || echo default)
        [ "$context" = default ] \
            || die "engine: none answers in docker's context $context: start it, or: docker context use default"
    fi
    [ "$(id -u)" -eq 0 ] && return
    require_root 'to start a Docker engine'
    ! as_root docker version </dev/null >/dev/null 2>&1 \
        || die "engine: it runs, but not for $(id -un): sudo usermod -aG docker $(id -un), and log in again"
}

require_plugin() {
    docker "$1" version </dev/null >/dev/null 2>&1 \
        || die "engine: $(command -v docker) has no $1 plugin: install your vendor's package for it; Debian's is $2"
}

install_engine() {
    case $(distribution) in
        debian-12)
            refresh_package_lists
            borrow_engine_from_trixie
            set -- docker.io docker-cli containerd docker-buildx docker-compose
            ;;
        debian-1[3-9]) set -- docker.io docker-cli docker-buildx docker-compose ;;
        ubuntu-2[4-9].* | ubuntu-[3-9]?.*) set -- docker.io docker-buildx docker-compose-v2 ;;
        *)
            die "engine: none answers, and one can be installed here only on Debian >= 12 and Ubuntu >= 24.04," \
                "not on '$(distribution)': install Docker with buildx and compose yourself"
            ;;
    esac
    refresh_package_lists
    # iptables: dockerd needs it and Debian only recommends it. ca-certificates: else no registry is trusted.
    install_packages "$@" iptables ca-certificates
}

# Debian 12's own Docker has neither plugin; Debian 13's packages run on it. The pins see to it that nothing else ever
# comes from there. The address is that of the machine's own archive.
borrow_engine_from_trixie() {
    archive=$(debian_archive Debian)
    [ -n "$archive" ] || die "engine: apt has no archive of Debian's here: see /etc/apt/sources.list.d"
    security=$(debian_archive Debian-Security)
    require_root 'to install a Docker engine'
    say "engine: takes Debian 13's Docker: Debian 12's lacks buildx and compose (see /etc/apt/*/imagegen-engine*)"
    {
        echo "# Written by imagegen's dev/setup: Debian 13, for Docker only (see preferences.d/imagegen-engine)."
        trixie_source "$archive" trixie
        [ -z "$security" ] || trixie_source "$security" trixie-security
    } >"$scratch/imagegen-engine.sources"
    cat >"$scratch/imagegen-engine" <<'PINS'
Explanation: Written by imagegen's dev/setup: nothing but Docker comes from Debian 13.
Explanation: Remove this file and sources.list.d/imagegen-engine.sources before you upgrade the machine to it.
Package: *
Pin: release o=Debian,n=trixie*
Pin-Priority: -10

Package: docker.io docker-cli containerd docker-buildx docker-compose
Pin: release o=Debian,n=trixie*
Pin-Priority: 990
PINS
    # The pins first: without them the new source would be open to everything.
    as_root install -m 644 "$scratch/imagegen-engine" /etc/apt/preferences.d/imagegen-engine
    as_root install -m 644 "$scratch/imagegen-engine.sources" /etc/apt/sources.list.d/imagegen-engine.sources
}

trixie_source() {
    printf '\nTypes: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$1" "$2" /usr/share/keyrings/debian-archive-keyring.gpg
}

start_engine() {
    # The package has started its service by now where something runs services.
    engine_answers && return
    require_root 'to start a Docker engine'
    as_root sh "$lib/dockerd.sh" start "$(id -u)" || exit 1
    engine_answers || die "engine: it started, but does not answer $(id -un): $(docker version 2>&1 | tail -n 1)"
}

stop_engine() {
    [ -e /run/imagegen-dev/dockerd ] || {
        say 'engine: none was started from here'
        return
    }
    require_root 'to stop the engine'
    as_root sh "$lib/dockerd.sh" stop
}
