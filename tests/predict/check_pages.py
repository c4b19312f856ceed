"""Classes of pages against labels and the accuracy of `eval`. check_pages.py FILE.h5 EVALUATION.json PAGES.csv"""
import csv
import json
import sys

import h5py

with open(sys.argv[3]) as file:
    classes = [int(row["class"]) for row in csv.DictReader(file)]
with h5py.File(sys.argv[1]) as file:
    labels = file["test/labels"][:len(classes)].ravel().tolist()
accuracy = json.load(open(sys.argv[2]))["accuracy"]
right = sum(a == b for a, b in zip(classes, labels)) / len(classes)
print(f"{len(classes)} pages: accuracy {right:.4f}; rows: {accuracy:.4f}")
assert len(classes) == len(labels)
assert right >= accuracy - 0.01
