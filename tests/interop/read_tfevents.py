"""Reads the event files of a run folder, independently of Lockstep, and compares them with its metrics.csv.

    read_tfevents.py RUN FOLDER_OF_TFEVENTS_PROTO [--any-end]

Framing is checked here, messages are decoded by protoc. Each number of metrics.csv must be in the files exactly once, at
its epoch, and nothing else; --any-end: not yet, or no longer, for epochs at the end, as after a kill. Prints a line with
the numbers of files, epochs and scalars.
"""
import csv
import datetime
import glob
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

try:
    from crc32c import crc32c
except ImportError:

    def crc32c(data):
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    data = open(path, "rb").read()
    at = 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        assert check == masked(data[at : at + 8]), f"{path}: wrong checksum of the length at byte {at}"
        payload = data[at + 12 : at + 12 + length]
        (check,) = struct.unpack_from("<I", data, at + 12 + length)
        assert check == masked(payload), f"{path}: wrong checksum of the record at byte {at}"
        yield payload
        at += 16 + length


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def decode(path, protos):
    """Returns the text of each event, as protoc prints it."""
    packed = b"".join(b"\n" + varint(len(r)) + r for r in records(path))
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/all.proto", "w") as f:
            f.write('syntax = "proto2"; import "tfevents.proto"; message All { repeated tensorboard.Event event = 1; }')
        text = subprocess.run(
            ["protoc", "-I" + folder, "-I" + protos, "--decode=All", "all.proto"], input=packed, stdout=subprocess.PIPE, check=True
        ).stdout.decode()
    assert not re.search(r"^ *[0-9]+[:{ ]", text, re.M), "a field that the .proto does not know"
    return re.split(r"^event \{\n", text, flags=re.M)[1:]


def number(text, field, default=None):
    found = re.search(rf"^ *{field}: (\S+)$", text, re.M)
    return float(found.group(1)) if found else default


def read(path, protos, scalars):
    """Adds a file's scalars to {(epoch, tag): [(value, time)]}. Returns its texts as {tag: text}."""
    version, start, *rest = decode(path, protos)
    assert 'file_version: "brain.Event:2"' in version, "the first event is the version"
    assert "status: START" in start and number(start, "step", 0) == 0, "the second event is a start"
    texts = {}
    last = number(version, "wall_time")
    for event in rest:
        time, step = number(event, "wall_time"), int(number(event, "step"))
        assert last <= time, f"{path}: time goes back at step {step}"
        last = time
        for value in event.split("    value {\n")[1:]:
            tag = re.search(r'^ *tag: "(.*)"$', value, re.M).group(1)
            if "simple_value" in value:
                scalars.setdefault((step, tag), []).append((number(value, "simple_value"), time))
            else:
                assert 'plugin_name: "text"' in value and "dtype: DT_STRING" in value and step == 0
                texts[tag] = re.search(r'string_val: "(.*)"', value).group(1)
    return texts


def tag_of(column, columns):
    if column.startswith("val_"):
        return "validation", column[4:]
    plain = column == "lr" or "val_" + column in columns
    return "train", column if plain else "speed/" + column


def main():
    run, protos = sys.argv[1:3]
    any_end = "--any-end" in sys.argv
    rows = list(csv.DictReader(open(run + "/metrics.csv")))
    ends = {}
    for line in open(run + "/events.jsonl"):
        event = json.loads(line) if line.endswith("\n") else {}
        if event.get("event") == "epoch":
            ends[event["epoch"]] = datetime.datetime.strptime(event["time"] + "+0000", "%Y-%m-%dT%H:%M:%SZ%z").timestamp()
    expected = {"train": {}, "validation": {}}
    for row in rows:
        for column, text in row.items():
            if column != "epoch" and text:
                part, tag = tag_of(column, row)
                expected[part][int(row["epoch"]), tag] = float(text)
    files = total = 0
    for part, want in expected.items():
        paths = glob.glob(f"{run}/tensorboard/{part}/*")
        assert len(paths) == (1 if want else 0), f"files of {part}: {paths}"
        if not paths:
            continue
        assert re.fullmatch(r"events\.out\.tfevents\.\d{10}\.lockstep", os.path.basename(paths[0])), paths
        scalars = {}
        texts = read(paths[0], protos, scalars)
        assert list(texts) == (["configuration"] if part == "train" else []), texts
        assert part != "train" or "\\n    epochs = " in texts["configuration"], texts
        for key, values in scalars.items():
            assert len(values) == 1, f"{part} {key} is there {len(values)} times"
            if any_end and key[0] > len(rows):
                continue
            (value, time), = values
            assert abs(value - want[key]) <= 1.3e-7 * abs(want[key]), f"{part} {key}: {value}, not {want[key]}"
            if key[0] in ends:
                assert abs(time - ends[key[0]]) <= 2, f"{part} {key}: time {time}, not {ends[key[0]]}"
        missing = [key for key in want if key not in scalars and not (any_end and key[0] == len(rows))]
        assert not missing, f"{part}: missing: {missing[:5]}"
        files += 1
        total += len(scalars)
    print(f"{files} files, {len(rows)} epochs, {total} scalars")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(f"read_tfevents.py: {error}")
