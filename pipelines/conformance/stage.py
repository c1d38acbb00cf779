"""Stage `conformance`: a package, tried on each device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from archer.stage import Inputs, Item, Resources, Stage, TaskContext
from pipelines.conformance.devices import devices_named
from pipelines.conformance.report import write_report
from pipelines.conformance.run import Order, run_conformance
from pipelines.packaging.description import read_description
from pipelines.packaging.keys import KeySet
from pipelines.packaging.keystore import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceParams:
    """Which devices.

    Attributes:
        devices: their names; the default ones give the same result every time, browsers add what they saw.
    """

    devices: tuple[str, ...] = ("package", "decoder")


class Conformance(Stage[ConformanceParams]):
    """One part per device: its verdict, and the evidence with a report. Keys come from the worker's key store."""

    name, version, params = "conformance", 1, ConformanceParams
    inputs = MappingProxyType({"package": "tree/package@1", "asset": "asset?"})
    parts = MappingProxyType({"verdict": "conformance@1", "evidence": "tree/evidence@1"})
    outputs = MappingProxyType({"parts": "parts@1"})

    def resources(self, params: ConformanceParams) -> Resources:
        """A browser and its decoders."""
        return Resources(memory_mb=4096)

    def split(self, inputs: Inputs, params: ConformanceParams) -> Sequence[Item]:
        """One item per device; a device tries one thing at a time."""
        return [Item(variant=device, exclusive=device) for device in params.devices]

    def map(self, ctx: TaskContext, item: Item, params: ConformanceParams) -> None:
        """Try the package on one device."""
        package, out = ctx.inputs.path("package"), ctx.out_tree("evidence")
        order = Order(
            package=package,
            devices=devices_named([item.variant]),
            out=out,
            source=Path(ctx.inputs.asset().url) if "asset" in ctx.inputs else None,
            keys=_keys(package),
            timed=False,
        )
        verdict = run_conformance(order)
        write_report(verdict, out, title=item.variant)
        found = verdict.to_json()
        for row in found["results"]:
            row["measured"] = {name: str(value) for name, value in row["measured"].items()}
            del row["seconds"]
        ctx.out_json("verdict", found)


def _keys(package: Path) -> KeySet | None:
    protection = read_description(package).get("protection")
    return open_store().get(protection["key_set"]) if protection else None
