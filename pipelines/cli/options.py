"""Options that several commands share."""

from __future__ import annotations

import click

workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes; default: the cores this process may use."
)
executor_option = click.option(
    "--executor",
    default="local",
    show_default=True,
    help="Where tasks run: local, inline, ray, or an installed one.",
)
work_dir_option = click.option(
    "--work-dir",
    type=click.Path(file_okay=False),
    help="Where unfinished work is kept, so that it can go on.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print events and the result as NDJSON on stdout."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
