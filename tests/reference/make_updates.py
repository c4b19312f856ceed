"""Makes updates.h: what the optimizers that PyTorch lacks, clipping and averaging make of a few
parameters, for test_optimizer.c to compare with. Run: python3 make_updates.py > updates.h

Written from the papers alone (see src/nn/optimizer.h and include/lockstep/optimizer.h), tensor by tensor, in plain double
precision: no library, no arena. Gradients are sums over ROWS rows."""
import math
import random

ROWS, STEPS = 4, 7
# name, shape, True for a running statistic; the second matrix begins with zeros, whose norm is 0.
TABLE = [("w1", (5, 4), False), ("b1", (4,), False), ("mean", (3,), True), ("w2", (4, 3), False),
         ("b2", (3,), False)]
CASES = {
    "sgd_clip": dict(kind="sgd", lr=0.1, momentum=0.9, clip=0.7),
    "adam_clip_ema": dict(kind="adam", lr=0.01, clip=0.5, decay=0.1, ema=0.4),
    "adamw": dict(kind="adamw", lr=0.01, decay=0.1, ema=0.999),
    "lars": dict(kind="lars", lr=0.5, momentum=0.9, trust=0.02, decay=0.01),
    "lars_clip": dict(kind="lars", lr=0.5, momentum=0.8, trust=0.02, decay=0.1, clip=0.6),
    "lamb": dict(kind="lamb", lr=0.02, decay=0.1),
    "lamb_clip_ema": dict(kind="lamb", lr=0.02, decay=0.01, clip=0.5, ema=0.3),
}
BETA1, BETA2, EPSILON = 0.8, 0.95, 1e-6

random.seed(7)


def single(x):
    """A number that is exact as a float: a multiple of 2^-12."""
    return round(x * 4096) / 4096


def size(shape):
    return math.prod(shape)


def norm(values):
    return math.sqrt(sum(x * x for x in values))


START = [[0.0 if name == "w2" else single(random.uniform(-1, 1)) for _ in range(size(shape))]
         for name, shape, _ in TABLE]
GRADS = [[[single(random.gauss(0, 2)) for _ in range(size(shape))] for _, shape, _ in TABLE]
         for _ in range(STEPS)]


def step_of(case, p, g, matrix, state, t):
    """The new values of one tensor, as its old ones minus a step."""
    kind, lr, decay = case["kind"], case["lr"], case.get("decay", 0)
    layerwise = kind in ("lars", "lamb")
    if layerwise and not matrix:
        decay = 0
    if kind in ("sgd", "lars"):
        ratio = 1
        if kind == "lars" and matrix and norm(p) > 0 and norm(g) > 0:
            ratio = case["trust"] * norm(p) / (norm(g) + decay * norm(p))
        v = state.setdefault("v", [0.0] * len(p))
        for i, x in enumerate(g):
            v[i] = case["momentum"] * v[i] + lr * ratio * (x + decay * p[i])
        return [x - y for x, y in zip(p, v)]
    if kind == "adam":
        g = [x + decay * y for x, y in zip(g, p)]
    m = state.setdefault("m", [0.0] * len(p))
    v = state.setdefault("v", [0.0] * len(p))
    r = []
    for i, x in enumerate(g):
        m[i] = BETA1 * m[i] + (1 - BETA1) * x
        v[i] = BETA2 * v[i] + (1 - BETA2) * x * x
        r.append(m[i] / (1 - BETA1 ** t) / (math.sqrt(v[i] / (1 - BETA2 ** t)) + EPSILON))
    if kind in ("adamw", "lamb"):
        r = [x + decay * y for x, y in zip(r, p)]
    ratio = norm(p) / norm(r) if kind == "lamb" and matrix and norm(p) > 0 and norm(r) > 0 else 1
    return [x - lr * ratio * y for x, y in zip(p, r)]


def run(case):
    params = [list(p) for p in START]
    average = [list(p) for p in START]
    states = [{} for _ in TABLE]
    for t in range(1, STEPS + 1):
        grads = [[x / ROWS for x in g] for g in GRADS[t - 1]]
        whole = norm([x for g, (_, _, tracks) in zip(grads, TABLE) if not tracks for x in g])
        clip = case.get("clip", math.inf)
        factor = clip / whole if whole > clip else 1
        decay = min(case.get("ema", 0), (1 + t) / (10 + t))
        for k, (_, shape, tracks) in enumerate(TABLE):
            if tracks:
                params[k] = [p - 0.1 * g for p, g in zip(params[k], grads[k])]
            else:
                params[k] = step_of(case, params[k], [factor * g for g in grads[k]],
                                    len(shape) > 1, states[k], t)
            average[k] = [decay * a + (1 - decay) * p for a, p in zip(average[k], params[k])]
    return params, average


def array(name, tensors):
    values = [x for t in tensors for x in t]
    lines = [", ".join("%.17g" % v for v in values[i:i + 4]) for i in range(0, len(values), 4)]
    return "static const double %s[] = {\n    %s};\n" % (name, ",\n    ".join(lines))


print("/* Made by make_updates.py. Not edited by hand. */")
print("enum { UPDATES_ROWS = %d, UPDATES_STEPS = %d, UPDATES_COUNT = %d };\n"
      % (ROWS, STEPS, sum(size(s) for _, s, _ in TABLE)))
print(array("updates_start", START))
print(array("updates_grads", [t for g in GRADS for t in g]))
for name, case in CASES.items():
    params, average = run(case)
    print(array("updates_" + name, params))
    if "ema" in case:
        print(array("updates_%s_average" % name, average))
