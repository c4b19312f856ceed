#!/usr/bin/python3
"""Compares the speed of networks for sequences in Lockstep and in PyTorch, taking them in turn in each round:
an LSTM and a GRU of 128 units over 28 steps of 28 numbers (MNIST read row by row), and a transformer of
characters (4 blocks of 128 features, 4 heads, 128 steps, 96 characters). All data are made up. Prints seconds of
an epoch: medians over the rounds, least and most, and the ratios.
Needs the quickstart's build, h5py and PyTorch (python3-h5py, python3-torch), and an idle machine of 2 cores.

    jobs/benchmark_sequences.py [ROUNDS [NETWORK ...]]     defaults: 5 lstm gru transformer

PyTorch has the fastest simple set-up, see benchmark_torch.py; `benchmark_sequences.py torch FILE NETWORK` is its
part, with RANK and WORLD_SIZE for several processes (DistributedDataParallel over gloo)."""
import collections
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOCKSTEP = os.path.join(HERE, "..", "build", "release", "lockstep")
UNITS, STEPS, FEATURES, CLASSES = 128, 28, 28, 10  # of the recurrent networks
WIDTH, HEADS, BLOCKS, LENGTH, CHARACTERS = 128, 4, 4, 128, 96  # of the transformer
Network = collections.namedtuple("Network", "model batch rows")
BLOCK = (f":a{{0}} layernorm attention:{HEADS},causal +a{{0}} :b{{0}} layernorm dense:{4 * WIDTH} gelu "
         f"dense:{WIDTH} +b{{0}}")
NETWORKS = {
    "lstm": Network(f"lstm:{UNITS} dense:{CLASSES}", 128, 60000),
    "gru": Network(f"gru:{UNITS} dense:{CLASSES}", 128, 60000),
    "transformer": Network(f"embedding:{WIDTH} position " + " ".join(map(BLOCK.format, range(BLOCKS))) +
                           f" layernorm dense:{CHARACTERS}", 32, 2048),
}
ARGUMENTS = sys.argv[1:]
if "--help" in ARGUMENTS:
    print(__doc__)
    sys.exit(0)
TORCH = ARGUMENTS[:1] == ["torch"]
ROUNDS = int(ARGUMENTS.pop(0)) if ARGUMENTS and ARGUMENTS[0].isdigit() else 5
if not TORCH and (ROUNDS < 1 or not set(ARGUMENTS) <= set(NETWORKS)) or TORCH and len(ARGUMENTS) != 3:
    print(__doc__, file=sys.stderr)
    sys.exit(2)

import h5py
import numpy


def make_data(path, name):
    random = numpy.random.default_rng(1)
    rows = NETWORKS[name].rows
    with h5py.File(path, "w") as file:
        if name == "transformer":
            text = random.integers(0, CHARACTERS, (rows, LENGTH + 1), "u1")
            file["x"], file["y"] = text[:, :-1], text[:, 1:]
        else:
            file["x"] = random.random((rows, STEPS, FEATURES), "f4")
            file["y"] = random.integers(0, CLASSES, rows, "u1")


