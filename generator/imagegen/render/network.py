"""What a build step needs to reach the network: proxies and a private CA, told as one secret.

Both belong to the machine that builds, so neither may change the context, its digest or a layer.
The secret is a shell script, and there only if the builder was given it: a context builds without.
"""

import shlex
from dataclasses import dataclass, field
from urllib.parse import unquote

ID = "imagegen-network"

MOUNT = f"--mount=type=secret,id={ID}"
"""Mounts the secret, where there is one, for a RUN that may download."""

ENTER = f"if [ -s /run/secrets/{ID} ]; then . /run/secrets/{ID}; fi"
"""First shell line of such a RUN, as root: sets the variables for all that follow."""


@dataclass(frozen=True, slots=True)
class Network:
    """How the machine that builds reaches the network. A proxy may hold a password."""

    certificates: str = ""
    http_proxy: str | None = field(default=None, repr=False)
    https_proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None

    def __bool__(self) -> bool:
        return bool(self.certificates or self.http_proxy or self.https_proxy or self.no_proxy)

    def covered(self, text: str) -> str:
        """Cover what a program has said of a proxy's user and password."""
        for proxy in filter(None, (self.http_proxy, self.https_proxy)):
            user, at, _ = proxy.partition("//")[2].rpartition("@")
            _, colon, password = user.partition(":")
            for secret in (user, password if colon else user, unquote(password)) if at else ():
                text = text.replace(secret, "***") if secret else text
        return text


DIRECT = Network()
"""No proxy, and no authority but those that the base knows."""

# Programs that have their own list of authorities, or none, and how each is told of another.
_TRUSTING = (
    "SSL_CERT_FILE",  # OpenSSL, Go, Ruby, PHP
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",
    "CARGO_HTTP_CAINFO",
)
_BUNDLE = "/dev/shm/imagegen-ca.crt"  # noqa: S108 -- in a build
_APT = "/dev/shm/imagegen-apt.conf"  # noqa: S108
_WGET = "/dev/shm/imagegen-wgetrc"  # noqa: S108

_TRUST = f"""\
# /dev/shm is memory, and part of no layer. The programs may run as any user.
imagegen_mask=$(umask)
umask 022
{{
    if [ -r /etc/ssl/certs/ca-certificates.crt ]; then cat /etc/ssl/certs/ca-certificates.crt; fi
    cat <<'END_OF_CERTIFICATES'
%s
END_OF_CERTIFICATES
}} >{_BUNDLE}
echo 'Acquire::https::CAInfo "{_BUNDLE}";' >{_APT}
echo 'ca_certificate = {_BUNDLE}' >{_WGET}
umask "$imagegen_mask"
unset imagegen_mask
export APT_CONFIG={_APT} WGETRC={_WGET}
"""


def script(network: Network) -> str:
    """Write the secret: shell text that a RUN sources as root."""
    said = "# How this machine reaches the network; made by imagegen for one build.\n"
    proxies = {
        "http_proxy": network.http_proxy,
        "https_proxy": network.https_proxy,
        "no_proxy": network.no_proxy,
    }
    for name, value in proxies.items():
        if value is not None:
            quoted = shlex.quote(value)
            said += f"export {name}={quoted} {name.upper()}={quoted}\n"
    if network.certificates:
        said += _TRUST % network.certificates.strip("\n")
        said += "".join(f"export {name}={_BUNDLE}\n" for name in _TRUSTING)
    return said
