"""`cinemill stages`: what is installed, without importing it."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object: name -> where it lives.")
def stages(as_json: bool) -> None:
    """List the stages that are installed, ours and other packages'."""
    from archer.registry import installed

    found = dict(sorted(installed("cinemill.stages").items()))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found), default=0)
    for name, target in found.items():
        click.echo(f"{name:<{width}}  {target}")
