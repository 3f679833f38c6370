"""How long `imagegen check` takes for a large blueprint, beside what Python itself takes."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

LINES = 5000
ROUNDS = 5
SERVICES = 1200  # an image has a hundred services at most, and each twelfth entry is one
HEAD = """blueprint = 1
image = { name = "large", base = "debian:bookworm-slim" }
users.app.uid = 1000
"""


def entries() -> Iterator[str]:
    """Go on making tables: variables and files mostly, of all else a few."""
    for n in count(1):
        yield f'[env.VARIABLE_{n}]\ndefault = "value {n}"\ndescription = "What {n} is for"'
        if n % 3 == 0:
            yield f'[files."/etc/large/{n}.conf"]\ntext = "port = {n}\\n"\nowner = "app"'
        if n % 12 == 0:
            yield f'[jobs.job-{n}]\nrun = "echo {n}"\nschedule = "@daily"'
            yield f'[volumes.volume-{n}]\npath = "/data/{n}"'
            yield f'[[steps]]\nname = "step-{n}"\nrun = "touch /built-{n}"'
        if n % 12 == 0 and n <= SERVICES:
            yield f'[services.service-{n}]\nrun = ["/bin/app", "{n}"]\nhealth.tcp = "localhost:{n}"'


def blueprint(lines: int) -> str:
    """Write a blueprint of about so many lines."""
    text = HEAD + "\n\n".join(islice(entries(), lines))
    return "\n".join(text.split("\n")[:lines]).rpartition("\n[")[0] + "\n"


def damaged(text: str) -> str:
    """Make 500 mistakes: owners that are nobody, and values that are no lines."""
    return text.replace('owner = "app"', 'owner = "apt"', 250).replace('"value ', '"\\u0007 ', 250)


def seconds(*command: str) -> float:
    """Measure a command, start to end: the median of a few runs."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Measure, and print."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        right, wrong = Path(folder, "right.toml"), Path(folder, "wrong.toml")
        right.write_text(blueprint(LINES))
        wrong.write_text(damaged(right.read_text()))
        lines = right.read_text().count("\n")
        begin = seconds(python, "-c", "import typer, pydantic, tomli")
        parse = seconds(python, "-c", f"import tomli; tomli.loads(open({str(right)!r}).read())")
        check = seconds(python, "-m", "imagegen", "check", str(right))
        told = seconds(python, "-m", "imagegen", "check", str(wrong))
    print(f"a blueprint of                 {lines:6} lines")
    print(f"Python and the libraries alone {begin:6.2f} s")
    print(f"tomli alone                    {parse:6.2f} s")
    print(f"imagegen check                 {check:6.2f} s, {check / begin:.1f} times the libraries")
    print(f"imagegen check, 500 mistakes   {told:6.2f} s, {told / begin:.1f} times the libraries")


if __name__ == "__main__":
    main()
