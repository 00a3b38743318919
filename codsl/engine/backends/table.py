"""The backends by name."""

from collections.abc import Mapping
from types import MappingProxyType

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.eager import EAGER
from codsl.engine.backends.inductor import AOTI, COMPILE
from codsl.engine.backends.native import NATIVE
from codsl.engine.backends.onnxruntime import ONNXRUNTIME
from codsl.engine.backends.openvino import OPENVINO

BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {each.name: each for each in (EAGER, NATIVE, COMPILE, AOTI, ONNXRUNTIME, OPENVINO)}
)


def backend_of(name: str) -> Backend:
    """The backend of a name; raises `ValueError` for another."""
    if name not in BACKENDS:
        listed = ", ".join(f"`{each}`" for each in BACKENDS)
        raise ValueError(f"there is no backend `{name}`; there is {listed}")
    return BACKENDS[name]
