#!/usr/bin/python3
"""Measures a table of floats of the size of HIGGS (made up) in Lockstep and in PyTorch, in turn: a job that
loads the table, standardises it and trains 28-300-300-300-1 for an epoch on 2 ranks, and the memory of a rank.
Needs the quickstart's build, h5py and PyTorch (python3-h5py, python3-torch), and 1.3 GB in $TMPDIR.

    jobs/benchmark_table.py [ROWS [BATCH [ROUNDS]]]      defaults: 10500000 128 1

PyTorch has the fastest simple set-up: a process holds its share in memory, batches are index selections, and
malloc keeps large blocks. `benchmark_table.py FILE BATCH` under mpirun is PyTorch's part."""
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOCKSTEP = os.path.join(HERE, "..", "build", "release", "lockstep")
LAUNCH = ["mpirun", "-q", "-n", "2", "--bind-to", "core"]
FEATURES, WIDTH, PIECE = 28, 300, 500_000
if "--help" in sys.argv[1:]:
    print(__doc__)
    sys.exit(0)
RANK = os.environ.get("OMPI_COMM_WORLD_RANK")
NUMBERS = sys.argv[1 if RANK is None else 2:]
if len(NUMBERS) > 3 or not all(number.isdigit() and int(number) > 0 for number in NUMBERS):
    print(__doc__, file=sys.stderr)
    sys.exit(2)

import h5py
import numpy


def make_table(path, rows):
    """Inputs are normal or log-normal; the class depends on products of them."""
    random = numpy.random.default_rng(1)
    weights = random.normal(size=FEATURES).astype("f4")
    with h5py.File(path, "w") as file:
        inputs = file.create_dataset("x", (rows, FEATURES), "f4")
        classes = file.create_dataset("y", (rows,), "u1")
        for first in range(0, rows, PIECE):
            last = min(rows, first + PIECE)
            x = random.normal(size=(last - first, FEATURES)).astype("f4")
            x[:, ::3] = numpy.exp(0.5 * x[:, ::3])
            z = 0.3 * (x @ weights) + 0.4 * x[:, 1] * x[:, 4] - 0.5 * x[:, 2]**2 * (x[:, 5] > 0)
            inputs[first:last] = x
            classes[first:last] = random.random(last - first) < 1 / (1 + numpy.exp(-z))


def torch_part(path, batch, rank, world):
    """Trains one epoch; rank 0 prints the seconds of loading and of training."""
    import torch
    from torch import distributed, nn
    begin = time.perf_counter()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29534", rank=rank, world_size=world)
    with h5py.File(path) as file:
        rows = file["x"].shape[0]
        mine = slice(rows * rank // world, rows * (rank + 1) // world)
        x = torch.from_numpy(file["x"][mine])
        y = torch.from_numpy(file["y"][mine].astype(numpy.float32))[:, None]
    sums = torch.stack([torch.zeros(FEATURES, dtype=torch.float64) for _ in range(2)])
    for piece in x.split(PIECE):
        sums += torch.stack([piece.double().sum(0), (piece.double()**2).sum(0)])
    distributed.all_reduce(sums)
    mean = sums[0] / rows
    x.sub_(mean.float()).div_((sums[1] / rows - mean**2).sqrt().float())
    loaded = time.perf_counter()
    torch.manual_seed(0)
    sizes = [FEATURES, WIDTH, WIDTH, WIDTH]
    layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
    model = nn.parallel.DistributedDataParallel(nn.Sequential(*layers, nn.Linear(WIDTH, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, foreach=False)
    criterion = nn.BCEWithLogitsLoss()
    share, order = batch // world, torch.randperm(len(x))
    for first in range(0, rows // world - share + 1, share):
        chosen = order[first:first + share]
        loss = criterion(model(x[chosen]), y[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    if rank == 0:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(f"loaded in {loaded - begin:.1f} s, epoch {time.perf_counter() - loaded:.1f} s, "
              f"loss of the last batch {loss.item():.3f}, a rank's memory {peak:.0f} MB")


def measure(name, command, environment):
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, text=True, capture_output=True, env=environment)
    seconds = time.perf_counter() - begin
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    told = [line for line in lines if line.startswith(("epoch", "loaded"))]
    peaks = [int(line) * 1024 / 1e6 for line in lines if line.isdigit()]  # of /usr/bin/time
    told += [f"a rank's memory {max(peaks):.0f} MB"] if peaks else []
    print(f"{name:10} job {seconds:6.1f} s; " + ", ".join(told), flush=True)
    return seconds


def compare(rows=10_500_000, batch=128, rounds=1):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    if os.geteuid() == 0:
        environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    peer = dict(environment, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
                MALLOC_MMAP_THRESHOLD_="1000000000", MALLOC_TRIM_THRESHOLD_="4000000000")
    with tempfile.TemporaryDirectory() as scratch:
        table = os.path.join(scratch, "table.h5")
        make_table(table, rows)
        model = f"dense:{WIDTH} relu " * 3 + "dense:1"
        train = [*LAUNCH, "/usr/bin/time", "-f", "%M", LOCKSTEP, "train", "--data", table, "--inputs", "/x",
                 "--targets", "/y", "--standardize", "fit", "--loss", "bce", "--model", model, "--optimizer",
                 "sgd", "--momentum", "0.9", "--lr", "0.05", "--batch", str(batch), "--epochs", "1",
                 "--validation", "0", "--trust-data", "--seed"]
        ratios = []
        for number in range(rounds):
            ours = measure("Lockstep", [*train, str(number)], environment)
            theirs = measure("PyTorch", [*LAUNCH, sys.executable, os.path.abspath(__file__), table, str(batch)], peer)
            ratios.append(theirs / ours)
    print(f"{rows:,} rows, {rows * (4 * FEATURES + 1) / 2e6:.0f} MB a rank, batch {batch}: PyTorch takes " +
          ", ".join(f"{ratio:.2f}" for ratio in ratios) + " times as long")


if RANK is None:
    compare(*map(int, NUMBERS))
else:
    torch_part(sys.argv[1], int(sys.argv[2]), int(RANK), int(os.environ["OMPI_COMM_WORLD_SIZE"]))
