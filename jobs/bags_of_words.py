"""Test accuracy of linear classifiers of bags of words: bags_of_words.py TRAIN.csv TEST.csv

The tables have a header and two columns, class and document. Words are those of `lockstep import --text`, but without
punctuation.
"""
import collections
import csv
import sys

from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

WORD = r"\w+(?:'\w+)*"


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row[0] for row in rows], [row[1] for row in rows]


def main(train, test):
    classes, documents = read(train)
    true, others = read(test)
    commonest = collections.Counter(classes).most_common(1)[0][0]
    print(f"{len(documents):,} training and {len(others):,} test documents, {len(set(classes))} classes")
    print(f"always '{commonest}': {true.count(commonest) / len(true):.4f}")
    for name, words, model in (
        ("naive Bayes, counts", CountVectorizer(token_pattern=WORD), MultinomialNB(alpha=0.3)),
        ("logistic regression, counts", CountVectorizer(token_pattern=WORD), LogisticRegression(max_iter=1000)),
        ("logistic regression, tf-idf", TfidfVectorizer(token_pattern=WORD, sublinear_tf=True),
         LogisticRegression(C=10, max_iter=1000)),
        ("logistic regression, tf-idf of words and pairs",
         TfidfVectorizer(token_pattern=WORD, sublinear_tf=True, ngram_range=(1, 2)),
         LogisticRegression(C=30, max_iter=1000)),
    ):
        model.fit(words.fit_transform(documents), classes)
        print(f"{name}: {model.score(words.transform(others), true):.4f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
