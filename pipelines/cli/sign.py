"""`cinemill sign` and `cinemill verify`: who made a package, and whether it still is what was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import json_option, key_file_option, key_store_option, quiet_option

if TYPE_CHECKING:
    from pipelines.packaging.signing import Signer

package_argument = click.argument("package", type=click.Path(exists=True, file_okay=False, path_type=Path))
key_set_option = click.option(
    "--key-set", default="signing", show_default=True, metavar="NAME", help="Which key of the key store."
)


@click.command()
@package_argument
@click.option("--scheme", default="ed25519", show_default=True, help="How: an installed signer.")
@key_set_option
@key_store_option
@key_file_option
@quiet_option
def sign(package: Path, scheme: str, quiet: bool, **options: Any) -> int:
    """Sign the manifest of PACKAGE, which holds the hash of every file; writes signature.json and prints the public key.

    The key is made in the key store when it is first asked for, and never leaves it.
    """
    from pipelines.packaging.signing import read_proof, sign_package

    path = sign_package(package, scheme, _signer(scheme, options))
    if not quiet:
        click.echo(f"signature: {path}")
        if key := read_proof(package).get("public_key"):
            click.echo(f"public key: {key}")
    return 0


@click.command()
@package_argument
@click.option(
    "--public-key", default="", metavar="BASE64", help="Whose signature it must be; else the key store's."
)
@key_set_option
@key_store_option
@key_file_option
@json_option
@quiet_option
def verify(package: Path, public_key: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Check the signature of PACKAGE, and every file by its hash. Exit code 0: it is what was signed; 1: it is not."""
    from pipelines.packaging.signing import read_proof, verify_package

    scheme = read_proof(package).get("scheme", "")
    signer = None if public_key else _signer(scheme, options, known=True)
    found = verify_package(package, signer, public_key=public_key)
    if as_json:
        row = {"faults": list(found.faults), "files": found.files, "unlisted": list(found.unlisted)}
        click.echo(json.dumps({"type": "result", "valid": not found.faults, **row}))
    elif not quiet:
        for fault in found.faults:
            click.echo(f"wrong: {fault}")
        beside = f", {len(found.unlisted)} not listed" if found.unlisted else ""
        click.echo(f"{'not ' if found.faults else ''}what was signed: {found.files} files{beside}")
    return 1 if found.faults else 0


def _signer(scheme: str, options: dict[str, Any], *, known: bool = False) -> Signer:
    """The signer with the key set that is named; made now where there is none, unless it must be `known`."""
    from pipelines.cli.keys import use_store
    from pipelines.packaging.keystore import open_store
    from pipelines.packaging.signing import signer_named

    use_store(options)
    store, name = open_store(), options["key_set"]
    return signer_named(scheme, store.labelled(name) if known else store.obtain(name))
