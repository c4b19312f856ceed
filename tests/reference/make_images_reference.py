"""Makes images_reference.h: the numbers of small networks for images as PyTorch computes them in double
precision, for test_reference.c to compare with: python3 make_images_reference.py > images_reference.h

PyTorch has images as [C][H][W] and filters as [F][C][K][K]; Lockstep has [H][W][C] between layers and
[K][K][C][F], of transposed convolutions [C][F][K][K] and [K][K][F][C]. What is printed is in Lockstep's order; only the input is [C][H][W]."""
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
ROWS, SHAPE, CLASSES = 6, (2, 6, 5), 3
NETWORKS = {
    "a": ("conv:5x3,1,1 gelu conv:4x3,1,1 batchnorm relu maxpool:2 conv:6x2,2 leaky-relu dense:3", "LS_CROSS_ENTROPY"),
    "b": ("conv:3x3 tanh avgpool:2 flatten dense:4 batchnorm sigmoid dense:3 softmax", "LS_MSE"),
    "c": ("conv:2x3,1,1 batchnorm relu :a conv:2x3,1,1 batchnorm +a relu :b conv:3x1,2 :c @b conv:2x3,2,1 "
          "maxpool:2 :d @c maxpool:2 tanh &d globalpool dense:3", "LS_CROSS_ENTROPY"),
    "d": ("conv:2x3,2 dense:24 leaky-relu:0.2 reshape:4x2x3 upsample:2 conv:3x4,2,1 batchnorm tanh dense:3", "LS_CROSS_ENTROPY"),
    "e": ("conv:4x3,2,1 deconv:5x4,2,1 leaky-relu deconv:2x3,1,1 batchnorm relu deconv:3x2,3 tanh conv:2x3,3 dense:3",
          "LS_CROSS_ENTROPY"),
}
NEXT_HAS_BIAS = {}


def flat(x):
    """The values of images in Lockstep's order."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1) if x.dim() == 4 else x


def numbers(argument):
    return [int(n) for n in argument.replace("x", ",").split(",")]


def make_params(model, generator):
    """Parameters in Lockstep's order and shapes, and whether each is a statistic."""
    words, params, named = model.split(), [], {}
    x = torch.zeros(1, *SHAPE)
    for i, word in enumerate(words):
        if word[0] in ":@+&":
            x = graph_word(word, x, named)
            continue
        name, _, argument = word.partition(":")
        shapes = []
        if name == "conv":
            filters, K = numbers(argument)[:2]
            shapes = [(K, K, x.shape[1], filters), (filters,)]
        elif name == "deconv":
            filters, K = numbers(argument)[:2]
            shapes = [(K, K, filters, x.shape[1]), (filters,)]
        elif name == "dense":
            shapes = [(flat(x).shape[1], int(argument)), (int(argument),)]
        elif name == "batchnorm":
            shapes = [(x.shape[1],)] * 4
        if name in ("conv", "deconv", "dense") and words[i + 1:i + 2] == ["batchnorm"]:
            shapes.pop()  # such a layer has no bias
        new = [(torch.rand(*s, generator=generator) - (0.0 if name == "batchnorm" else 0.5)).float().double() for s in shapes]
        params += [(p, name == "batchnorm" and k >= 2) for k, p in enumerate(new)]
        x, _, _ = layer(word, new, x, False)
    return params


def graph_word(word, x, named):
    """The current value after `:a`, `@a`, `+a` or `&a`."""
    if word[0] == ":":
        named[word[1:]] = x
        return x
    other = named[word[1:]]
    return {"@": lambda: other, "+": lambda: x + other, "&": lambda: torch.cat([x, other], 1)}[word[0]]()


