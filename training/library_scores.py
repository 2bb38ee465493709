"""C source of a model, compiled in passing, and what it answers; for the programs that compare kinds of models."""

import ctypes
import os
import subprocess
import tempfile

import numpy as np


class Exported(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("features", ctypes.c_uint32), ("threshold", ctypes.c_float)]
    _fields_ += [("predict", ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_void_p, ctypes.c_size_t))]


def library_scores(folder: str, source: str, rows: np.ndarray) -> np.ndarray:
    """A new file each time: the loader answers the old library for a path it has seen."""
    handle, source_path = tempfile.mkstemp(suffix=".c", dir=folder)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(source)
    abi = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "abi")
    command = ["cc", "-O1", "-fPIC", "-shared", f"-I{abi}", "-o", f"{source_path}.so", source_path, "-lm"]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(f"{source_path}.so")
    library.model_abi_v1_export.restype = ctypes.POINTER(Exported)
    predict = library.model_abi_v1_export().contents.predict
    address, width = rows.ctypes.data, rows.shape[1]
    return np.array([predict(address + 4 * width * place, width) for place in range(len(rows))])
