"""Cases of tests/cli/test_export.sh: lines `NAME rows channels height width outputs` on stdin. Each has the
files NAME.x and NAME.y of network_outputs, and the exported networks, each with the CSV file of --check."""
import sys

import numpy


def read_check(path, shape):
    """The inputs and outputs in a CSV file of --check."""
    with open(path) as file:
        columns = file.readline().strip().split(",")
        values = numpy.loadtxt(file, "f4", delimiter=",")
    inputs = sum(column[0] == "x" for column in columns)
    return values[:, :inputs].reshape(len(values), *shape), values[:, inputs:]


def keep_steps(values, name, steps):
    """Outputs by step of rows with lengths: those of steps beyond a row's length, which mean nothing, become 0."""
    if "each" not in name:
        return values
    lengths = numpy.fromfile(name + ".lengths", "<f4")
    by_step = values.reshape(len(values), steps, -1)
    counts = numpy.arange(steps) < lengths[:, None]
    return numpy.where(counts[:, :, None], by_step, 0).reshape(values.shape)


def run(tool, format, outputs_of):
    """Compares the outputs of a tool with the network's own, for all cases; ends the program."""
    wrong = cases = 0
    worst = 0.0
    for line in sys.stdin:
        name, *sizes = line.split()
        rows, channels, height, width, outputs = map(int, sizes)
        x = numpy.fromfile(name + ".x", "<f4").reshape(rows, channels, height, width)
        y = numpy.fromfile(name + ".y", "<f4").reshape(rows, outputs)
        try:
            got = numpy.asarray(outputs_of(name, x)).reshape(rows, outputs)
            got, y = (keep_steps(values, name, channels * height * width) for values in (got, y))
            inputs, expected = read_check(f"{name}.{format}.csv", x.shape[1:])
            checked = numpy.asarray(outputs_of(name, inputs)).reshape(expected.shape)
        except Exception as error:  # one case must not hide the others
            print(f"{tool}: {name}: {type(error).__name__}: {error}")
            wrong += 1
            continue
        problem = compare(got, y, name) or compare(checked, expected, name)
        if problem:
            print(f"{tool}: {name}: {problem}")
            wrong += 1
        cases += 1
        worst = max(worst, float((numpy.abs(got - y) / scale(y, name)).max()))
    print(f"{tool}: {cases} networks, largest difference {worst:.2g}")
    sys.exit(1 if wrong or not cases else 0)


def scale(expected, name):
    """What differences are relative to: 1 or the size of an output; of values the largest of the output's; of
    images made by an autoencoder the largest of all."""
    size = numpy.abs(expected)
    return size.max(0) if "values" in name else size.max() if "inputs" in name else numpy.maximum(1, size)


def compare(got, expected, name, tolerance=1e-5):
    """Returns a description of the difference, '' if there is none: outputs must be equal within the tolerance,
    and classes equal, except ties."""
    classes = "values" not in name and "inputs" not in name
    if not numpy.isfinite(got).all():
        return "outputs that are not finite"
    difference = numpy.abs(got - expected) / scale(expected, name)
    if difference.max() > tolerance:
        return f"outputs differ by {difference.max():.3g}"
    if not classes or expected.shape[1] == 1:
        return ""
    best = numpy.sort(expected, 1)
    tie = best[:, -1] - best[:, -2] <= 2 * tolerance
    other = (got.argmax(1) != expected.argmax(1)) & ~tie
    return f"{other.sum()} rows have another class" if other.any() else ""
