"""imagegen schema: what editors need to complete and check a blueprint."""

import typer


def schema() -> None:
    """Print the JSON Schema of a blueprint, for editors.

    A comment in the first line of a blueprint tells them: #:schema blueprint.schema.json

    Example: imagegen schema > blueprint.schema.json
    """
    from imagegen.render.schema import schema_text

    typer.echo(schema_text(), nl=False)