def layer(word, params, x, training):
    """Output, parameters that are left, and the statistics that training leaves."""
    name, _, argument = word.partition(":")
    if name in ("conv", "deconv"):
        n = numbers(argument) + [1, 0][len(numbers(argument)) - 2:]
        bias = params[1] if NEXT_HAS_BIAS[word] else None
        product = F.conv2d if name == "conv" else F.conv_transpose2d
        y = product(x, params[0].permute(3, 2, 0, 1), bias, stride=n[2], padding=n[3])
        return y, params[1 if bias is None else 2:], None
    if name == "dense":
        bias = params[1] if NEXT_HAS_BIAS[word] else None
        y = flat(x) @ params[0] + (0 if bias is None else bias)
        return y, params[1 if bias is None else 2:], None
    if name == "batchnorm":
        scale, shift, mean, var = params[:4]
        new = mean.detach().clone(), var.detach().clone()
        y = F.batch_norm(x, *new, scale, shift, training, momentum=1.0)  # 1: the batch's own statistics
        return y, params[4:], new
    y = {"gelu": F.gelu, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
         "leaky-relu": lambda z: F.leaky_relu(z, float(argument or 0.01)), "flatten": flat,
         "reshape": lambda z: z.view(len(z), *numbers(argument)),
         "upsample": lambda z: F.interpolate(z, scale_factor=int(argument), mode="nearest"),
         "softmax": lambda z: torch.softmax(z, 1),
         "globalpool": lambda z: z.mean((2, 3)),
         "maxpool": lambda z: F.max_pool2d(z, int(argument)),
         "avgpool": lambda z: F.avg_pool2d(z, int(argument))}[name](x)
    return y, params, None


def forward(model, params, x, training):
    outputs, statistics, named = [], [], {}
    for word in model.split():
        if word[0] in ":@+&":
            x = graph_word(word, x, named)
            if word[0] in "+&":
                outputs.append(x)
            continue
        x, params, new = layer(word, params, x, training)
        outputs.append(x)
        if new is not None:
            statistics.append(new)
    return outputs, statistics


def loss_of(kind, output, labels):
    if kind == "LS_CROSS_ENTROPY":
        return F.cross_entropy(output, labels, reduction="sum")
    return ((output - F.one_hot(labels, CLASSES).double()) ** 2).mean(1).sum()


def array(name, tensors):
    values = torch.cat([t.detach().reshape(-1) for t in tensors]).tolist()
    lines = [", ".join("%.10g" % v for v in values[i:i + 4]) for i in range(0, len(values), 4)]
    return "static const double %s[] = {\n    %s};\n" % (name, ",\n    ".join(lines))


generator = torch.Generator().manual_seed(21)
x = (torch.rand(ROWS, *SHAPE, generator=generator) * 2 - 1).float().double()
labels = [0, 2, 1, 1, 0, 2]
print("/* Made by make_images_reference.py with PyTorch %s. Not edited by hand. */" % torch.__version__)
print(array("images_x", [x]))
for key, (model, kind) in NETWORKS.items():
    words = model.split()
    NEXT_HAS_BIAS = {w: words[i + 1:i + 2] != ["batchnorm"] for i, w in enumerate(words)}
    start = make_params(model, generator)
    params = [p.clone().requires_grad_(not tracks) for p, tracks in start]
    inputs = x.clone().requires_grad_()
    outputs, statistics = forward(model, params, inputs, True)
    loss = loss_of(kind, outputs[-1], torch.tensor(labels))
    loss.backward()
    new = [s for pair in statistics for s in pair]
    # A statistic's gradient is how far it lies above the batch's, times the rows.
    grads = [ROWS * (p - new.pop(0)) if tracks else p.grad for p, (_, tracks) in zip(params, start)]
    later, _ = forward(model, params, x, False)
    print('#define IMAGES_MODEL_%s "%s"' % (key.upper(), model))
    print("#define IMAGES_LOSS_%s %s" % (key.upper(), kind))
    print("#define IMAGES_LAYERS_%s %d\n" % (key.upper(), len(outputs)))
    print(array("images_%s_params" % key, [p for p, _ in start]))
    print(array("images_%s_outputs" % key, [flat(y) for y in outputs]))
    print(array("images_%s_loss" % key, [loss]))
    print(array("images_%s_grads" % key, grads))
    print(array("images_%s_dx" % key, [flat(inputs.grad)]))
    print(array("images_%s_later" % key, [later[-1]]))
