#!/usr/bin/env bash
# `import --text`: documents of classes and texts of characters, compared with a reading of the sources in Python.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
source=$3
need_python h5py
import() { "$lockstep" import --text "$@" 2>err; }
# Succeeds if an expression about an HDF5 file `f` is true: holds FILE EXPRESSION
# shellcheck disable=SC2317
holds() { "$python" -c 'import h5py, numpy as np, sys
f = h5py.File(sys.argv[1], "r")
words = [w.decode() for w in f["vocabulary"][()]]
def row(i, split="train"):
    return [words[t] for t in f[split]["inputs"][i][:f[split]["lengths"][i]]]
sys.exit(not eval(sys.argv[2]))' "$@"; }
# Imports a bad source, which is refused and leaves nothing: bad CODE PATTERN OPTION ...
bad() {
    refuses "$1" "$2" "$lockstep" import --text "${@:3}" --out bad.h5
    check "nothing is left of a refused import" [ -z "$(find . -maxdepth 1 -name 'bad.h5*')" ]
}

# Documents in a table, with words that Python counts.
"$python" - <<'EOF'
import csv, random
random.seed(1)
words = ["w%d" % int(random.paretovariate(0.3)) for _ in range(4000)]
with open("t.csv", "w", newline="") as f:
    out = csv.writer(f)
    out.writerow(["id", "kind", "said"])
    for i in range(200):
        some = words[20 * i:20 * i + random.randrange(1, 21)]
        out.writerow([i, "good" if i % 3 else "bad", " ".join(some).upper() + ("?" if i % 2 else "")])
EOF
check "a table of documents is imported" import t.csv --target kind --text-column said --vocabulary 50 --steps 15 --out t.h5
cp err err_t
check "the vocabulary, the tokens, lengths and classes are those that Python finds" "$python" - <<'EOF'
import collections, csv, h5py
documents = [(r["kind"], r["said"].lower().replace("?", " ?").split()) for r in csv.DictReader(open("t.csv"))]
count = collections.Counter(w for _, d in documents for w in d)
common = ["<padding>", "<unknown>"] + sorted(count, key=lambda w: (-count[w], w.encode()))[:50]
f = h5py.File("t.h5")
assert [w.decode() for w in f["vocabulary"]] == common
number = {w: i for i, w in enumerate(common)}
x, length, y = (f["train"][k][()] for k in ("inputs", "lengths", "labels"))
assert x.shape == (200, 15) and x.dtype == "u1" and f.attrs["classes"] == 2
assert list(f.attrs["class_names"]) == [b"bad", b"good"]
for i, (kind, words) in enumerate(documents):
    tokens = [number.get(w, 1) for w in words][:15]
    assert list(x[i]) == tokens + [0] * (15 - len(tokens)), i
    assert length[i] == len(tokens) and y[i] == (kind == "good")
cut = sum(len(d) > 15 for _, d in documents)
assert f"note: {cut} documents with more than 15 words cut, see --steps" in open("err_t").read()
EOF
cp t.h5 again.h5
check "an import can be repeated" import t.csv --target kind --text-column said --vocabulary 50 --steps 15 --out t.h5
check "and gives the same bytes" cmp t.h5 again.h5
import t.csv --target kind --text-column said --vocabulary 300 --out wide.h5
check "a larger vocabulary has a larger type, and rows are as long as the longest document" holds wide.h5 'f["train/inputs"].dtype == np.uint16 and f["train/inputs"].shape[1] == f["train/lengths"][()].max() == 21 and len(words) == 302'
printf 'kind,said\ngood,w1 never\nbad,\n' >test.csv
printf 'kind,said\ngood,w1 w2\nbad,w1\ngood,""\n' >train.csv
check "a table has test rows" import train.csv --target kind --text-test test.csv --out two.h5
check "of which words are unknown that are not among the training documents" holds two.h5 'row(0, "test") == ["w1", "<unknown>"] and list(f["test/labels"]) == [1, 0]'
check "documents without words have the length 0" holds two.h5 'list(f["train/lengths"]) == [2, 1, 0] and list(f["test/lengths"]) == [2, 0]'
check "and are counted in a note" has err 'note: 2 documents without words: sequences of 0 steps'
check "--limit cuts rows, and the words that are counted" import train.csv --target kind --limit 2 --compress --out cut.h5
check "of the vocabulary, too" holds cut.h5 'words == ["<padding>", "<unknown>", "w1", "w2"] and len(f["train/inputs"]) == 2'

# Documents in folders.
mkdir -p d/train/cat d/train/dog d/test/dog d/val/cat
printf 'Mew, mew!' >d/train/cat/1.txt
printf '\xff na\xefve' >d/train/cat/2
printf 'Wau' >d/train/dog/1.txt
printf 'wau WAU mew' >d/test/dog/1.txt
printf 'x' >d/val/cat/1.txt
check "a folder of documents is imported" import d --out d.h5
check "its splits are folders" holds d.h5 'row(0) == ["mew", ",", "mew", "!"] and row(0, "test") == ["wau", "wau", "mew"] and row(0, "validation") == ["<unknown>"] and list(f["train/labels"]) == [0, 0, 1]'
check "bytes that are not UTF-8 are replaced" holds d.h5 'row(1) == ["\ufffd", "na\ufffdve"]'
check "and counted in a note" has err 'note: 2 bytes not UTF-8, taken as U\+FFFD'

# Characters.
"$python" -c '
import random
random.seed(2)
print("".join(random.choice("abcä \n€") for _ in range(1000)), end="")' >c.txt
import c.txt --characters --steps 32 --test-fraction 0.2 --out c.h5
check "import says what it made" has err '^c.h5: 24 training and 6 test rows of 32 tokens, vocabulary 7, 7 classes of each step, '
check "characters are predicted by those before them, as in Python" "$python" - <<'EOF'
import h5py, numpy as np
text = open("c.txt", newline="").read()
f = h5py.File("c.h5")
letters = sorted(set(text))
assert [w.decode() for w in f["vocabulary"]] == letters == [w.decode() for w in f.attrs["class_names"]]
assert f.attrs["classes"] == len(letters) == 7
for name, part in (("train", text[:800]), ("test", text[800:])):
    rows = (len(part) - 1) // 32
    tokens = [letters.index(c) for c in part]
    assert (f[name]["inputs"][()] == np.reshape(tokens[:32 * rows], (rows, 32))).all()
    assert (f[name]["labels"][()] == np.reshape(tokens[1:32 * rows + 1], (rows, 32))).all()
    assert "lengths" not in f[name]
EOF

# Texts that models write.
for i in {1..30}; do echo "the cat sat on the mat $i"; done >cat.txt
check "a text of lines is imported" import cat.txt --characters --steps 16 --out cat.h5
check "a network trains on characters" "$lockstep" train --data cat.h5 --model "embedding:16 lstm:32,all dense:21" --epochs 30 --batch 8 --lr 0.01 --run cat 2>err
writes=("$lockstep" predict --checkpoint cat --generate 200 --prompt)
"${writes[@]}" 'the c' --temperature 0 >likely
check "the likeliest continuation is what it was trained on" has likely '^the cat sat on the mat'
check "it has as many characters as were wanted, and a line end" [ "$(wc -m <likely)" = 206 ]
"${writes[@]}" 'on\nthe' --seed 5 >first
check "a prompt may have line ends" [ "$(head -n 1 first)" = on ]
"${writes[@]}" 'on\nthe' --seed 5 >again
check "the same seed writes the same text" cmp first again
"${writes[@]}" 'on\nthe' --seed 6 >other
check "another seed another" [ "$(cmp -s first other; echo $?)" = 1 ]
mpirun -q -n 2 "$lockstep" predict --checkpoint cat --generate 200 --prompt 'on\nthe' --seed 5 >again
check "two ranks write the same text, once" cmp first again
refuses 2 "the prompt has the character 'X', which is not in the model's vocabulary of 21" "${writes[@]}" 'the X'
refuses 2 'the prompt is empty: it must have a character' "$lockstep" predict --checkpoint cat --generate 5
refuses 2 '--prompt: a backslash begins' "${writes[@]}" 'a\b'
refuses 2 '--seed belongs to --generate' "$lockstep" predict --checkpoint cat --seed 5
refuses 2 "--data can't be given with --generate" "${writes[@]}" the --data cat.h5
refuses 2 "files can't be predicted with --generate" "${writes[@]}" the x.png
check "words are predicted by any program's data set" "$python" - <<'EOF'
import h5py, numpy as np
words = ["<padding>", "<unknown>", "one", "two", ",", "three"]
x = np.array([[2, 4, 3, 4, 5, 4, 2, 4, 3]] * 40, "u1")
with h5py.File("words.h5", "w") as f:
    f.attrs.update({"format": "lockstep-dataset", "version": 1, "classes": 6})
    f["vocabulary"] = words
    f["train/inputs"], f["train/labels"] = x[:, :-1], x[:, 1:]
EOF
"$lockstep" train --data words.h5 --model "embedding:8 gru:16,all dense:6" --epochs 20 --batch 4 --lr 0.02 --validation 0 --run words 2>err
check "a model of words writes them with blanks" [ "$("$lockstep" predict --checkpoint words --generate 4 --temperature 0 --prompt One)" = "One , two , three" ]
check "and reads words that it does not know as such" "$lockstep" predict --checkpoint words --generate 2 --prompt "four, five" >out
check "a network trains on documents" "$lockstep" train --data t.h5 --model "embedding:8 gru:8 dense:2" --epochs 1 --batch 16 --hold-out stratified --run t 2>err
refuses 2 't/checkpoints/best: does not predict the next token' "$lockstep" predict --checkpoint t --generate 5 --prompt w1

# Texts that models classify.
"$python" -c 'import csv
for r in csv.DictReader(open("t.csv")):
    print(r["said"])' >said.txt
classifies=("$lockstep" predict --checkpoint t)
check "texts of a user's own are classified" "${classifies[@]}" --lines said.txt --csv >lines.csv 2>err_lines
check "the rows of the data set are" "${classifies[@]}" --data t.h5 --test-rows all --out rows.csv 2>err
check "both have the same classes and probabilities" "$python" - <<'EOF'
import csv
lines, rows = list(csv.DictReader(open("lines.csv"))), list(csv.DictReader(open("rows.csv")))
assert len(lines) == len(rows) == 200
for i, (a, b) in enumerate(zip(lines, rows)):
    assert a["file"] == "said.txt" and a["line"] == str(i + 1)
    assert (a["class"], a["class_name"]) == (b["class"], b["class_name"])
    assert max(abs(float(a[k]) - float(b[k])) for k in ("probability", "p0", "p1")) < 1e-5
EOF
check "a note counts words without a token" has err_lines '^note: [0-9]+ of [0-9,]+ words not in the network.s vocabulary$'
check "and texts that are cut" has err_lines '^note: [0-9]+ texts with more than 15 words cut: the beginning is classified$'
"${classifies[@]}" --text "$(head -n 1 said.txt)" >one
check "a text may be an option" [ "$(cat one)" = "$("${classifies[@]}" --lines said.txt 2>/dev/null | head -n 1 | sed 's/^said.txt:1:/text:/')" ]
"${classifies[@]}" said.txt d/train/dog/1.txt >files 2>err
check "a file is a text, unless its lines are" [ "$(wc -l <files)" = 2 ]
check "with its name" has files '^d/train/dog/1.txt: class [01] \((bad|good)\), probability 0\.[0-9]{4}$'
printf 'w1 w2\r\n\nw3' | "${classifies[@]}" --lines /dev/stdin --json >json 2>err
check "lines come from a pipe, with any line ends, and may be empty" "$python" -c 'import json
a = json.load(open("json"))
assert [x["line"] for x in a] == [1, 2, 3] and set(a[0]) == {"file", "line", "class", "class_name", "probability", "probabilities"}'
check "which a note says" has err '^note: 1 text without words: a sequence of 0 steps$'
mpirun -q -n 2 "${classifies[@]}" --lines said.txt --csv >twice.csv 2>err
check "two ranks classify the same, once" cmp lines.csv twice.csv
printf w1 >a.txt
refuses 3 'nowhere: can.t open' "${classifies[@]}" nowhere a.txt
check "a file that can't be read leaves the others" has out '^a.txt: class'
refuses 3 'w1 w2: no such file; --text classifies a text itself' "${classifies[@]}" "w1 w2"
refuses 3 'two.h5: a zero byte: not a text file' "${classifies[@]}" two.h5
refuses 2 '--lines needs files' "${classifies[@]}" --lines
refuses 2 'files and --text can.t be predicted at once' "${classifies[@]}" --text w1 said.txt
refuses 2 '--text and --digit can.t be given together' "${classifies[@]}" --text w1 --digit
refuses 3 'cat/checkpoints/best: the network gives a class for each step' "$lockstep" predict --checkpoint cat --text the
"$lockstep" import --synthetic 40,1,4,4,2 --out s.h5 2>err
"$lockstep" train --data s.h5 --model dense:2 --epochs 1 --batch 8 --run s 2>err
refuses 3 's/checkpoints/best: the network does not take texts' "$lockstep" predict --checkpoint s --text w1
check "a data set of letters without words" "$python" - <<'EOF'
import h5py, numpy as np
letters = ["<padding>"] + list("abc")
x = np.array([[1, 2, 3, 0]] * 20 + [[3, 2, 0, 0]] * 20, "u1")
with h5py.File("letters.h5", "w") as f:
    f.attrs.update({"format": "lockstep-dataset", "version": 1, "classes": 2, "class_names": ["up", "down"]})
    f["vocabulary"], f["train/inputs"], f["train/labels"] = letters, x, np.repeat([0, 1], 20)
EOF
"$lockstep" train --data letters.h5 --padding 0 --model "embedding:8 rnn:8 dense:2" --epochs 20 --batch 8 --lr 0.02 --hold-out random --run letters 2>err
"$lockstep" predict --checkpoint letters --text "cb?" >out 2>err
check "is read letter by letter" has out '^text: class 1 \(down\), probability 0\.9'
check "letters that it does not have are left out" has err '^note: 1 of 3 characters not in the network.s vocabulary$'

# The texts of a Debian package.
if command -v bible >/dev/null; then
    check "texts.sh makes data sets" env LOCKSTEP="$lockstep" "$source/jobs/texts.sh" bible 2>err
    check "of verses with classes" has err 'verses.h5: 28045 training and 3057 test rows of 102 tokens, vocabulary 12,282, 8 classes'
    check "also with pairs of words" has err 'pairs.h5: 28045 training and 3057 test rows of 183 tokens, vocabulary 66,504, 8 classes'
    check "which follow the verse" holds bible/pairs.h5 'row(0)[9:15] == ["earth", ".", "in\x27the", "the\x27beginning", "god\x27created", "created\x27the"]'
    check "and of characters" has err 'kjv.h5: 29094 training and 3232 test rows of 128 tokens, vocabulary 63, 63 classes of each step'
    check "the classes are the parts of the Bible" holds bible/verses.h5 'row(0)[:5] == ["in", "the", "beginning", "god", "created"] and f.attrs["class_names"][f["train/labels"][0]] == b"law" and row(3056, "test")[:4] == ["here", "is", "wisdom", "."]'
else
    echo "not tested: jobs/texts.sh, bible-kjv is not installed"
fi

# Sources that are refused.
: >empty
head -c 2000 "$lockstep" >binary
printf 'kind,said\ngood,w1\ngood,w2\n' >one.csv
printf 'kind,said\ngood,!\nbad\n' >fields.csv
printf 'kind,said\n1.5,a\n2.5,b\n' >values.csv
printf 'kind,said\ngood,\nbad,\n' >silent.csv
bad 2 't.csv: --target must name the column of the classes; or give --characters' t.csv
bad 2 "t.csv: has no column 'none' for --target" t.csv --target none
bad 2 "t.csv: has no column 'none' for --text-column" t.csv --target kind --text-column none
bad 2 't.csv: has 3 columns: give --text-column' t.csv --target kind
bad 2 "--text-column and --target are the same column, 'kind'" t.csv --target kind --text-column kind
bad 2 'limit-test 5: there are no test rows: give --text-test' t.csv --target kind --text-column said --limit-test 5
bad 2 'values.csv: --target: documents have classes' values.csv --target kind
bad 2 'd: is a folder, whose folders are the classes' d --target kind
bad 2 'belongs to documents, not to --characters' c.txt --characters --vocabulary 10
bad 2 'test-fraction belongs to --characters' d --test-fraction 0.2
bad 2 'the characters are the classes: leave out --classes' c.txt --characters --classes 5
refuses 2 'steps belongs to --text, not to --csv' "$lockstep" import --csv t.csv --target kind --steps 5 --out bad.h5
bad 3 'empty: is empty' empty --target kind
bad 3 'empty: is empty' empty --characters
bad 3 'nowhere: can.t open' nowhere --characters
bad 3 'nowhere: can.t open: No such file' nowhere
bad 3 'binary: .*zero byte: not a text file' binary --target kind
bad 3 'binary: a zero byte: not a text file' binary --characters
bad 3 "one.csv: all rows have the same class, 'good'" one.csv --target kind
bad 3 'fields.csv: line 3 has 1 field, not 2' fields.csv --target kind
bad 3 'silent.csv: the training documents have no words' silent.csv --target kind
printf 'kind,said\nugly,w1\n' >other.csv
bad 3 "other.csv: line 2, column 1 .kind.: 'ugly' is no class of the training rows" train.csv --target kind --text-test other.csv
printf 'aaaa' >same.txt
bad 3 'same.txt: has 1 different characters, expected 2' same.txt --characters
bad 3 'c.txt: has 900 characters for training: a row of 900 steps needs 901: give fewer --steps' c.txt --characters --steps 900
bad 3 'c.txt: has 100 characters for testing: a row of 100 steps needs 101' c.txt --characters --steps 100
cp binary d/train/cat/3
bad 3 'd/train/cat/3: a zero byte: not a text file' d
mkdir -p e/x
bad 3 'e: has 1 folder: expected 2' e
finish
