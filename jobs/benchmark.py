#!/usr/bin/python3
"""Measures the table of BENCHMARKS.md in one run, taking the rows in turn: epochs compared with PyTorch
and with the time of the matrix products, scaling, the prediction, two hosts on a 10 Gbit/s link (needs
root), start, import and memory. Needs the quickstart's build, and PyTorch (python3-torch).

    jobs/benchmark.py FOLDER_OF_IDX_FILES [ROUNDS]
"""
import collections
import csv
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOCKSTEP = os.path.join(HERE, "..", "build", "release", "lockstep")
if "--help" in sys.argv[1:]:
    print(__doc__)
    sys.exit(0)
if len(sys.argv) not in (2, 3) or not sys.argv[-1].isdigit() and len(sys.argv) == 3:
    print(__doc__, file=sys.stderr)
    sys.exit(2)
IDX = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
for needed in (IDX, LOCKSTEP):
    if not os.path.exists(needed):
        sys.exit(f"benchmark.py: {needed}: no such file or folder" +
                 (": jobs/quickstart.sh builds it" if needed == LOCKSTEP else ""))
LARGE, LARGE_ROWS = "2500,2000,1500,1000,500", 5120  # 12 million parameters
CONVOLUTIONAL = {"lenet5": "lenet5",
                 "example": "conv:32x3 relu conv:64x3 relu maxpool:2 flatten dense:128 relu dense:10"}
AFFINE = "rotate:15 scale:0.15 shift:2 shear:0.1"
ONE, TWO = (["mpirun", "-q", "-n", n, "--bind-to", "core"] for n in ("1", "2"))
LINK = [os.path.join(HERE, "two_hosts.sh"), "10gbit"]
if os.geteuid() == 0:
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
figures = collections.defaultdict(list)


def run(command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, timeout=600, **options)


def model(network):
    """Returns the --model of a network that is named as for benchmark_torch.py."""
    if network in CONVOLUTIONAL:
        return CONVOLUTIONAL[network]
    return " ".join(f"dense:{units} relu" for units in network.split(",")) + " dense:10"


def train(name, launch, data, network="512", *options):
    """Trains; records the medians over epochs of some columns of metrics.csv; returns the output."""
    folder = os.path.join(scratch, "run")
    shutil.rmtree(folder, ignore_errors=True)
    command = [*launch, LOCKSTEP, "train", "--data", data, "--model", model(network), "--run", folder]
    printed = run([*command, *options]).stderr
    with open(os.path.join(folder, "metrics.csv")) as file:
        rows = list(csv.DictReader(file))
    for column in ("seconds", "communicate_s"):
        figures[name, column].append(statistics.median(float(row[column]) for row in rows))
    figures[name, "sum"].append(sum(float(row["seconds"]) for row in rows))
    return printed


def bench(launch, *options):
    return json.loads(run([*launch, LOCKSTEP, "bench", "--json", *options]).stdout)


def torch(name, threads, processes, *arguments):
    # PyTorch allocates its gradients anew in each step: it is much faster without page faults. It gets
    # the OpenBLAS kernels that Lockstep chooses.
    environment = dict(os.environ, OPENBLAS_CORETYPE=kernels, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS="1",
                       MALLOC_MMAP_THRESHOLD_="1000000000", MALLOC_TRIM_THRESHOLD_="4000000000",
                       WORLD_SIZE=str(processes))
    command = ["/usr/bin/python3", os.path.join(HERE, "benchmark_torch.py"), IDX, *arguments]
    others = [subprocess.Popen(command, env=dict(environment, RANK=str(rank)))
              for rank in range(1, processes)]
    figures[name, "seconds"].append(float(run(command, env=dict(environment, RANK="0")).stdout))
    for other in others:
        other.wait()


def fastest(result):
    return min(step["median"] for step in result["steps"])


def prediction_error(result):
    return abs(result["prediction"]["predicted_here"] / result["prediction"]["measured_here"] - 1)


def link_is_possible():
    return os.geteuid() == 0 and shutil.which("ip") is not None


