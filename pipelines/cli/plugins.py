"""`cinemill plugins`: everything that is installed by entry point, without importing any of it."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print NDJSON: kind, name, target, distribution.")
def plugins(as_json: bool) -> None:
    """List the kinds of jobs, stages, splitters, executors and stores that are installed, ours and other packages'.

    A package registers its own by entry point: cinemill.jobs, cinemill.stages, cinemill.splitters, cinemill.executors,
    cinemill.stores (there the name is the scheme of the URLs that the store serves; fsspec serves all others).
    """
    from archer.registry import GROUPS, distribution_of, installed

    for group in GROUPS:
        kind = group.rpartition(".")[2].removesuffix("s")
        for name, target in sorted(installed(group).items()):
            owner = distribution_of(group, name)
            if as_json:
                row = {"kind": kind, "name": name, "target": target, "distribution": owner}
                click.echo(json.dumps(row))
            else:
                click.echo(f"{kind:<9} {name:<12} {target:<44} {owner}")
