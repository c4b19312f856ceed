"""PNG files: in FOLDER, test rows of a data set as black on white pages of 200x300, at random places and sizes; in
`rows`, the first eight rows as they are. make_pages.py FILE.h5 FOLDER ROWS"""
import os
import sys

import h5py
import numpy as np
import png


def enlarge(pixels, side):
    """Resizes by linear interpolation between the centres of pixels."""
    at = np.clip((np.arange(side) + 0.5) * len(pixels) / side - 0.5, 0, len(pixels) - 1)
    low = np.minimum(at.astype(int), len(pixels) - 2)
    part = at - low
    down = pixels[low] * (1 - part)[:, None] + pixels[low + 1] * part[:, None]
    return down[:, low] * (1 - part) + down[:, low + 1] * part


path, folder, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(folder)
os.makedirs("rows")
random = np.random.default_rng(2)
with h5py.File(path) as file:
    images = file["test/images"][:rows].reshape(-1, 28, 28)
for i, image in enumerate(images[:8]):
    png.write(f"rows/{i}.png", image)
for i, image in enumerate(images):
    side = random.integers(28, 190)
    top, left = random.integers(0, 200 - side), random.integers(0, 300 - side)
    page = np.zeros((200, 300))
    page[top:top + side, left:left + side] = enlarge(image.astype(float), side)
    png.write(f"{folder}/{i:05}.png", (255 - np.round(page)).astype("u1"))
