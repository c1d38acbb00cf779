"""Example plug-in of cinemill: the luma histogram of every frame of a title.

from archer import JobSpec, Node, run
from archer.media import identify

asset = identify("title.mp4")
nodes = [
    Node(id="ingest", stage="ingest", inputs={"asset": asset}),
    Node(id="bright", stage="histogram", inputs={"asset": asset, "media": "ingest.media"}),
]
"""
