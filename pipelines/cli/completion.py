"""`cinemill completion`: the shell completion script of this command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: eval "$(cinemill completion bash)"        (add the line to ~/.bashrc)
    zsh:  eval "$(cinemill completion zsh)"         (add the line to ~/.zshrc)
    fish: cinemill completion fish | source         (or save it in ~/.config/fish/completions/cinemill.fish)
    """
    from pipelines.cli.main import cli

    complete = get_completion_class(shell)
    if complete is None:
        raise click.ClickException(f"completion: click knows no shell {shell!r}")
    click.echo(complete(cli, {}, "cinemill", "_CINEMILL_COMPLETE").source())
