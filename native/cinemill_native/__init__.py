"""Planes and frames, the native kernels that read them, and the launcher of child processes.

    import av
    from cinemill_native import histogram_sad, plane_view, psnr

    previous = None
    with av.open("clip.mp4") as container:
        for frame in container.decode(video=0):
            luma = plane_view(frame.planes[0], width=frame.width, height=frame.height)  # no copy
            if previous is not None:
                counts, change = histogram_sad(luma, previous)
                print(frame.pts, change / (luma.width * luma.height), psnr(previous, luma))
            previous = luma

How a kernel is made, and how to add one: native/kernels/README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinemill_native.lazy import lazily

if TYPE_CHECKING:
    from cinemill_native._kernels import adm as adm
    from cinemill_native._kernels import block_motion as block_motion
    from cinemill_native._kernels import cambi as cambi
    from cinemill_native._kernels import default_target as default_target
    from cinemill_native._kernels import float_adm as float_adm
    from cinemill_native._kernels import float_motion as float_motion
    from cinemill_native._kernels import float_vif as float_vif
    from cinemill_native._kernels import histogram_sad as histogram_sad
    from cinemill_native._kernels import inspect_chroma as inspect_chroma
    from cinemill_native._kernels import inspect_luma as inspect_luma
    from cinemill_native._kernels import luma_histogram as luma_histogram
    from cinemill_native._kernels import motion_sad as motion_sad
    from cinemill_native._kernels import row_sad as row_sad
    from cinemill_native._kernels import sad as sad
    from cinemill_native._kernels import speed as speed
    from cinemill_native._kernels import sse as sse
    from cinemill_native._kernels import ssim as ssim
    from cinemill_native._kernels import targets as targets
    from cinemill_native._kernels import thumbnail as thumbnail
    from cinemill_native._kernels import vif as vif
    from cinemill_native._launcher import exec_path as exec_path
    from cinemill_native._planes import plane_view as plane_view
    from cinemill_native._psnr import psnr as psnr
    from cinemill_native.errors import CinemillError as CinemillError
    from cinemill_native.errors import NotAPlane as NotAPlane
    from cinemill_native.errors import NotBuilt as NotBuilt
    from cinemill_native.errors import ShapeMismatch as ShapeMismatch
    from cinemill_native.errors import TargetUnavailable as TargetUnavailable
    from cinemill_native.errors import TooSmall as TooSmall
    from cinemill_native.frames import Colour as Colour
    from cinemill_native.frames import Frame as Frame
    from cinemill_native.frames import PixelFormat as PixelFormat
    from cinemill_native.frames import Plane as Plane

_HOMES = {
    "CinemillError": "errors",
    "Colour": "frames",
    "Frame": "frames",
    "NotAPlane": "errors",
    "NotBuilt": "errors",
    "PixelFormat": "frames",
    "Plane": "frames",
    "ShapeMismatch": "errors",
    "TargetUnavailable": "errors",
    "TooSmall": "errors",
    "adm": "_kernels",
    "block_motion": "_kernels",
    "cambi": "_kernels",
    "default_target": "_kernels",
    "exec_path": "_launcher",
    "float_adm": "_kernels",
    "float_motion": "_kernels",
    "float_vif": "_kernels",
    "histogram_sad": "_kernels",
    "inspect_chroma": "_kernels",
    "inspect_luma": "_kernels",
    "luma_histogram": "_kernels",
    "motion_sad": "_kernels",
    "plane_view": "_planes",
    "psnr": "_psnr",
    "row_sad": "_kernels",
    "sad": "_kernels",
    "speed": "_kernels",
    "sse": "_kernels",
    "ssim": "_kernels",
    "targets": "_kernels",
    "thumbnail": "_kernels",
    "vif": "_kernels",
}

__all__ = [
    "CinemillError",
    "Colour",
    "Frame",
    "NotAPlane",
    "NotBuilt",
    "PixelFormat",
    "Plane",
    "ShapeMismatch",
    "TargetUnavailable",
    "TooSmall",
    "adm",
    "block_motion",
    "cambi",
    "default_target",
    "exec_path",
    "float_adm",
    "float_motion",
    "float_vif",
    "histogram_sad",
    "inspect_chroma",
    "inspect_luma",
    "luma_histogram",
    "motion_sad",
    "plane_view",
    "psnr",
    "row_sad",
    "sad",
    "speed",
    "sse",
    "ssim",
    "targets",
    "thumbnail",
    "vif",
]

__getattr__ = lazily(__name__, _HOMES)  # errors and the launcher must not cost the import of numpy
