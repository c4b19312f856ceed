"""Makes files in the formats that `import` reads, with Python's own library: make_sources.py FORMAT FOLDER."""
import gzip
import os
import random
import struct
import sys
import zlib

random.seed(7)


def write(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    opened = gzip.open(path, "wb") if path.endswith(".gz") else open(path, "wb")
    with opened as file:
        file.write(content)


def pixel(label, channel, y, x, size):
    """A class is a bright square at its own place, with noise."""
    at = label * 7 % (size * size)
    near = abs(y - at // size) < 4 and abs(x - at % size) < 4
    return (200 if near else 20) + (channel * 9 + random.randrange(30)) % 50


def cifar(folder, ten, rows=60):
    """Records of labels and 3 x 32 x 32 pixels."""
    def record(i):
        label = i % (10 if ten else 100)
        labels = [label] if ten else [label // 5, label]
        return bytes(labels + [pixel(label % 10, c, y, x, 32) for c in range(3) for y in range(32) for x in range(32)])
    names = ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"] if ten else ["train.bin", "test.bin"]
    for name in names:
        write(f"{folder}/{name}", b"".join(record(i) for i in range(rows if ten else 100)))
    if ten:
        write(f"{folder}/batches.meta.txt", b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n")
    else:
        write(f"{folder}/fine_label_names.txt", "".join(f"fine{i}\n" for i in range(100)).encode())
        write(f"{folder}/coarse_label_names.txt", "".join(f"coarse{i}\n" for i in range(20)).encode())


def emnist(folder, split="letters", rows=104):
    """IDX files of transposed images; the letters count from 1."""
    for part in ("train", "test"):
        labels = bytes(1 + i % 26 for i in range(rows))
        images = bytes(pixel(label, 0, y, x, 28) for label in labels for x in range(28) for y in range(28))
        write(f"{folder}/emnist-{split}-{part}-images-idx3-ubyte.gz", struct.pack(">4B3I", 0, 0, 8, 3, rows, 28, 28) + images)
        write(f"{folder}/emnist-{split}-{part}-labels-idx1-ubyte.gz", struct.pack(">4BI", 0, 0, 8, 1, rows) + labels)
    lines = "".join(f"{k} {64 + k} {96 + k}\n" for k in range(1, 27))
    write(f"{folder}/emnist-{split}-mapping.txt", lines.encode())


def png(height, width, channels, value):
    """A PNG of 8 bits; value(y, x, c)."""
    rows = b"".join(b"\0" + bytes(value(y, x, c) for x in range(width) for c in range(channels)) for y in range(height))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pictures(folder, rows=20):
    """FOLDER/grey: train and test of three classes; FOLDER/mixed: other sizes and colours."""
    for part in ("train", "val", "test"):
        for k, name in enumerate(("cat", "dog", "zebra")):
            for i in range(rows):
                write(f"{folder}/grey/{part}/{name}/{i:03}.png", png(9, 8, 1, lambda y, x, c, k=k: pixel(9 * k, c, y, x, 9)))
    write(f"{folder}/grey/train/cat/notes.txt", b"no picture")
    write(f"{folder}/mixed/red/a.png", png(6, 4, 3, lambda y, x, c: [250, 10, 20][c]))
    write(f"{folder}/mixed/red/b.PNG", png(12, 8, 3, lambda y, x, c: [240, 10, 20][c] if y % 2 else [250, 30, 20][c]))
    write(f"{folder}/mixed/white/a.png", png(3, 2, 4, lambda y, x, c: 0))
    write(f"{folder}/mixed/white/b.png", png(6, 4, 1, lambda y, x, c: 255))


def arrays(folder):
    """NumPy's arrays, by NumPy."""
    import numpy as np
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(3)
    x, labels = rng.normal(size=(40, 6)), np.arange(40) % 4
    images = rng.integers(0, 256, (40, 3, 5, 4), dtype=np.uint8)

    def save(name, array):
        np.save(f"{folder}/{name}.npy", array)
    for kind in ("<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "i1", "<i2", ">i2", "<u2", ">i4", "<u4", ">i8", "u1"):
        save("x_" + kind.replace("<", "l").replace(">", "b"), (10 * x).astype(kind))
    save("x_columns", np.asfortranarray(x.astype("f4")))
    save("images", images)
    save("images_columns", np.asfortranarray(images.astype(">i2")))
    save("labels", labels)
    save("labels_column", labels.astype(">i4").reshape(-1, 1))
    save("bool", labels > 1)
    save("values", (x @ np.ones(6)).astype(">f8"))
    save("onehot", np.eye(4, dtype=np.int16)[labels])
    save("negative", labels - 1)
    for name, number in ("nan", np.nan), ("large", 1e300):
        wrong = x.copy()
        wrong[7, 2] = number
        save(name, wrong)
        np.savez(f"{folder}/own_{name}.npz", x=wrong, y=labels)
    wrong = np.ones((40, 2, 3), "f2")
    wrong[0, 1, 2] = np.inf
    save("infinite", np.asfortranarray(wrong))
    save("y_inf", np.where(np.arange(40) == 9, -np.inf, 1).astype(">f4"))
    save("short", labels[:30])
    save("objects", np.array([1, None] * 20, dtype=object))
    save("texts", np.array(["a", "b"] * 20))
    save("complex", x.astype("c8"))
    save("u8", labels.astype("u8"))
    save("records", np.zeros(40, dtype=[("a", "f4"), ("b", "i4")]))
    save("single", np.float32(3))
    save("none", np.zeros((0, 6), "f4"))
    save("many", np.zeros((40, 1, 1, 1, 2), "f4"))
    half = {"x_train": images[:30], "y_train": labels[:30], "x_test": images[30:], "y_test": labels[30:]}
    np.savez(f"{folder}/stored.npz", **half)
    np.savez_compressed(f"{folder}/deflated.npz", **half)
    np.savez_compressed(f"{folder}/med.npz", train_images=images, train_labels=labels.reshape(-1, 1), val_images=images[:9],
                        val_labels=labels[:9].reshape(-1, 1), test_images=images[:7], test_labels=labels[:7].reshape(-1, 1))
    np.savez(f"{folder}/own.npz", inputs=x, outputs=x[:, :2])


makers = {"arrays": arrays, "cifar10": lambda folder: cifar(folder, True), "cifar100": lambda folder: cifar(folder, False),
          "emnist": emnist, "pictures": pictures}
if __name__ == "__main__":
    makers[sys.argv[1]](sys.argv[2])
