"""Domain stages, one folder each, the pipelines that join them, and the command line.

from archer import run
from archer.media import identify
from pipelines.encode.job import encode_job
from pipelines.encode.request import EncodeRequest

spec = encode_job(identify("title.mov"), EncodeRequest(codec="x264", crf="23"))
result = run(spec, work_dir=Path("work"))
"""
