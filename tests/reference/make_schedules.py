"""Makes schedules.h: learning rates as PyTorch's schedulers give them, for test_schedule.c to compare
with. python3 make_schedules.py > schedules.h

The formulas are those of the chained or closed forms in torch.optim.lr_scheduler (StepLR,
CosineAnnealingLR, OneCycleLR, LinearLR's idea of a warmup), written down anew with plain floats; a
warmup of W steps takes (s + 1) / W of a rate, and the cosine begins where it ends."""
import math

LR = 0.4


def step(s, per_epoch, size, gamma):
    """StepLR, one scheduler step an epoch."""
    lr = LR
    for epoch in range(1, s // per_epoch + 1):
        if epoch % size == 0:
            lr *= gamma
    return lr


def cosine(s, total, end):
    """CosineAnnealingLR, closed form, one scheduler step a step."""
    return end + (LR - end) * (1 + math.cos(math.pi * s / total)) / 2


def one_cycle(s, total, end, pct_start=0.3, div_factor=25.0):
    """OneCycleLR, two phases, anneal_strategy cos."""
    def anneal(start, stop, pct):
        return stop + (start - stop) / 2.0 * (math.cos(math.pi * pct) + 1)
    phases = [(float(pct_start * total) - 1, LR / div_factor, LR), (total - 1, LR, end)]
    begin = 0
    for i, (finish, start, stop) in enumerate(phases):
        if s <= finish or i == len(phases) - 1:
            return anneal(start, stop, (s - begin) / (finish - begin))
        begin = finish


def warm(rate, s, steps):
    return rate * (s + 1) / steps if s + 1 < steps else rate


PER_EPOCH, EPOCHS = 7, 6
TOTAL = PER_EPOCH * EPOCHS
CASES = {
    "step": [step(s, PER_EPOCH, 2, 0.1) for s in range(TOTAL)],
    "step_warm": [warm(step(s, PER_EPOCH, 1, 0.7), s, 10.5) for s in range(TOTAL)],
    "cosine": [cosine(s, TOTAL, 0) for s in range(TOTAL)],
    "cosine_warm": [warm(LR if s < 14 else cosine(s - 14, TOTAL - 14, LR * 0.05), s, 14)
                    for s in range(TOTAL)],
    "onecycle": [one_cycle(s, TOTAL, LR / 25 / 1e4) for s in range(TOTAL)],
    "onecycle_short": [one_cycle(s, PER_EPOCH, LR * 0.01) for s in range(PER_EPOCH)],
}
print("/* Made by make_schedules.py. Not edited by hand. */")
print("enum { SCHEDULE_PER_EPOCH = %d, SCHEDULE_EPOCHS = %d };" % (PER_EPOCH, EPOCHS))
print("#define SCHEDULE_LR %g" % LR)
for name, rates in CASES.items():
    values = ["%.17g" % rate for rate in rates]
    lines = [", ".join(values[i:i + 4]) for i in range(0, len(values), 4)]
    print("\nstatic const double schedule_%s[] = {\n    %s};" % (name, ",\n    ".join(lines)))
