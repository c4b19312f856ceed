"""Makes sequences_reference.h: the numbers of small networks for sequences as PyTorch's own modules compute them in
double precision, for test_sequences_reference.c to compare with: python3 make_sequences_reference.py >
sequences_reference.h

Inputs, labels and initial parameters follow from `value`, so that they need not be stored; of gradients and parameters
every STRIDE-th is. Ten full-batch steps of Adam, the gradient being the mean over the rows. Rows have several lengths.
Parameters are in Lockstep's order and shapes. PyTorch's LSTM has two biases, of which the second stays 0 here; its GRU
has the gates in the order r, z, n, Lockstep z, r, n."""
import numpy
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
STEPS, CLASSES, STRIDE, LR, EPSILON = 10, 3, 61, 0.01, 1e-3


def value(k):
    """Number k of the inputs or parameters: from -0.5 to 0.5, rounded to float."""
    return ((k * 7919 + 2017) % 10007 / 10007 - 0.5).astype(numpy.float32).astype(numpy.float64)


class Arena:
    """Parameters in Lockstep's order, each from `value`; and where each is in PyTorch's modules."""

    def __init__(self):
        self.parts, self.at = [], 0

    def add(self, shape, targets):
        """targets: [(parameter, how)]: what PyTorch's tensor is of a part of Lockstep's."""
        count = int(numpy.prod(shape))
        start = torch.tensor(value(numpy.arange(self.at, self.at + count)).reshape(shape))
        self.at += count
        with torch.no_grad():
            for parameter, there, _ in targets:
                parameter.copy_(there(start))
        self.parts.append((shape, targets))

    def gather(self, pick):
        """The values that pick(parameter) gives, in Lockstep's order."""
        all_parts = []
        for shape, targets in self.parts:
            part = torch.zeros(shape)
            for parameter, _, back in targets:
                back(part, pick(parameter).detach())
            all_parts.append(part.reshape(-1))
        return torch.cat(all_parts)


def same(parameter):
    return [(parameter, lambda t: t, lambda part, p: part.copy_(p))]


def transposed(parameter):
    return [(parameter, lambda t: t.T, lambda part, p: part.copy_(p.T))]


def swapped(t):
    """Columns or elements of z, r, n as r, z, n, and back."""
    z, r, n = t.chunk(3, -1)
    return torch.cat([r, z, n], -1)


def swapped_transposed(parameter):
    return [(parameter, lambda t: swapped(t).T, lambda part, p: part.copy_(swapped(p.T)))]


def row(parameter, k):
    return (parameter, lambda t: swapped(t[k]), lambda part, p: part[k].copy_(swapped(p)))


