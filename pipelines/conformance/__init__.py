"""Stage `conformance`: does a package play? Device profiles decide on paper, decoders and real browsers by playing it.

from pathlib import Path
from pipelines.conformance.devices import devices_named
from pipelines.conformance.run import Order, run_conformance

verdict = run_conformance(Order(package=Path("out"), devices=devices_named(["package", "chromium-hls"])))
print(verdict.publish, [result.message for result in verdict.results if result.failed])
"""
