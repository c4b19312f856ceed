"""A data set of digits of a 5x7 dot-matrix font, slanted, of random thickness and proportions, prepared as MNIST's:
20 pixels on the longer side, the centre of mass at pixel 14 of 28. make_digits.py FILE.h5"""
import sys

import h5py
import numpy as np

FONT = """01110 00100 01110 01110 00010 11111 01110 11111 01110 01110
          10001 01100 10001 10001 00110 10000 10000 00001 10001 10001
          10011 00100 00001 00001 01010 11110 10000 00010 10001 10001
          10101 00100 00110 00110 10010 00001 11110 00100 01110 01111
          11001 00100 01000 00001 11111 00001 10001 00100 10001 00001
          10001 00100 10000 10001 00010 10001 10001 00100 10001 00001
          01110 01110 11111 01110 00010 01110 01110 00100 01110 01110""".split()
GLYPH = np.array([[int(c) for c in word] for word in FONT]).reshape(7, 10, 5).transpose(1, 0, 2)


def average(pixels, height, width):
    """Resizes by the mean of areas: the integral of the picture, interpolated at the edges."""
    for axis, length in ((0, height), (1, width)):
        pixels = np.moveaxis(pixels, axis, 0)
        total = np.concatenate([np.zeros((1,) + pixels.shape[1:]), np.cumsum(pixels, 0)])
        at = np.linspace(0, len(pixels), length + 1)
        low = np.minimum(at.astype(int), len(pixels) - 1)
        edge = total[low] + (at - low)[:, None] * (total[low + 1] - total[low])
        pixels = np.moveaxis(np.diff(edge, axis=0) * length / len(pixels), 0, axis)
    return pixels


def digit(glyph, random):
    large = np.kron(glyph, np.ones((random.integers(10, 16), random.integers(10, 18))))
    height, width = large.shape
    slanted = np.zeros((height, width + height))
    slant = random.uniform(-0.3, 0.5)
    for y in range(height):
        left = int(height / 2 + slant * (height / 2 - y))
        slanted[y, left:left + width] = large[y]
    for _ in range(random.integers(0, 4)):  # thicker
        slanted = np.maximum(slanted, np.roll(slanted, 1, 1))
    rows, columns = np.flatnonzero(slanted.any(1)), np.flatnonzero(slanted.any(0))
    ink = slanted[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    scale = 20 / max(ink.shape)
    small = average(ink, *(max(1, round(side * scale)) for side in ink.shape))
    page = np.zeros((28, 28))
    mass = small.sum()
    at = [round(14 - (small.sum(1 - axis) * np.arange(small.shape[axis])).sum() / mass) for axis in (0, 1)]
    at = [min(max(a, 0), 28 - side) for a, side in zip(at, small.shape)]
    page[at[0]:at[0] + small.shape[0], at[1]:at[1] + small.shape[1]] = small / small.max()
    return np.round(255 * page).astype("u1")


random = np.random.default_rng(1)
with h5py.File(sys.argv[1], "w") as file:
    file.attrs.update(format="lockstep-dataset", version=1, classes=10, name="dots")
    for split, rows in ("train", 3000), ("test", 400):
        labels = random.integers(0, 10, rows)
        file[split + "/images"] = np.array([digit(GLYPH[k], random) for k in labels])
        file[split + "/labels"] = labels.astype("u1")
