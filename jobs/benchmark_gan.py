#!/usr/bin/python3
"""Compares the speed of training a GAN in Lockstep and in PyTorch, taking them in turn in each round: the named
networks `dcgan`, of transposed and strided convolutions, and `gan`, of dense layers, on pictures of MNIST's size,
which are made up. Prints seconds of an epoch: medians over the rounds, least and most, samples per second (rows
of the data set), and the ratios.
Needs the quickstart's build, h5py and PyTorch (python3-h5py, python3-torch), and an idle machine of 2 cores.

    jobs/benchmark_gan.py [ROUNDS [NETWORK ...]]     defaults: 5 dcgan gan

Both make the same steps. The discriminator's: rows are generated without gradients, the discriminator judges the
data's rows and the generated ones in two passes, and is updated by the sum of both gradients. The generator's: new
rows are generated and judged, the gradient goes through the discriminator, of whose parameters no gradient is
computed, and the generator is updated. One difference is in PyTorch's favour: with several processes its batch
normalisation takes the statistics of a process's rows, Lockstep's of all."""
from benchmark_compare import Network, run

LATENT, SIDE, SLOPE, DROPPED = 64, 28, 0.2, 0.3  # of the named networks
RATE, BETAS = 2e-4, (0.5, 0.999)


def options(generator):
    return ["--targets", "none", "--objective", "gan", "--generator", generator, "--latent", str(LATENT), "--lr",
            str(RATE), "--beta1", str(BETAS[0]), "--beta2", str(BETAS[1])]


NETWORKS = {"dcgan": Network(options("dcgan"), 128, 6400), "gan": Network(options("gan"), 128, 25600)}


def make_data(path, name):
    import h5py
    import numpy
    with h5py.File(path, "w") as file:
        file["x"] = numpy.random.default_rng(1).integers(0, 256, (NETWORKS[name].rows, 1, SIDE, SIDE), "u1")


def make_players(name):
    """Returns generator and discriminator: the layers of Lockstep's named networks."""
    from torch import nn

    def leaky():
        return nn.LeakyReLU(SLOPE, inplace=True)

    if name == "gan":
        return (nn.Sequential(nn.Linear(LATENT, 256), leaky(),
                              nn.Linear(256, 512, bias=False), nn.BatchNorm1d(512), leaky(),
                              nn.Linear(512, 1024, bias=False), nn.BatchNorm1d(1024), leaky(),
                              nn.Linear(1024, SIDE**2), nn.Sigmoid(), nn.Unflatten(1, (1, SIDE, SIDE))),
                nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 512), leaky(), nn.Dropout(DROPPED),
                              nn.Linear(512, 256), leaky(), nn.Dropout(DROPPED), nn.Linear(256, 1)))
    side = SIDE // 4
    return (nn.Sequential(nn.Linear(LATENT, 128 * side**2, bias=False), nn.BatchNorm1d(128 * side**2),
                          nn.ReLU(inplace=True), nn.Unflatten(1, (128, side, side)),
                          nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64),
                          nn.ReLU(inplace=True), nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Sigmoid()),
            nn.Sequential(nn.Conv2d(1, 64, 4, 2, 1), leaky(), nn.Dropout(DROPPED),
                          nn.Conv2d(64, 128, 4, 2, 1), leaky(), nn.Dropout(DROPPED),
                          nn.Flatten(), nn.Linear(128 * side**2, 1)))


def prepare(name, path, distribute):
    import h5py
    import torch
    from torch import nn
    with h5py.File(path) as file:
        x = torch.from_numpy(file["x"][:]).float() / 255
    generator, discriminator = make_players(name)
    # In a step a network is used more than once before or beside its backward pass: its buffers must not be
    # broadcast between, and where a pass has no gradient to sum, the network inside is called.
    spread = [distribute(player, broadcast_buffers=False, gradient_as_bucket_view=True)
              for player in (generator, discriminator)]
    learning, judging = spread
    optimizers = [torch.optim.Adam(player.parameters(), lr=RATE, betas=BETAS, foreach=False) for player in spread]
    criterion = nn.BCEWithLogitsLoss()

    def noise(rows):
        return torch.randn(len(rows), LATENT)

    def update(optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def step(rows):
        of_data, of_generated = torch.ones(len(rows), 1), torch.zeros(len(rows), 1)
        with torch.no_grad():
            generated = generator(noise(rows))
        update(optimizers[1], criterion(judging(x[rows]), of_data) + criterion(judging(generated), of_generated))
        discriminator.requires_grad_(False)
        update(optimizers[0], criterion(discriminator(learning(noise(rows))), of_data))
        discriminator.requires_grad_(True)

    return spread, step


if __name__ == "__main__":
    run(__doc__, NETWORKS, make_data, prepare)
