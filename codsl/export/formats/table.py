"""The formats that there are."""

from codsl.export.formats.aoti import AOTI
from codsl.export.formats.cpp import CPP
from codsl.export.formats.format import Format
from codsl.export.formats.onnx import ONNX
from codsl.export.formats.openvino import OPENVINO
from codsl.export.formats.pt2 import PT2

FORMATS: dict[str, Format] = {each.name: each for each in (ONNX, PT2, AOTI, OPENVINO, CPP)}
