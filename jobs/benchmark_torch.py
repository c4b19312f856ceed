"""Trains a network in PyTorch (Adam, learning rate 1e-3), to compare Lockstep's speed with:
benchmark_torch.py FOLDER_OF_IDX_FILES EPOCHS GLOBAL_BATCH [NETWORK [ROWS]]

NETWORK: hidden layers with ReLU, such as 512 or 800,300; or lenet5; or example, the network of PyTorch's
MNIST example without its dropout.

The fastest simple set-up: all data are in memory as floats, batches are index selections, no DataLoader.
benchmark.py lets malloc keep large blocks, which saves PyTorch a third of the time. OMP_NUM_THREADS sets
the threads; RANK and WORLD_SIZE start several processes (DistributedDataParallel over gloo). Rank 0 prints
the median seconds of an epoch."""
import gzip
import os
import statistics
import sys
import time

if "--help" in sys.argv[1:]:
    print(__doc__)
    sys.exit(0)
if len(sys.argv) < 4:
    print(__doc__, file=sys.stderr)
    sys.exit(2)

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
network = sys.argv[4] if len(sys.argv) > 4 else "512"
limit = int(sys.argv[5]) if len(sys.argv) > 5 else 10**9
rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
if world > 1:
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29533")
    distributed.init_process_group("gloo", rank=rank, world_size=world)

images = load(folder, "train-images-idx3-ubyte")[:limit]
x = torch.from_numpy(images.astype(numpy.float32) / 255)[:, None]
labels = torch.from_numpy(load(folder, "train-labels-idx1-ubyte")[:limit].astype(numpy.int64))
torch.manual_seed(0)
if network == "lenet5":
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10))
elif network == "example":
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))
else:
    units = [x[0].numel(), *map(int, network.split(","))]
    layers = [layer for sizes in zip(units, units[1:]) for layer in (nn.Linear(*sizes), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(units[-1], 10))
    x = x.reshape(len(x), -1)
if world > 1:
    model = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=False)  # faster on CPUs than foreach=True
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
