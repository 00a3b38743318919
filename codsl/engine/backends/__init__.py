"""Those who run a listing: torch itself, its compilers, ONNX Runtime, OpenVINO."""
