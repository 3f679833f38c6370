# shellcheck shell=sh
# Sourced by dev/setup: what tests run outside of containers, and the zones that they check names against, from
# packages of the distribution.
: "${root:?}"

ensure_tools() {
    missing=
    for tool in bash curl git jq openssl; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -d /usr/share/zoneinfo/Europe ] || missing="$missing tzdata"
    if [ -z "$missing" ]; then
        say 'tools: bash, curl, git, jq, openssl and tzdata are here'
        return
    fi
    refresh_package_lists
    # shellcheck disable=SC2086 # each is the name of a package
    install_packages $missing
}
