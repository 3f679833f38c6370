"""Rules about what steps do while the image is built."""

import re
from collections.abc import Iterator

from imagegen.errors import quoted
from imagegen.lint.finding import Found
from imagegen.lint.subject import Subject

_GET = r"\b(?:curl|wget)\b"
_SHELL = r"(?:/\S*/)?(?:env[ \t]+)?(?:(?:ba|da|z|k)?sh|python[0-9.]*|perl|ruby|node|php)\b(?![./-])"
_PIPED = re.compile(
    rf"{_GET}[^;\n]{{0,500}}?(?<!\|)\|(?!\|)[ \t]*(?:sudo[ \t]+(?:-\S+[ \t]+)*)?{_SHELL}"
    rf"|\b(?:ba|da|z|k)?sh[ \t]+-\w*c[ \t]+[\"']?(?:\$\(|`)[ \t]*{_GET}"
    rf"|\b(?:eval|source|(?:ba|z|k)?sh)[ \t]+[\"']?(?:\$\(|<\(|`)[ \t]*{_GET}"
)
_APT = re.compile(
    r"\b(?:apt-get|apt|aptitude)[ \t]+(?:-\S+[ \t]+|(?<=-o )[^-\s]\S*[ \t]+)*"
    r"(?:install|update|upgrade|dist-upgrade|full-upgrade)\b"
)
_DOWNLOAD = re.compile(
    rf"{_GET}[^;\n|]{{0,500}}?(?:https?|ftp)://(?!localhost\b|127\.|\[::1\])[^\s\"';|&)]+"
)
_CHECKED = re.compile(
    r"\b(?:sha(?:1|224|256|384|512)?sum|shasum|md5sum|b2sum|gpgv?2?|cosign|minisign|signify)\b"
    r"|\bopenssl[ \t]+dgst\b"
)
_TRUSTING = re.compile(
    r"\bcurl\b[^;\n|]{0,500}?[ \t](?:--insecure\b|-[fsSLgiv]*k[fsSLgivo]*(?=[ \t]))"
    r"|\bwget\b[^;\n|]{0,500}?[ \t]--no-check-certificate\b"
)


def _downloads(s: Subject) -> Iterator[Found]:
    for place, text in s.step_shell:
        piped = _PIPED.search(text)
        if piped:
            message = f"{_short(piped[0])}: what the server sends is run unseen"
            yield s.found("IG601", place, message, within=piped[0])
        if trusting := _TRUSTING.search(text):
            message = f"{_short(trusting[0])}: takes any certificate"
            yield s.found("IG603", place, message, within=trusting[0])
        elif not piped and not _CHECKED.search(text) and (got := _DOWNLOAD.search(text)):
            message = f"{_short(got[0])}: no checksum or signature is looked at"
            yield s.found("IG603", place, message, within=got[0])


def _apt(s: Subject) -> Iterator[Found]:
    for place, text in s.step_shell:
        if called := _APT.search(text):
            message = f"{_short(called[0])}: packages belong into [packages]"
            yield s.found("IG602", place, message, within=called[0])


def _raw(s: Subject) -> Iterator[Found]:
    for number, step in enumerate(s.blueprint.steps):
        if step.dockerfile is not None:
            yield s.found("IG604", ("steps", number, "dockerfile"), "goes in as it is")


def _short(text: str) -> str:
    return quoted(" ".join(text.split()))


CHECKS = (_downloads, _apt, _raw)
