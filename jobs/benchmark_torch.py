"""A multilayer perceptron (ReLU, Adam 1e-3) in PyTorch, to compare Lockstep's speed with:
benchmark_torch.py FOLDER_OF_IDX_FILES EPOCHS GLOBAL_BATCH [HIDDEN,HIDDEN,... [ROWS]]

The strongest plain set-up: everything is in memory as floats, batches are index selections, no
DataLoader. benchmark.sh lets malloc keep large blocks, which saves PyTorch a third of the time.
Threads by OMP_NUM_THREADS; several processes (DistributedDataParallel over gloo) by RANK and
WORLD_SIZE. Rank 0 prints the median seconds of an epoch."""
import gzip
import os
import statistics
import sys
import time

import numpy
import torch
from torch import distributed, nn


def load(folder, name):
    path = os.path.join(folder, name)
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with opened as file:
        raw = file.read()
    dims = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(dims)


folder, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
hidden = [int(units) for units in (sys.argv[4] if len(sys.argv) > 4 else "512").split(",")]
limit = int(sys.argv[5]) if len(sys.argv) > 5 else 10**9
rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
if world > 1:
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29533")
    distributed.init_process_group("gloo", rank=rank, world_size=world)

images = load(folder, "train-images-idx3-ubyte")[:limit]
x = torch.from_numpy(images.reshape(len(images), -1).astype(numpy.float32) / 255)
labels = torch.from_numpy(load(folder, "train-labels-idx1-ubyte")[:limit].astype(numpy.int64))
torch.manual_seed(0)
layers, inputs = [], x.shape[1]
for units in hidden:
    layers += [nn.Linear(inputs, units), nn.ReLU()]
    inputs = units
model = nn.Sequential(*layers, nn.Linear(inputs, 10))
if world > 1:
    model = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=False)  # the faster on CPUs
criterion = nn.CrossEntropyLoss()

share, seconds = batch // world, []
for epoch in range(epochs):
    begin = time.perf_counter()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
    for first in range(0, len(x) - batch + 1, batch):
        rows = order[first + rank * share:first + (rank + 1) * share]
        loss = criterion(model(x[rows]), labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    seconds.append(time.perf_counter() - begin)
if rank == 0:
    print("%.4f" % statistics.median(seconds))
