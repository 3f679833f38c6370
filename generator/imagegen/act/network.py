"""The builder's network: certificates from a file, and the secret that a build is given."""

import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagegen.errors import ImagegenError
from imagegen.language.settings import Settings
from imagegen.render.network import ID, Network, script

LARGEST = 480 * 1024
"""Bytes of certificates: a secret may have 500 KiB, and holds proxies beside them."""

_READ = 16 * 2**20
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----\r?\n.*?-----END CERTIFICATE-----", re.DOTALL)
_CURE = "PEM text is needed, which has lines -----BEGIN CERTIFICATE-----"


def network(settings: Settings, ca_bundle: Path | None) -> Network:
    """Put together how builds reach the network; `ca_bundle` goes before what the settings say.

    Raises ImagegenError if the certificates can't be used.
    """
    said = settings.build
    path = ca_bundle or (Path(said.ca_bundle).expanduser() if said.ca_bundle else None)
    return Network(
        certificates=certificates(path) if path else "",
        http_proxy=said.http_proxy,
        https_proxy=said.https_proxy,
        no_proxy=said.no_proxy,
    )


def certificates(path: Path) -> str:
    """Read the certificates of a file, each once, and nothing else that it holds."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_READ + 1)
    except OSError as error:
        raise _unusable(path, f"can't be read: {error.strerror}") from None
    if len(raw) > _READ:
        raise _unusable(path, "is too large for certificates")
    found = [*dict.fromkeys(_CERTIFICATE.findall(raw.decode("ascii", "replace")))]
    if not found:
        is_binary = raw.startswith(b"\x30\x82")
        cure = f"make it with: openssl x509 -inform der -in {path}" if is_binary else _CURE
        raise _unusable(path, f"holds no certificate as text; {cure}")
    for number, one in enumerate(found, 1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=one)
        except (ssl.SSLError, ValueError):
            raise _unusable(path, f"its certificate {number} is damaged") from None
    whole = "".join(f"{one}\n".replace("\r", "") for one in found)
    if len(whole) > LARGEST:
        message = (
            f"holds {len(whole) // 1024} KiB of certificates, and a build takes {LARGEST // 1024}; "
            "leave out the public ones, which ca-certificates in the base has"
        )
        raise _unusable(path, message)
    return whole


def _unusable(path: Path, message: str) -> ImagegenError:
    return ImagegenError(f"the CA bundle {path}: {message}")


@contextmanager
def told(network: Network) -> Iterator[tuple[str, ...]]:
    """Keep the secret in a file that only this user may read, for as long as a build needs it.

    Gives it in buildx's words: a line of CSV.
    """
    if not network:
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
        path = Path(folder) / "network.sh"
        path.touch(mode=0o600)
        path.write_text(script(network), encoding="utf-8")
        source = str(path).replace('"', '""')
        yield (f'id={ID},"src={source}"',)
