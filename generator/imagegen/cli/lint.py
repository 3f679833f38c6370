"""imagegen lint: what works, but will hurt."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from imagegen.cli.arguments import HERE, AsJson, BlueprintPath, Settings

INSTALL = "pip install 'imagegen-blueprint[lint]'"
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def lint(
    blueprint: BlueprintPath = HERE,
    settings: Settings = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="List what is only info, and count it, too.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Findings only: no excerpts, no summary.")
    ] = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Explain the rules, and look at nothing.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Look for what works, but will hurt.

    In the blueprint, and in what it becomes: beside imagegen's own rules, hadolint looks at the
    Dockerfiles and shellcheck at the shell, where they are installed. [lint] ignore =
    { ID = "reason" } takes a rule out.

    Ends with 1 if there is an error or a warning that is not ignored, else with 0. The rules are
    explained in docs/lint.md.

    Example: imagegen lint examples/hello
    """
    if rules:
        _explain(json=json)
        return

    from imagegen.act.bases import look
    from imagegen.act.linters import missing, remarks
    from imagegen.cli.output import as_json
    from imagegen.lint import lint, subjects
    from imagegen.plan import plan
    from imagegen.read import read

    variants = read(blueprint, look, settings)
    looked = subjects(variants, plan(variants))
    findings = lint(looked, remarks(looked))
    if json:
        as_json([_record(finding) for finding in findings])
    else:
        labels = [subject.label for subject in looked]
        _show(findings, labels, strict=strict, quiet=quiet)
        if not quiet:
            _summary(findings, str(blueprint), len(labels), strict=strict)
    if absent := missing():
        verb = "was" if len(absent) == 1 else "were"
        typer.echo(f"{' and '.join(absent)} {verb} not run; to have them: {INSTALL}", err=True)
    if any(finding.counts(strict=strict) for finding in findings):
        raise typer.Exit(1)


def _record(finding: Any) -> dict[str, object]:  # noqa: ANN401 -- lint.Finding, not imported yet
    one = finding.found
    return {
        "id": one.id,
        "severity": one.severity,
        "title": one.title,
        "message": one.problem.message,
        "file": one.problem.file,
        "line": one.problem.line,
        "column": one.problem.column,
        "variants": finding.variants,
        "ignored": finding.ignored,
        "docs": one.docs,
    }


def _show(findings: Iterable[Any], labels: Sequence[str], *, strict: bool, quiet: bool) -> None:
    """Print what counts, each finding as compilers do, its severity before the message."""
    from dataclasses import replace

    from imagegen.cli.output import styled

    for finding in findings:
        if not finding.counts(strict=strict):
            continue
        one = finding.found
        image = finding.variants[0].rpartition(" ")[0]
        everywhere = {label for label in labels if label.rpartition(" ")[0] == image}
        is_everywhere = everywhere <= set(finding.variants)
        only = "" if is_everywhere else f" [{', '.join(finding.variants)}]"
        message = f"{one.severity} {one.id}: {one.problem.message}{only}"
        head, *excerpt = str(replace(one.problem, message=message)).split("\n")
        typer.echo(styled(head, fg=_COLOURS[one.severity], bold=True))
        if quiet:
            continue
        for line in excerpt:
            marks = not line.strip(" \t^")
            typer.echo(styled(line, fg=_COLOURS[one.severity]) if marks else line)
        typer.echo(f"    {one.cure}  ({one.docs})" if one.cure else f"    {one.docs}")


def _summary(findings: Sequence[Any], name: str, variants: int, *, strict: bool) -> None:
    from imagegen.cli.output import count
    from imagegen.errors import visible

    left = [finding.found.severity for finding in findings if finding.ignored is None]
    hidden = 0 if strict else left.count("info")
    said = [
        count(left.count("error"), "error") if "error" in left else "",
        count(left.count("warning"), "warning") if "warning" in left else "",
        count(left.count("info"), "note") if strict and "info" in left else "",
    ]
    ignored = len(findings) - len(left)
    also = [
        f"{ignored} ignored" if ignored else "",
        f"{count(hidden, 'note')}: --strict shows {'it' if hidden == 1 else 'them'}"
        if hidden
        else "",
    ]
    what = ", ".join(filter(None, said)) or "nothing found"
    more = "; ".join(filter(None, also))
    where = f"{visible(name)}, {count(variants, 'variant')}"
    typer.echo(f"{where}: {what}{f' ({more})' if more else ''}")


def _explain(*, json: bool) -> None:
    from dataclasses import asdict

    from imagegen.cli.output import as_json, table
    from imagegen.lint.catalogue import RULES

    if json:
        as_json([{**asdict(rule), "docs": rule.docs} for rule in RULES.values()])
        return
    rows = [(rule.id, rule.severity, rule.title) for rule in RULES.values()]
    table(("RULE", "SEVERITY", "FINDS"), rows)
    typer.echo("\nDL… are hadolint's, SC… shellcheck's. Why, and what to do: docs/lint.md")