def measure():
    reference = ("512", "--validation", "0")
    train("two", TWO, data, *reference, "--epochs", "4")
    torch("ddp", 1, 2, "3", "128")
    figures["peak"].append(bench(TWO, "--steps", "5")["sgemm"]["mean"])
    train("one", ONE, data, *reference, "--epochs", "4")
    torch("torch1", 1, 1, "3", "128")
    train("two", TWO, data, *reference, "--epochs", "4")
    torch("torch2", 2, 1, "3", "128")

    # The trial of --reduce auto takes some of the first epochs, which the median leaves out.
    train("large", TWO, large, LARGE, "--validation", "0", "--epochs", "6", "--batch", "256")
    train("large one", ONE, large, LARGE, "--validation", "0", "--epochs", "3", "--batch", "256")
    step = min(bench(TWO, "--steps", "15", "--batch", "256", "--model", model(LARGE))["steps"],
               key=lambda step: step["median"])
    figures["large computing"].append(
        LARGE_ROWS / 256 * sum(step["phases"][phase]["mean"] for phase in ("gather", "forward", "backward")))
    torch("large ddp", 1, 2, "2", "256", LARGE, str(LARGE_ROWS))
    torch("large torch", 2, 1, "2", "256", LARGE, str(LARGE_ROWS))
    train("small", TWO, data, "30", "--validation", "0.1666667", "--epochs", "10", "--batch", "1200")

    for network, rows in (("lenet5", data), ("example", large)):
        limit = () if rows == data else (str(LARGE_ROWS),)
        train(network, TWO, rows, network, "--validation", "0", "--epochs", "3")
        torch(f"{network} ddp", 1, 2, "2", "128", network, *limit)
        torch(f"{network} torch1", 1, 1, "2", "128", network, *limit)
        train(network, TWO, rows, network, "--validation", "0", "--epochs", "3")
        torch(f"{network} torch2", 2, 1, "2", "128", network, *limit)
    for _ in range(2):
        train("one again", ONE, data, *reference, "--epochs", "3")
        train("one affine", ONE, data, *reference, "--epochs", "3", "--augment", AFFINE)
        train("one exact", ONE, data, *reference, "--epochs", "3", "--reproducible")
        train("two again", TWO, data, *reference, "--epochs", "3")
        train("two exact", TWO, data, *reference, "--epochs", "3", "--reproducible")

    figures["dense 1"].append(fastest(bench(ONE)))
    figures["weak 1"].append(fastest(bench(ONE, "--batch", "64")))
    result = bench(TWO, "--batch", "128", "--predict", "2")
    figures["dense 2"].append(fastest(result))
    figures["error"].append(prediction_error(result))
    if link_is_possible():
        for kind in ("fused", "overlap", "auto"):
            train(f"link {kind}", LINK, data, *reference, "--epochs", "4", "--reduce", kind)
        figures["link error"].append(
            prediction_error(bench(LINK, "--predict", "2", "--reduce", "fused")))


def median(*name):
    return statistics.median(figures[name if len(name) > 1 else name[0]])


def row(text, *name):
    values = figures[name if len(name) > 1 else name[0]]
    print(f"  {text:52} {statistics.median(values):8.3f} {min(values):8.3f} {max(values):8.3f}")


