#!/usr/bin/python3
"""Compares the speed of networks for sequences in Lockstep and in PyTorch, taking them in turn in each round:
an LSTM and a GRU of 128 units over 28 steps of 28 numbers (MNIST read row by row), and a transformer of
characters (4 blocks of 128 features, 4 heads, 128 steps, 96 characters). All data are made up. Prints seconds of
an epoch: medians over the rounds, least and most, samples per second, and the ratios.
Needs the quickstart's build, h5py and PyTorch (python3-h5py, python3-torch), and an idle machine of 2 cores.

    jobs/benchmark_sequences.py [ROUNDS [NETWORK ...]]     defaults: 5 lstm gru transformer

PyTorch's LSTM has a second bias; the other networks have the same parameters on both sides."""
from benchmark_compare import Network, run

UNITS, STEPS, FEATURES, CLASSES = 128, 28, 28, 10  # of the recurrent networks
WIDTH, HEADS, BLOCKS, LENGTH, CHARACTERS = 128, 4, 4, 128, 96  # of the transformer
BLOCK = (f":a{{0}} layernorm attention:{HEADS},causal +a{{0}} :b{{0}} layernorm dense:{4 * WIDTH} gelu "
         f"dense:{WIDTH} +b{{0}}")
TRANSFORMER = (f"embedding:{WIDTH} position " + " ".join(map(BLOCK.format, range(BLOCKS))) +
               f" layernorm dense:{CHARACTERS}")


def options(model):
    return ["--targets", "/y", "--model", model]


NETWORKS = {"lstm": Network(options(f"lstm:{UNITS} dense:{CLASSES}"), 128, 60000),
            "gru": Network(options(f"gru:{UNITS} dense:{CLASSES}"), 128, 60000),
            "transformer": Network(options(TRANSFORMER), 32, 2048)}


def make_data(path, name):
    import h5py
    import numpy
    random = numpy.random.default_rng(1)
    rows = NETWORKS[name].rows
    with h5py.File(path, "w") as file:
        if name == "transformer":
            text = random.integers(0, CHARACTERS, (rows, LENGTH + 1), "u1")
            file["x"], file["y"] = text[:, :-1], text[:, 1:]
        else:
            file["x"] = random.random((rows, STEPS, FEATURES), "f4")
            file["y"] = random.integers(0, CLASSES, rows, "u1")


def prepare(name, path, distribute):
    import h5py
    import torch
    from torch import nn
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

    model = distribute(Transformer() if name == "transformer" else Recurrent())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=False)
    criterion = nn.CrossEntropyLoss()
    if name == "transformer":
        x = x.long()
    y = y.long()

    def step(rows):
        loss = criterion(model(x[rows]), y[rows].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return [model], step


if __name__ == "__main__":
    run(__doc__, NETWORKS, make_data, prepare)
