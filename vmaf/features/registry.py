"""Features by name: as models ask for them, and as people do (`--metric`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vmaf.errors import UnknownMetric
from vmaf.features.adm import Adm, AdmOptions
from vmaf.features.cambi import Cambi, CambiOptions
from vmaf.features.feature import Feature, chosen, merged, suffix
from vmaf.features.float_adm import FloatAdm, FloatAdmOptions
from vmaf.features.float_vif import FloatVif
from vmaf.features.motion import FloatMotionOptions, Motion, MotionOptions
from vmaf.features.psnr import Psnr
from vmaf.features.speed import Speed, SpeedOptions
from vmaf.features.ssim import MsSsim, Ssim
from vmaf.features.vif import Vif, VifOptions

Wish = Feature | Motion
"""What is to be measured: motion looks at frames around, everything else at one pair."""


def _adm(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(AdmOptions, options)
    return Adm((found,)), suffix(found)


def _adm_aim(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(AdmOptions, options)
    return Adm((found,), aim=True), suffix(found)


def _vif(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(VifOptions, options)
    return Vif((found,)), suffix(found)


def _float_adm(options: Mapping[str, Any], *, aim: bool = False) -> tuple[Wish, str]:
    found = chosen(FloatAdmOptions, options)
    return FloatAdm((found,), aim=aim), suffix(found)


def _float_aim(options: Mapping[str, Any]) -> tuple[Wish, str]:
    return _float_adm(options, aim=True)


def _float_motion(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(FloatMotionOptions, options)
    return Motion(found.all_of_them, single=True), suffix(found)


def _float_vif(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(VifOptions, options)
    return FloatVif((found,)), suffix(found)


def _motion(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(MotionOptions, options)
    return Motion(found), suffix(found)


def _cambi(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(CambiOptions, options)
    return Cambi(found), suffix(found)


def _speed(options: Mapping[str, Any]) -> tuple[Wish, str]:
    found = chosen(SpeedOptions, options)
    return Speed(found), suffix(found)


Maker = Callable[[Mapping[str, Any]], tuple[Wish, str]]
INPUTS: dict[str, tuple[str, Maker]] = {
    "VMAF_integer_feature_adm2_score": ("integer_adm2", _adm),
    "VMAF_integer_feature_aim_score": ("integer_aim", _adm_aim),
    "VMAF_integer_feature_adm3_score": ("integer_adm3", _adm_aim),
    "VMAF_integer_feature_motion2_score": ("integer_motion2", _motion),
    "VMAF_integer_feature_motion3_score": ("integer_motion3", _motion),
    "Cambi_feature_cambi_score": ("cambi", _cambi),
    **{
        f"Speed_chroma_feature_speed_chroma_{plane}_score": (f"speed_chroma_{plane}", _speed)
        for plane in ("u", "v", "uv")
    },
    "VMAF_feature_adm2_score": ("adm2", _float_adm),
    "VMAF_feature_aim_score": ("aim", _float_aim),
    "VMAF_feature_adm3_score": ("adm3", _float_aim),
    "VMAF_feature_motion2_score": ("motion2", _float_motion),
    "VMAF_feature_motion3_score": ("motion3", _float_motion),
    **{f"VMAF_feature_vif_scale{s}_score": (f"vif_scale{s}", _float_vif) for s in range(4)},
    **{f"VMAF_integer_feature_vif_scale{s}_score": (f"integer_vif_scale{s}", _vif) for s in range(4)},
}
"""A model's name of a feature -> (its column, what measures it)."""

METRICS: dict[str, tuple[Wish, ...]] = {
    "psnr": (Psnr(),),
    "vif": (Vif(),),
    "adm": (Adm(aim=True),),
    "motion": (Motion(),),
    "cambi": (Cambi(),),
    "cambi_full_reference": (Cambi(full_reference=True),),
    "speed_chroma": (Speed(),),
    "ssim": (Ssim(),),
    "ms_ssim": (MsSsim(),),
    "vif_float": (FloatVif(),),
    "adm_float": (FloatAdm(aim=True),),
    "motion_float": (Motion(single=True),),
}
"""What people can ask for beside the models' own features."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure of every frame.

    Attributes:
        features: of one pair each, as few passes as possible.
        motions: wishes for motion.
    """

    features: tuple[Feature, ...]
    motions: tuple[Motion, ...]

    @property
    def back(self) -> int:
        """How many reference frames before a frame are compared with it."""
        return max((motion.back for motion in self.motions), default=0)

    @property
    def context(self) -> tuple[int, int]:
        """Frames before and behind a chunk with which its columns are those of the whole."""
        each = [motion.context for motion in self.motions]
        return max((before for before, _ in each), default=0), max((after for _, after in each), default=0)


def plan_of(wishes: Iterable[Wish]) -> Plan:
    """A plan that measures all wishes, each once."""
    all_of_them = list(wishes)
    motions = dict.fromkeys(wish for wish in all_of_them if isinstance(wish, Motion))
    return Plan(merged(wish for wish in all_of_them if not isinstance(wish, Motion)), tuple(motions))


def metric_named(name: str) -> tuple[Wish, ...]:
    """What a metric of this name measures.

    Raises:
        UnknownMetric: there is no such metric.
    """
    if name not in METRICS:
        raise UnknownMetric(name, tuple(METRICS))
    return METRICS[name]


def model_input(name: str, options: Mapping[str, Any]) -> tuple[str, Wish]:
    """The column and the wish behind a model's input.

    Raises:
        ValueError: the feature or one of its options is unknown here.
    """
    if name not in INPUTS:
        raise ValueError(f"feature {name} is unknown here")
    column, maker = INPUTS[name]
    wish, ending = maker(options)
    return column + ending, wish
