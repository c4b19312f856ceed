#!/usr/bin/env python3
"""Mean squared error of reconstructing a data set's test images from their principal components, in NumPy.

    pca.py DATA.h5 [COMPONENTS ...]

The components [64] are those of the training images; pixels are divided by 255, and the mean is over images and pixels, as
of `lockstep eval` after a training with --targets inputs. With --noise S the test images get normally distributed noise
first: the error of a linear denoising by the components.
"""
import argparse

import h5py
import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data")
parser.add_argument("components", nargs="*", type=int, default=[64])
parser.add_argument("--noise", type=float, default=0, metavar="S")
options = parser.parse_args()

with h5py.File(options.data) as file:
    train, test = (file[f"{split}/images"][:].reshape(len(file[f"{split}/images"]), -1) / 255 for split in ("train", "test"))
mean = train.mean(0)
values, vectors = np.linalg.eigh(np.cov(train.T, bias=True))  # in ascending order
seen = test + options.noise * np.random.RandomState(0).standard_normal(test.shape)
print(f"inputs          {((seen - test) ** 2).mean():.5f}")
for count in options.components:
    basis = vectors[:, -count:]
    error = (seen - mean) @ basis @ basis.T + mean - test
    print(f"{count:3} components  {(error**2).mean():.5f}")
