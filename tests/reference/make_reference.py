"""Makes reference.h: the numbers of small networks as PyTorch computes them in double precision,
for test_reference.c to compare with. Run with any PyTorch: python3 make_reference.py > reference.h

Activations and gradients come from autograd; the optimizers are torch.optim's. Ten full-batch steps,
the gradient being the mean over the rows."""
import torch

torch.set_default_dtype(torch.float64)
ROWS, FEATURES, CLASSES, STEPS = 6, 5, 3, 10


def inputs(generator):
    x = torch.rand(ROWS, FEATURES, generator=generator) * 2 - 1
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    return x.float().double(), labels  # exact in float, so that both sides start alike


def layers(model):
    units = FEATURES
    for word in model.split():
        name, _, argument = word.partition(":")
        if name == "dense":
            yield name, units, int(argument)
            units = int(argument)
        else:
            yield name, units, units


def forward(model, params, x):
    """All activations; a final softmax is not applied under cross-entropy."""
    outputs, at = [], 0
    for name, _, _ in layers(model):
        if name == "dense":
            x = x @ params[at] + params[at + 1]
            at += 2
        else:
            x = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
                 "softmax": lambda z: torch.softmax(z, 1)}[name](x)
        outputs.append(x)
    return outputs


def loss_of(kind, output, labels):
    """Sum over the rows."""
    if kind == "LS_CROSS_ENTROPY":
        return torch.nn.functional.cross_entropy(output, labels, reduction="sum")
    target = torch.nn.functional.one_hot(labels, CLASSES).double()
    return ((output - target) ** 2).mean(1).sum()


def array(name, tensors):
    values = torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()
    lines = [", ".join("%.17g" % v for v in values[i:i + 4]) for i in range(0, len(values), 4)]
    return "static const double %s[] = {\n    %s};\n" % (name, ",\n    ".join(lines))


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adam_l2": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
}
NETWORKS = {
    "a": ("dense:4 tanh dense:6 relu dense:3", "LS_CROSS_ENTROPY"),
    "b": ("dense:7 sigmoid dense:3 softmax", "LS_MSE"),
}

generator = torch.Generator().manual_seed(20)
print("/* Made by make_reference.py with PyTorch %s. Not edited by hand. */" % torch.__version__)
x, labels = inputs(generator)
print(array("reference_x", [x]))
print("static const int reference_labels[] = {%s};\n" % ", ".join(map(str, labels.tolist())))
for key, (model, kind) in NETWORKS.items():
    start = []
    for name, fan_in, fan_out in layers(model):
        if name == "dense":
            for shape in ((fan_in, fan_out), (fan_out,)):
                start.append((torch.rand(*shape, generator=generator) - 0.5).float().double())
    params = [p.clone().requires_grad_() for p in start]
    outputs = forward(model, params, x)
    loss = loss_of(kind, outputs[-1], labels)
    loss.backward()
    print("#define REFERENCE_MODEL_%s \"%s\"" % (key.upper(), model))
    print("#define REFERENCE_LOSS_%s %s\n" % (key.upper(), kind))
    print(array("reference_%s_params" % key, start))
    for i, output in enumerate(outputs):
        print(array("reference_%s_output%d" % (key, i), [output]))
    print(array("reference_%s_loss" % key, [loss]))
    print(array("reference_%s_grads" % key, [p.grad for p in params]))
    for name, make in OPTIMIZERS.items():
        params = [p.clone().requires_grad_() for p in start]
        optimizer = make(params)
        for _ in range(STEPS):
            optimizer.zero_grad()
            (loss_of(kind, forward(model, params, x)[-1], labels) / ROWS).backward()
            optimizer.step()
        print(array("reference_%s_after_%s" % (key, name), params))
