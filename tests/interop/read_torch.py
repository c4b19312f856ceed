"""Safetensors files in PyTorch, read by a few lines of NumPy, in the modules of the printed code."""
import json
import struct

import numpy
import torch

from cases import run


def load(path):
    """The tensors of a safetensors file, and its metadata."""
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header, values = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header.pop("__metadata__", {})
    types = {"F32": "<f4", "I64": "<i8"}
    tensors, end = {}, 0
    for name, about in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, after = about["data_offsets"]
        assert begin == end and length % 8 == 0  # no holes
        end = after
        array = numpy.frombuffer(values[begin:after], types[about["dtype"]]).reshape(about["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    assert end == len(values)
    return tensors, metadata


def outputs_of(name, x):
    tensors, metadata = load(name + ".safetensors")
    code = open(name + ".py").read()
    assert code.startswith(metadata["pytorch"])
    module = {"__name__": "net"}
    exec(compile(code, name + ".py", "exec"), module)
    net = module["net"]
    net.load_state_dict(tensors, strict=True)
    tokens = "tokens" in name
    flat = x.reshape(len(x), -1) if tokens or (x.shape[2:] == (1, 1) and "vector" in name) else x
    with torch.no_grad():
        return net.eval()(torch.from_numpy(flat.astype("i8") if tokens else flat)).numpy()


torch.set_num_threads(1)
run("PyTorch " + torch.__version__, "safetensors", outputs_of)
