#!/usr/bin/python3
"""Writes the adding problem (Hochreiter, Schmidhuber, Long short-term memory, 1997) as an HDF5 file: a row is a
sequence of two features, a number of 0 to 1 and a mark; the target is the sum of the two marked numbers, one in
each half. Guessing their mean has a mean squared error of 1/6. Needs h5py (python3-h5py).

    adding.py OUT.h5 [STEPS [ROWS [TEST_ROWS]]]      defaults: 200 50000 5000"""
import sys

if "--help" in sys.argv[1:]:
    print(__doc__)
    sys.exit(0)
if not 2 <= len(sys.argv) <= 5 or not all(number.isdigit() for number in sys.argv[2:]):
    print(__doc__, file=sys.stderr)
    sys.exit(2)

import h5py
import numpy

steps, rows, test_rows = map(int, sys.argv[2:] + ["200", "50000", "5000"][len(sys.argv) - 2:])
random = numpy.random.default_rng(0)
with h5py.File(sys.argv[1], "w") as file:
    file.attrs.update(format=numpy.bytes_("lockstep-dataset"), version=1)
    for group, count in (("train", rows), ("test", test_rows)):
        inputs = random.random((count, steps, 2), "f4")
        inputs[:, :, 1] = 0
        every = numpy.arange(count)
        marks = random.integers(0, steps // 2, (2, count)) + [[0], [steps - steps // 2]]
        inputs[every, marks, 1] = 1
        file[f"{group}/inputs"] = inputs
        file[f"{group}/targets"] = inputs[every, marks, 0].sum(0)
