"""Makes variational.h: loss, divergence and gradients of a small variational autoencoder as PyTorch computes them in
double precision, for test_gaussian.c to compare with. Run with any PyTorch:
python3 make_variational.py > variational.h

The numbers of the normal distribution are those of base/rng.h, which are computed here from its formulas. The divergence
is torch.distributions' of two normal distributions; gradients come from autograd."""
import math

import torch

torch.set_default_dtype(torch.float64)
ROWS, FEATURES, HIDDEN, LATENT, BETA, KEY, FIRST_ID, LAYER = 6, 5, 4, 3, 2, 11, 100, 3
MASK = (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
    return z ^ (z >> 31)


def at(key, index):
    return mix((key + (index + 1) * 0x9e3779b97f4a7c15) & MASK)


def uniform(key, index):
    return (at(key, index) >> 11) * 2.0**-53


def normal(key, index):
    return math.sqrt(-2 * math.log(1 - uniform(key, 2 * index))) * math.cos(2 * math.pi * uniform(key, 2 * index + 1))


def array(name, tensors):
    values = torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()
    lines = [", ".join("%.17g" % v for v in values[i:i + 4]) for i in range(0, len(values), 4)]
    return "static const double %s[] = {\n    %s};\n" % (name, ",\n    ".join(lines))


def random(*shape):  # exact in float, so that both sides start alike
    return torch.rand(*shape, generator=generator).float().double()


generator = torch.Generator().manual_seed(21)
layer = at(KEY, LAYER)
noise = torch.tensor([[normal(at(layer, FIRST_ID + row), i) for i in range(LATENT)] for row in range(ROWS)])
x = random(ROWS, FEATURES)
sizes = [(FEATURES, HIDDEN), (HIDDEN, 2 * LATENT), (LATENT, HIDDEN), (HIDDEN, FEATURES)]
start = [p for size in sizes for p in (random(*size) - 0.5, random(size[1]) - 0.5)]
print("/* Made by make_variational.py with PyTorch %s. Not edited by hand. */" % torch.__version__)
print('#define VARIATIONAL_MODEL "dense:%d tanh dense:%d gaussian:%d dense:%d tanh dense:%d"'
      % (HIDDEN, 2 * LATENT, BETA, HIDDEN, FEATURES))
print("enum { VARIATIONAL_ROWS = %d, VARIATIONAL_FEATURES = %d, VARIATIONAL_KEY = %d, VARIATIONAL_ID = %d };\n"
      % (ROWS, FEATURES, KEY, FIRST_ID))
print(array("variational_x", [x]))
print(array("variational_params", start))
for loss in "bce", "mse":
    w = [p.clone().requires_grad_() for p in start]
    mean, log_variance = (torch.tanh(x @ w[0] + w[1]) @ w[2] + w[3]).split(LATENT, 1)
    posterior = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    z = mean + posterior.scale * noise
    y = torch.tanh(z @ w[4] + w[5]) @ w[6] + w[7]
    reconstruction = (torch.nn.functional.binary_cross_entropy_with_logits(y, x, reduction="sum") if loss == "bce"
                      else ((y - x)**2).sum())
    divergence = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum()
    total = reconstruction + BETA * divergence
    total.backward()
    print("/* loss, reconstruction, divergence: sums over the rows */")
    print(array("variational_%s_sums" % loss, [total, reconstruction, divergence]))
    print(array("variational_%s_grads" % loss, [p.grad for p in w]))
