"""Stage `report`: one HTML file that shows how good every rung is, where it is worst, how to make it again.

    from pipelines.report.plot import Axis, envelope, path_data

    time = Axis(low=0.0, high=5.28)
    print(path_data(envelope(vmaf, columns=1000), Axis(low=60.0, high=100.0)))

The page is made from `templates/` by Jinja2; style and scripts are written into it, so it needs nothing else.
With it come `features.parquet` (a row per frame and rendition) and the scores in libvmaf's JSON layout.
"""
