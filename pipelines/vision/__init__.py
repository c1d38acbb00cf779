"""Stage `vision`: what is in the pictures of a title, per frame and per shot, as Parquet.

    import pyarrow.parquet as pq

    frames = pq.read_table("out/frames.parquet")  # or duckdb.sql("from 'out/frames.parquet'"), pd.read_parquet, pl.read_parquet
    frames.schema.field("sharpness").metadata     # what a column is, and its unit

`cinemill analyze` writes it. The columns are in `columns.py`, and in docs/vision.md.
"""
