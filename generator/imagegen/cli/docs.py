"""imagegen docs: every key of a blueprint, explained."""

import typer


def docs() -> None:
    """Print what every key of a blueprint means, as Markdown.

    Example: imagegen docs | less
    """
    from imagegen.render.reference import reference

    typer.echo(reference(), nl=False)
