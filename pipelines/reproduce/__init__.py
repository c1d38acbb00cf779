"""`cinemill reproduce`: run again exactly what a manifest says, and report what differs.

    from pathlib import Path
    from pipelines.reproduce.recorded import read_recorded
    from pipelines.reproduce.run import reproduce

    found = reproduce(read_recorded(Path("out/manifest.json")), out=Path("again"), work_dir=Path("work"))
    print(found.same, [file.name for file in found.files if file.state != "same"])

Nothing is taken from the work folder of the first run: every chunk is encoded again.
"""
