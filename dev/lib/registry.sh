# shellcheck shell=sh
# Sourced by dev/setup, as the developer: the registry that tests push to. Only its program is taken out of the
# distribution's package: installed, the package would start a service on this machine.
: "${root:?}" "${scratch:?}"

ensure_registry() {
    registry=$root/.venv/bin/docker-registry
    if [ -x "$registry" ]; then
        say 'registry: docker-registry is here'
        return
    fi
    [ -d "${registry%/*}" ] || die 'registry: run dev/setup python first: the program goes into .venv'
    fetch_registry || {
        refresh_package_lists
        fetch_registry
    } || die_with_log "$scratch/registry.log" 'registry: apt gives no docker-registry: see above'
    (cd "$scratch" && dpkg-deb --extract docker-registry_*.deb registry)
    install -m 755 "$scratch/registry/usr/bin/docker-registry" "$registry"
    say 'registry: took docker-registry from the distribution'
}

fetch_registry() {
    (cd "$scratch" && apt-get download docker-registry </dev/null >"$scratch/registry.log" 2>&1)
}
