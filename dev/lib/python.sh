# shellcheck shell=sh
# Sourced by dev/setup, as the developer: .venv at the top of the checkout, with the project (editable) and its group of
# development tools, in the versions of uv.lock.
: "${root:?}" "${scratch:?}"

venv=$root/.venv
stamp_file=$venv/imagegen-stamp

ensure_python() {
    python=$(find_python) || {
        refresh_package_lists
        install_packages python3 python3-venv
        python=$(find_python) || die 'python: needs Python 3.11 or newer: install it as /usr/bin/python3'
    }
    stamp=$(stamp_of "$python")
    if [ "$(cat "$stamp_file" 2>/dev/null)" = "$stamp" ]; then
        say 'python: .venv is up to date'
        return
    fi
    rm -f "$stamp_file"
    ensure_venv "$python"
    say 'python: installing the project and its development tools into .venv'
    take_over_pip_settings
    install_locked || install_unlocked
    printf '%s\n' "$stamp" >"$stamp_file"
    say "python: .venv is ready ($("$venv/bin/python" --version))"
}

# The distribution's own first: it is what a fresh machine has, and what its package python3-venv is for.
find_python() {
    for candidate in /usr/bin/python3 /usr/bin/python3.14 /usr/bin/python3.13 /usr/bin/python3.12 \
        /usr/bin/python3.11 "$(command -v python3)"; do
        if [ -x "$candidate" ] && is_fit "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# One of pyenv's or of another virtual environment goes when that goes.
is_fit() {
    "$1" -c 'import sys
sys.exit(sys.version_info < (3, 11) or sys.prefix != sys.base_prefix or "pyenv" in sys.base_prefix)' 2>/dev/null
}

# Moving the checkout counts too: the environment's scripts name their place.
stamp_of() {
    {
        printf '%s\n' "$root"
        "$1" -VV
        cat "$root/pyproject.toml" "$root/uv.lock"
    } | sha256sum | cut -d ' ' -f 1
}

# One that uv made has no pip, and one of another Python is no use.
ensure_venv() {
    if [ "$(readlink -f "$venv/bin/python")" = "$(readlink -f "$1")" ] \
        && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    if ! "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        refresh_package_lists
        case $1 in
            /usr/bin/*) install_packages "${1#/usr/bin/}-venv" ;;
            *) die "python: $1 cannot make virtual environments: install its ensurepip and venv modules" ;;
        esac
    fi
    say "python: making .venv with $1"
    "$1" -m venv --clear "$venv" >"$scratch/venv.log" 2>&1 \
        || die_with_log "$scratch/venv.log" "python: $1 could not make .venv: see above"
}

# uv reads no pip.conf, so the index and the certificates that pip was told of here are passed on to it.
take_over_pip_settings() {
    "$venv/bin/python" -m pip config list >"$scratch/pip.conf" 2>/dev/null || :
    index=$(pip_setting index-url)
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    certificates=$(pip_setting cert)
    certificates=${SSL_CERT_FILE:-${certificates:-/etc/ssl/certs/ca-certificates.crt}}
    [ ! -e "$certificates" ] || export SSL_CERT_FILE="$certificates"
}

# The environment's, which pip lists first, outdoes the files'.
pip_setting() {
    sed -n -E "s/^(:env:|global|install)\.$1='(.*)'\$/\2/p" "$scratch/pip.conf" | head -n 1
}

# Takes away what is in .venv and not in the lock, but for pip and uv themselves.
install_locked() {
    [ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip install --quiet uv </dev/null >"$scratch/uv.log" 2>&1 || {
        say "python: pip gives no uv ($(tail -n 1 "$scratch/uv.log"))"
        return 1
    }
    (
        unset VIRTUAL_ENV
        export UV_PROJECT_ENVIRONMENT="$venv" UV_PYTHON_DOWNLOADS=never
        "$venv/bin/uv" sync --frozen --project "$root" --python "$venv/bin/python"
    ) </dev/null >"$scratch/uv.log" 2>&1 || {
        say "python: uv could not install uv.lock ($(tail -n 1 "$scratch/uv.log"))"
        return 1
    }
}

# Where the lock's addresses cannot be reached, pip's index may have the same packages. Groups need a newer pip than
# Debian 12's.
install_unlocked() {
    say 'python: going on with pip, which takes the newest versions instead of the locked ones'
    {
        "$venv/bin/python" -m pip install --quiet --upgrade 'pip>=25.1' \
            && "$venv/bin/python" -m pip install --quiet --editable "$root" --group "$root/pyproject.toml:dev"
    } </dev/null >"$scratch/pip.log" 2>&1 \
        || die_with_log "$scratch/pip.log" 'python: pip could not either: see above (no network?)'
}
