"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

BlueprintPath: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="A blueprint, or a folder that holds blueprint.toml; default: this folder.",
        metavar="BLUEPRINT",
        show_default=False,
    ),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Lay a key over the blueprint: args.app=1.2, services.web.stop-timeout=5s.",
        metavar="KEY=VALUE",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
CaBundle: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--ca-bundle",
        envvar="IMAGEGEN_CA_BUNDLE",
        help="PEM certificates that build steps trust too; default: ca-bundle of your settings.",
        metavar="FILE",
        show_default=False,
    ),
]

HERE = Path()
