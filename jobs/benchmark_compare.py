"""What the scripts share that compare an epoch in Lockstep and in PyTorch (benchmark_sequences.py,
benchmark_gan.py): both are given made-up data, all kinds of processes are measured in turn in each round, and the
ratios of their medians are printed.

A script describes its networks and calls run(). It starts itself as PyTorch's part: `SCRIPT torch FILE NETWORK`, with
OMP_NUM_THREADS, and RANK and WORLD_SIZE for several processes (DistributedDataParallel over gloo).

PyTorch has the fastest simple set-up: all data are in memory as floats, batches are index selections, no DataLoader,
and malloc keeps large blocks, which saves PyTorch a third of the time."""
import collections
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOCKSTEP = os.path.join(HERE, "..", "build", "release", "lockstep")
EPOCHS = 2  # of a measurement, of which the faster one counts: --reduce auto makes its trial in the first

# A network to measure. options: those of `lockstep train` that describe it; batch: the global batch; rows: of an
# epoch, a multiple of it.
Network = collections.namedtuple("Network", "options batch rows")

# What a measurement gives. parameters: of all networks, running statistics included.
Measured = collections.namedtuple("Measured", "seconds parameters")

# Some systems choose slower kernels of OpenBLAS by these variables: neither program gets them.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
if os.geteuid() == 0:
    ENVIRONMENT.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def count_parameters(models):
    """Returns the number of parameters as Lockstep counts them: running statistics are parameters."""
    return sum(tensor.numel() for model in models for name, tensor in
               [(name, tensor) for name, tensor in model.named_parameters() if tensor.requires_grad] +
               [(name, tensor) for name, tensor in model.named_buffers() if "running_" in name])


def torch_part(network, prepare, path):
    """Trains in PyTorch; rank 0 prints the seconds of the fastest epoch and the number of parameters."""
    import torch
    from torch import distributed, nn
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if world > 1:
        distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29535", rank=rank, world_size=world)
    torch.manual_seed(rank)

    def distribute(model, **options):
        return nn.parallel.DistributedDataParallel(model, **options) if world > 1 else model

    models, step = prepare(path, distribute)
    share, seconds = network.batch // world, []
    for epoch in range(EPOCHS):
        begin = time.perf_counter()
        order = torch.randperm(network.rows, generator=torch.Generator().manual_seed(epoch))
        for first in range(0, network.rows - network.batch + 1, network.batch):
            step(order[first + rank * share:first + (rank + 1) * share])
        seconds.append(time.perf_counter() - begin)
    if rank == 0:
        print(json.dumps(Measured(min(seconds), count_parameters(models))))


def measure_torch(path, name, network, threads, processes):
    environment = dict(ENVIRONMENT, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS="1", WORLD_SIZE=str(processes),
                       MALLOC_MMAP_THRESHOLD_="1000000000", MALLOC_TRIM_THRESHOLD_="4000000000")
    command = [sys.executable, os.path.abspath(sys.argv[0]), "torch", path, name]
    started = [subprocess.Popen(command, env=dict(environment, RANK=str(rank)), stdout=subprocess.PIPE, text=True)
               for rank in range(processes)]
    printed = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        sys.exit(f"{os.path.basename(sys.argv[0])}: PyTorch's part failed: {name}")
    return Measured(*json.loads(printed[0]))


def measure_lockstep(path, name, network, ranks):
    run = path + ".run"
    command = ["mpirun", "-q", "-n", str(ranks), "--bind-to", "core", LOCKSTEP, "train", "--data", path, "--inputs",
               "/x", *network.options, "--batch", str(network.batch), "--epochs", str(EPOCHS), "--validation", "0",
               "--checkpoint-every", "1h", "--trust-data", "--quiet", "--run", run]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{os.path.basename(sys.argv[0])}: Lockstep failed: {name}\n{done.stderr}")
    with open(os.path.join(run, "metrics.csv")) as file:
        seconds = min(float(row["seconds"]) for row in csv.DictReader(file))
    with open(os.path.join(run, "summary.json")) as file:
        summary = json.load(file)
    subprocess.run(["rm", "-r", run], check=True)
    return Measured(seconds, sum(summary[model]["parameters"] for model in ("model", "discriminator")
                                 if model in summary))


KINDS = {"Lockstep, 2 ranks": lambda *data: measure_lockstep(*data, 2),
         "PyTorch DDP over gloo, 2 processes": lambda *data: measure_torch(*data, 1, 2),
         "Lockstep, 1 rank": lambda *data: measure_lockstep(*data, 1),
         "PyTorch, 1 process, 1 thread": lambda *data: measure_torch(*data, 1, 1),
         "PyTorch, 1 process, 2 threads": lambda *data: measure_torch(*data, 2, 1)}


def report(name, network, measured):
    seconds = {kind: [one.seconds for one in measured[kind]] for kind in KINDS}
    ours, theirs = (measured[kind][0].parameters for kind in list(KINDS)[:2])
    print(f"{name}, batch {network.batch}, {network.rows:,} rows, {ours:,} parameters" +
          (f", in PyTorch {theirs:,}" if theirs != ours else "") +
          "; seconds of an epoch: median, least, most; samples/s")
    for kind, times in seconds.items():
        median = statistics.median(times)
        print(f"  {kind:36} {median:8.3f} {min(times):8.3f} {max(times):8.3f} {network.rows / median:10,.0f}")
    two, ddp, one, *single = map(statistics.median, seconds.values())
    print(f"  2 ranks: {ddp / two:.2f}x DDP, {min(single) / two:.2f}x PyTorch's best single process; from 1 to 2 "
          f"ranks {100 * one / (2 * two):.1f} % efficient", flush=True)


def compare(networks, make_data, rounds):
    with tempfile.TemporaryDirectory() as scratch:
        for name, network in networks.items():
            path = os.path.join(scratch, name + ".h5")
            make_data(path, name)
            measured = collections.defaultdict(list)
            for _ in range(rounds):
                for kind, measure in KINDS.items():
                    measured[kind].append(measure(path, name, network))
            report(name, network, measured)


def run(doc, networks, make_data, prepare):
    """Does what the command line says: [ROUNDS [NETWORK ...]], or PyTorch's part.
    doc        the script's text of --help
    networks   a Network for each name
    make_data  make_data(path, name) writes the inputs of a network's rows as /x, and targets if it has them
    prepare    prepare(name, path, distribute) returns the models, and the function that makes a step of the rows whose
               indices it gets; distribute(model, **options) wraps a model whose gradients are to be summed over
               the processes"""
    arguments = sys.argv[1:]
    if "--help" in arguments:
        print(doc)
        sys.exit(0)
    if arguments[:1] == ["torch"] and len(arguments) == 3 and arguments[2] in networks:
        path, name = arguments[1:]
        torch_part(networks[name], lambda *data: prepare(name, *data), path)
        return
    rounds = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 5
    if rounds < 1 or not set(arguments) <= set(networks):
        print(doc, file=sys.stderr)
        sys.exit(2)
    compare({name: networks[name] for name in arguments or networks}, make_data, rounds)