class Recurrent(torch.nn.Module):
    """Two bidirectional layers of different width; the last states, then a dense layer."""

    def __init__(self, kind, inputs, first, second):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            [kind(i, h, bidirectional=True, batch_first=True) for i, h in ((inputs, first), (2 * first, second))])
        self.dense = torch.nn.Linear(2 * second, CLASSES)
        self.gru = kind is torch.nn.GRU

    def add_to(self, arena):
        for layer in self.layers:
            for end in ("_l0", "_l0_reverse"):
                w, u, b, c = (getattr(layer, n + end) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
                if self.gru:
                    arena.add(tuple(w.T.shape), swapped_transposed(w))
                    arena.add(tuple(u.T.shape), swapped_transposed(u))
                    arena.add((2, len(b)), [row(b, 0), row(c, 1)])
                    continue
                arena.add(tuple(w.T.shape), transposed(w))
                arena.add(tuple(u.T.shape), transposed(u))
                arena.add(tuple(b.shape), same(b))
                c.requires_grad_(False)
                c.zero_()
        arena.add(tuple(self.dense.weight.T.shape), transposed(self.dense.weight))
        arena.add(tuple(self.dense.bias.shape), same(self.dense.bias))

    def forward(self, x, lengths):
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        packed, _ = self.layers[0](packed)
        _, state = self.layers[1](packed)
        state = state if self.gru else state[0]
        return self.dense(torch.cat([state[0], state[1]], 1))


class Block(torch.nn.Module):
    """A transformer's block, the mean of the steps, a dense layer."""

    def __init__(self, features, heads, hidden, causal):
        super().__init__()
        self.block = torch.nn.TransformerEncoderLayer(features, heads, hidden, dropout=0.0, activation="gelu",
                                                      batch_first=True, norm_first=True)
        self.dense = torch.nn.Linear(features, CLASSES)
        self.causal = causal

    def add_to(self, arena):
        b = self.block
        for t in (b.norm1.weight, b.norm1.bias):
            arena.add(tuple(t.shape), same(t))
        for linear in ((b.self_attn.in_proj_weight, b.self_attn.in_proj_bias),
                       (b.self_attn.out_proj.weight, b.self_attn.out_proj.bias)):
            arena.add(tuple(linear[0].T.shape), transposed(linear[0]))
            arena.add(tuple(linear[1].shape), same(linear[1]))
        for t in (b.norm2.weight, b.norm2.bias):
            arena.add(tuple(t.shape), same(t))
        for linear in (b.linear1, b.linear2, self.dense):
            arena.add(tuple(linear.weight.T.shape), transposed(linear.weight))
            arena.add(tuple(linear.bias.shape), same(linear.bias))

    def forward(self, x, lengths):
        T = x.shape[1]
        valid = torch.arange(T)[None, :] < lengths[:, None]
        mask = torch.triu(torch.ones(T, T, dtype=torch.bool), 1) if self.causal else None
        y = self.block(x, src_mask=mask, src_key_padding_mask=~valid)
        y = torch.where(valid[:, :, None], y, torch.zeros(()))
        return self.dense(y.sum(1) / lengths[:, None])


def array(name, tensor):
    values = tensor.detach().reshape(-1).tolist()
    lines = [", ".join("%.9g" % v for v in values[i:i + 6]) for i in range(0, len(values), 6)]
    return "static const double %s[] = {\n    %s};\n" % (name, ",\n    ".join(lines))


CASES = {
    "lstm": ("lstm:18,all,both lstm:5,both dense:3", 7, 5, 9, lambda: Recurrent(torch.nn.LSTM, 5, 18, 5)),
    "gru": ("gru:18,all,both gru:5,both dense:3", 7, 5, 9, lambda: Recurrent(torch.nn.GRU, 5, 18, 5)),
    "block": ("sequence :a layernorm attention:4 +a :b layernorm dense:40 gelu dense:24 +b meanpool dense:3", 4, 24, 70,
              lambda: Block(24, 4, 40, False)),
    "causal": ("sequence :a layernorm attention:4,causal +a :b layernorm dense:40 gelu dense:24 +b meanpool dense:3", 4, 24, 70,
               lambda: Block(24, 4, 40, True)),
}
print("/* Made by make_sequences_reference.py with PyTorch %s. Not edited by hand. */" % torch.__version__)
print("enum { SEQUENCES_STEPS = %d, SEQUENCES_CLASSES = %d, SEQUENCES_STRIDE = %d };" % (STEPS, CLASSES, STRIDE))
print("#define SEQUENCES_LR %g\n#define SEQUENCES_EPSILON %g\n" % (LR, EPSILON))
for name, (model, rows, features, steps, make) in CASES.items():
    lengths = torch.tensor([steps - steps * r // rows for r in range(rows)])
    labels = torch.arange(rows) % CLASSES
    x = torch.tensor(2 * value(numpy.arange(rows * steps * features) + 100000).reshape(rows, steps, features))
    x.requires_grad_()
    module, arena = make(), Arena()
    module.train()
    with torch.no_grad():
        module.add_to(arena)
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=LR, eps=EPSILON)
    losses = []
    print('#define SEQUENCES_%s "%s"' % (name.upper(), model))
    for step in range(STEPS):
        optimizer.zero_grad()
        y = module(x, lengths)
        loss = F.cross_entropy(y, labels, reduction="sum")
        (loss / rows).backward()
        losses.append(loss / rows)
        if step == 0:
            print(array(name + "_outputs", y))
            print(array(name + "_grads", rows * arena.gather(lambda p: p.grad)[::STRIDE]))
            print(array(name + "_dx", rows * x.grad.reshape(-1)[::STRIDE]))
        optimizer.step()
    print(array(name + "_losses", torch.stack(losses)))
    print(array(name + "_after", arena.gather(lambda p: p)[::STRIDE]))