def report():
    flops = 2 * (2 * 784 * 512 + 3 * 512 * 10) * 60000  # matrix products of an epoch
    dims = [784, *map(int, LARGE.split(",")), 10]
    products = [a * b for a, b in zip(dims, dims[1:])]
    large_flops = 2 * (3 * sum(products) - products[0]) * LARGE_ROWS
    limit, large_limit = flops / (2 * median("peak")), large_flops / (2 * median("peak"))
    two, one = median("two", "seconds"), median("one", "seconds")
    ddp, best = median("ddp", "seconds"), min(median("torch1", "seconds"), median("torch2", "seconds"))
    print(f"{'Seconds an epoch':54} {'median':>8} {'least':>8} {'most':>8}")
    print("784-512-10, batch 128, 60,000 rows")
    row("Lockstep, 2 ranks", "two", "seconds")
    row("Lockstep, 1 rank", "one", "seconds")
    row("PyTorch DDP over gloo, 2 processes", "ddp", "seconds")
    row("PyTorch, 1 process, 1 thread", "torch1", "seconds")
    row("PyTorch, 1 process, 2 threads", "torch2", "seconds")
    print(f"  2 ranks: {ddp / two:.2f}x DDP, {best / two:.2f}x PyTorch's best single process, "
          f"{100 * limit / two:.1f} % of the sgemm limit ({limit:.3f} s at "
          f"{median('peak') / 1e9:.0f} Gflop/s a rank)")
    print(f"784-{LARGE.replace(',', '-')}-10, batch 256, {LARGE_ROWS} rows")
    row("Lockstep, 2 ranks", "large", "seconds")
    row("PyTorch DDP over gloo, 2 processes", "large ddp", "seconds")
    row("PyTorch, 1 process, 2 threads", "large torch", "seconds")
    peer = min(median("large ddp", "seconds"), median("large torch", "seconds"))
    print(f"  2 ranks: {peer / median('large', 'seconds'):.2f}x PyTorch's best, computing at "
          f"{100 * large_limit / median('large computing'):.1f} %, the whole at "
          f"{100 * large_limit / median('large', 'seconds'):.1f} % of the sgemm limit")
    for network, text in (("lenet5", "LeNet-5, batch 128, 60,000 rows"),
                          ("example", f"{CONVOLUTIONAL['example']}, batch 128, {LARGE_ROWS} rows")):
        print(text)
        row("Lockstep, 2 ranks", network, "seconds")
        row("PyTorch DDP over gloo, 2 processes", f"{network} ddp", "seconds")
        row("PyTorch, 1 process, 1 thread", f"{network} torch1", "seconds")
        row("PyTorch, 1 process, 2 threads", f"{network} torch2", "seconds")
        peers = [median(f"{network} {peer}", "seconds") for peer in ("ddp", "torch1", "torch2")]
        print(f"  2 ranks: {peers[0] / median(network, 'seconds'):.2f}x DDP, "
              f"{min(peers[1:]) / median(network, 'seconds'):.2f}x PyTorch's best single process")
    print("784-512-10, batch 128: what options cost")
    for ranks in ("one", "two"):
        row(f"{ranks} rank{'s' if ranks == 'two' else ''}", f"{ranks} again", "seconds")
        row("with --reproducible", f"{ranks} exact", "seconds")
        if ranks == "one":
            row(f'with --augment "{AFFINE}"', "one affine", "seconds")
    print("784-30-10, batch 1200, 10 epochs of 50,000 rows")
    row("Lockstep, 2 ranks, all 10 epochs", "small", "sum")
    print("Scaling from 1 to 2 ranks, efficiency")
    large_strong = median("large one", "seconds") / (2 * median("large", "seconds"))
    print(f"  strong: 784-512-10 on this data {100 * one / (2 * two):.1f} %, its steps without zeros to "
          f"leave out {100 * median('dense 1') / (2 * median('dense 2')):.1f} %; the large network "
          f"{100 * large_strong:.1f} %")
    print(f"  weak: {100 * median('weak 1') / median('dense 2'):.1f} %; error of the predicted step "
          f"{100 * median('error'):.1f} %")
    if figures["link error"]:
        print("Two hosts on a 10 Gbit/s link, 784-512-10, batch 128")
        for kind in ("fused", "overlap", "auto"):
            row(f"{kind}: an epoch", f"link {kind}", "seconds")
        for kind in ("fused", "overlap"):
            row(f"{kind}: communication exposed in it", f"link {kind}", "communicate_s")
        hidden = 1 - median("link overlap", "communicate_s") / median("link fused", "communicate_s")
        auto = median("link auto", "seconds") / min(median("link fused", "seconds"),
                                                    median("link overlap", "seconds"))
        print(f"  overlap hides {100 * hidden:.0f} % of what fused exposes; auto takes {auto:.2f}x the "
              f"best; error of the predicted step {100 * median('link error'):.1f} %")


def report_start():
    begin = time.perf_counter()
    printed = train("start", TWO, data, "512", "--epochs", "1")
    print("Start, import, memory")
    print(f"  ready for the first step after {re.search('ready +after (.*)', printed)[1]}; the whole "
          f"job of one epoch {time.perf_counter() - begin:.2f} s")
    print("  " + imported.strip().rsplit(": ", 1)[1])
    if os.path.exists("/usr/bin/time"):
        peaks = os.path.join(scratch, "peaks")
        run([*TWO, "/usr/bin/time", "-a", "-o", peaks, "-f", "%M", LOCKSTEP, "train", "--data", data,
             "--epochs", "1"])
        with open(peaks) as file:
            print(f"  peak memory of a rank {max(map(int, file)) // 1024} MiB")
    cpu = re.search("Model name: *(.*)", run(["lscpu"]).stdout)
    print(f"  {cpu[1] if cpu else 'processor unknown'}, {os.cpu_count()} cores")


with tempfile.TemporaryDirectory() as scratch:
    data, large = os.path.join(scratch, "data.h5"), os.path.join(scratch, "large.h5")
    imported = run([LOCKSTEP, "import", "--idx", IDX, "--out", data]).stderr
    run([LOCKSTEP, "import", "--idx", IDX, "--out", large, "--limit", str(LARGE_ROWS)])
    blas = re.search("OpenBLAS.*, ", run([*ONE, LOCKSTEP, "bench", "--steps", "5"]).stdout)
    kernels = blas[0].split(",")[0].split()[-1]
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        measure()
    report()
    report_start()