def torch_part(path, name):
    """Trains two epochs; rank 0 prints the seconds of the faster one."""
    import torch
    from torch import distributed, nn
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if world > 1:
        distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29535", rank=rank, world_size=world)
    with h5py.File(path) as file:
        x, y = (torch.from_numpy(file[key][:]) for key in "xy")

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent = {"lstm": nn.LSTM, "gru": nn.GRU}[name](FEATURES, UNITS, batch_first=True)
            self.dense = nn.Linear(UNITS, CLASSES)

        def forward(self, rows):
            return self.dense(self.recurrent(rows)[0][:, -1])

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(CHARACTERS, WIDTH)
            self.position = nn.Parameter(torch.zeros(LENGTH, WIDTH), requires_grad=False)
            block = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0, "gelu", batch_first=True, norm_first=True)
            self.blocks = nn.TransformerEncoder(block, BLOCKS)
            self.norm, self.dense = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CHARACTERS)
            self.mask = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)

        def forward(self, rows):
            z = self.blocks(self.embedding(rows) + self.position, self.mask)
            return self.dense(self.norm(z)).flatten(0, 1)

    torch.manual_seed(0)
    model = Transformer() if name == "transformer" else Recurrent()
    if world > 1:
        model = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=False)
    criterion = nn.CrossEntropyLoss()
    batch = NETWORKS[name].batch
    share, seconds = batch // world, []
    if name == "transformer":
        x = x.long()
    y = y.long()
    for epoch in range(2):
        begin = time.perf_counter()
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        for first in range(0, len(x) - batch + 1, batch):
            rows = order[first + rank * share:first + (rank + 1) * share]
            loss = criterion(model(x[rows]), y[rows].flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - begin)
    if rank == 0:
        print("%.4f" % min(seconds))


def time_torch(path, name, threads, processes):
    environment = dict(ENVIRONMENT, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS="1", WORLD_SIZE=str(processes),
                       MALLOC_MMAP_THRESHOLD_="1000000000", MALLOC_TRIM_THRESHOLD_="4000000000")
    command = [sys.executable, os.path.abspath(__file__), "torch", path, name]
    started = [subprocess.Popen(command, env=dict(environment, RANK=str(rank)), stdout=subprocess.PIPE, text=True)
               for rank in range(processes)]
    printed = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        sys.exit(f"benchmark_sequences.py: PyTorch's part failed: {name}")
    return float(printed[0])


def time_lockstep(path, name, ranks):
    network = NETWORKS[name]
    run = path + ".run"
    command = ["mpirun", "-q", "-n", str(ranks), "--bind-to", "core", LOCKSTEP, "train", "--data", path, "--inputs",
               "/x", "--targets", "/y", "--model", network.model, "--batch", str(network.batch), "--epochs", "2",
               "--validation", "0", "--checkpoint-every", "1h", "--trust-data", "--quiet", "--run", run]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    with open(os.path.join(run, "metrics.csv")) as file:
        seconds = min(float(row["seconds"]) for row in csv.DictReader(file))
    subprocess.run(["rm", "-r", run], check=True)
    return seconds


KINDS = {"Lockstep, 2 ranks": lambda *data: time_lockstep(*data, 2),
         "PyTorch DDP over gloo, 2 processes": lambda *data: time_torch(*data, 1, 2),
         "Lockstep, 1 rank": lambda *data: time_lockstep(*data, 1),
         "PyTorch, 1 process, 1 thread": lambda *data: time_torch(*data, 1, 1),
         "PyTorch, 1 process, 2 threads": lambda *data: time_torch(*data, 2, 1)}


def report(name, times):
    network = NETWORKS[name]
    print(f"{name}, batch {network.batch}, {network.rows:,} rows; seconds of an epoch: median, least, most")
    for kind in KINDS:
        print(f"  {kind:36} {statistics.median(times[kind]):8.3f} {min(times[kind]):8.3f} {max(times[kind]):8.3f}")
    two, ddp, one, *single = (statistics.median(times[kind]) for kind in KINDS)
    print(f"  2 ranks: {ddp / two:.2f}x DDP, {min(single) / two:.2f}x PyTorch's best single process; from 1 to 2 "
          f"ranks {100 * one / (2 * two):.1f} % efficient", flush=True)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for name in ARGUMENTS or NETWORKS:
            path = os.path.join(scratch, name + ".h5")
            make_data(path, name)
            times = collections.defaultdict(list)
            for _ in range(ROUNDS):
                for kind, measure in KINDS.items():
                    times[kind].append(measure(path, name))
            report(name, times)


# Some systems choose slower kernels of OpenBLAS by these variables: neither program gets them.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
if os.geteuid() == 0:
    ENVIRONMENT.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
if TORCH:
    torch_part(*ARGUMENTS[1:])
else:
    main()
