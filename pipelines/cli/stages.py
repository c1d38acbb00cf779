"""`cinemill stages`: what is installed, without importing it; `stages check`: what a stage must stand."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object: name -> where it lives.")
@click.pass_context
def stages(context: click.Context, as_json: bool) -> None:
    """List the stages that are installed, ours and other packages', or check one."""
    if context.invoked_subcommand is not None:
        return
    from archer.registry import installed

    found = dict(sorted(installed("cinemill.stages").items()))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found), default=0)
    for name, target in found.items():
        click.echo(f"{name:<{width}}  {target}")


@stages.command()
@click.argument("name")
@click.option(
    "--params", default="{}", metavar="YAML", help="Settings: '{bins: 32}'; default: the stage's own trial."
)
@click.option("--title", metavar="PATH", help="Try it on this title; default: a small one made for it.")
@click.option("--quick", is_flag=True, help="Leave out kills, cancelling and awkward titles.")
@click.option(
    "-w", "--work-dir", type=click.Path(file_okay=False, path_type=Path), help="Keep everything here."
)
def check(name: str, params: str, title: str | None, quick: bool, work_dir: Path | None) -> int:
    """Try on stage NAME (or module:Class) what every stage must stand.

    Settings, determinism, chunk invariance, memo, memory, kill -9 and rerun, cancel, awkward media.
    """
    import yaml

    from archer.kit import check_stage
    from archer.media import identify

    failed = 0
    with TemporaryDirectory(prefix="cinemill-check-") as temporary:
        folder = work_dir or Path(temporary)
        asset = identify(title) if title else None
        given = yaml.safe_load(params)
        for finding in check_stage(name, work_dir=folder, params=given, title=asset, quick=quick):
            failed += finding.verdict == "failed"
            click.echo(f"{finding.verdict:<8} {finding.check:<24} {finding.detail}")
    click.echo(f"{name}: {f'{failed} checks failed' if failed else 'it stands'}")
    return 1 if failed else 0


@stages.command()
@click.argument("name")
def schema(name: str) -> None:
    """Print the JSON schema of the settings of stage NAME."""
    from archer.registry import load_stage
    from archer.schema import json_schema

    click.echo(json.dumps(json_schema(load_stage(name).params), indent=2))
