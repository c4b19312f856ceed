#!/usr/bin/python3
"""Trains the network of kjv.conf in PyTorch, with the same data, batches of the same size, and the same options, to
compare its loss of a character with Lockstep's. Prints the loss of the test rows after each epoch.
Needs h5py and PyTorch (python3-h5py, python3-torch).

    characters_torch.py DATA.h5 [EPOCHS [SEED]]        defaults: 10 0"""
import sys

if "--help" in sys.argv[1:]:
    print(__doc__)
    sys.exit(0)
if not 2 <= len(sys.argv) <= 4 or not all(number.isdigit() for number in sys.argv[2:]):
    print(__doc__, file=sys.stderr)
    sys.exit(2)

import h5py
import torch
from torch import nn

epochs, seed = map(int, sys.argv[2:] + ["10", "0"][len(sys.argv) - 2:])
with h5py.File(sys.argv[1]) as file:
    classes = int(file.attrs["classes"])
    x, y, test_x, test_y = (torch.from_numpy(file[name][:].astype("int64")) for name in
                            ("train/inputs", "train/labels", "test/inputs", "test/labels"))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(classes, 32)
        self.recurrent = nn.LSTM(32, 128, batch_first=True)
        self.dense = nn.Linear(128, classes)

    def forward(self, rows):
        return self.dense(self.recurrent(self.embedding(rows))[0]).flatten(0, 1)


torch.manual_seed(seed)
torch.set_num_threads(2)
model, criterion = Network(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003, foreach=False)
for epoch in range(epochs):
    for rows in torch.randperm(len(x)).split(64):
        loss = criterion(model(x[rows]), y[rows].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
    with torch.no_grad():
        losses = [criterion(model(a), b.flatten()).item() * len(a) for a, b in zip(test_x.split(512), test_y.split(512))]
    print(f"epoch {epoch + 1}: loss of a character of the test rows {sum(losses) / len(test_x):.4f}", flush=True)
