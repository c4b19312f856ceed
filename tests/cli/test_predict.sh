#!/usr/bin/env bash
# Predictions of rows, against an evaluation, on any number of ranks; and of pictures, against rows of the data set that
# they were made from: digits are pasted at random places and sizes into white pages. By default they are digits of a
# dot-matrix font, prepared by an implementation in NumPy; LOCKSTEP_PREDICT_DATA=FILE.h5 takes MNIST, with all of its
# test rows: a minute.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
source=$3
tools=$source/tests/predict
need_python h5py

# Rows of a data set: the same on any number of ranks, in the order of the file.
"$lockstep" import --synthetic 900,1,9,9,5 --out data.h5 2>/dev/null
mpirun -n 2 "$lockstep" train --data data.h5 --model "dense:9 tanh dense:5" --epochs 2 --run run --quiet 2>/dev/null
mpirun -n 1 "$lockstep" train --data data.h5 --model "dense:5" --loss mse --epochs 1 --run mse --quiet 2>/dev/null
for ranks in 1 2 3; do
    mpirun -n $ranks "$lockstep" predict --data data.h5 --split train --checkpoint run --threads 1 --out $ranks.csv 2>err
    check "rows are predicted on $ranks ranks: $(cat err)" has err "^$ranks.csv: [0-9,]+ training rows of data.h5, predicted by run/"
    check "a prediction on $ranks ranks has the same bits" cmp 1.csv $ranks.csv
    mpirun -n $ranks "$lockstep" predict --data data.h5 --split train --checkpoint run --threads 1 --out $ranks.h5 2>err
    check "its HDF5 file, too" cmp 1.h5 $ranks.h5
    mpirun -n $ranks "$lockstep" eval --data data.h5 --split train --checkpoint run --threads 1 --json --predictions eval$ranks.csv >eval.json 2>err
    check "an evaluation writes the same bits on $ranks ranks" cmp eval1.csv eval$ranks.csv
done
check "predictions of an evaluation are those of predict" cmp <(cut -d, -f1,3- eval3.csv) 3.csv
mpirun -n 2 "$lockstep" predict --data data.h5 --split train --checkpoint run --threads 1 --read root --out root.csv 2>err
check "rank 0 can read for all" cmp 1.csv root.csv
"$lockstep" eval --data data.h5 --split train --checkpoint run --threads 1 --predictions eval.h5 >/dev/null 2>err
"$lockstep" predict --data data.h5 --checkpoint mse --out mse.csv 2>err
"$lockstep" predict --data data.h5 --checkpoint mse --out mse.h5 2>err
check "the rows are those that NumPy computes: $("$python" "$tools/check_rows.py" 2>&1 | tail -n 1)" "$python" "$tools/check_rows.py"

# More rows than are read at once: 6 windows on 1 rank, 3 on 2 ranks, 2 on 3 ranks.
"$lockstep" import --synthetic 700,1,200,200,3 --out large.h5 2>/dev/null
mpirun -n 2 "$lockstep" train --data large.h5 --model dense:3 --epochs 1 --run large --quiet 2>/dev/null
for ranks in 1 2 3; do
    mpirun -n $ranks "$lockstep" eval --data large.h5 --split train --checkpoint large --threads 1 --json --predictions large$ranks.csv >large.json 2>err
    check "windows on $ranks ranks give the same bits: $(cat err)" cmp large1.csv large$ranks.csv
done
check "all rows are there, in order" cmp <(tail -n +2 large1.csv | cut -d, -f1) <(seq 0 $(($(sed 's/.*"rows":\([0-9]*\).*/\1/' large.json) - 1)))
check "the accuracy is that of eval" [ "$(awk -F, 'NR > 1 && $2 == $3 { right++ } END { printf "%.6f", right / (NR - 1) }' large1.csv)" = "$(printf %.6f "$(sed 's/.*"accuracy":\([0-9.]*\).*/\1/' large.json)")" ]

# Pictures of digits.
if [ -n "${LOCKSTEP_PREDICT_DATA:-}" ]; then
    ln -s "$LOCKSTEP_PREDICT_DATA" digits.h5
    pages=1000000 epochs=4
else
    "$python" "$tools/make_digits.py" digits.h5
    pages=200 epochs=6
fi
mpirun -n 2 "$lockstep" train --data digits.h5 --model lenet5 --epochs $epochs --run digits --quiet 2>err
"$lockstep" eval --data digits.h5 --checkpoint digits --json >digits.json 2>err
"$python" "$tools/make_pages.py" digits.h5 pages "$pages"
(cd pages && "$lockstep" predict --checkpoint ../digits --digit --csv ./*.png >../pages.csv 2>../err)
check "digits on white pages are predicted without a note: $(cat err)" [ ! -s err ]
"$python" "$tools/check_pages.py" digits.h5 digits.json pages.csv >compared 2>&1
code=$?
check "pages are classified within a point of the rows: $(cat compared)" [ $code = 0 ]
cat compared
"$lockstep" predict --checkpoint digits rows/*.png --csv >rows.csv 2>err
check "pictures of rows need no change: $(cat err)" [ ! -s err ]
"$lockstep" predict --data digits.h5 --checkpoint digits --out rows_of_data.csv 2>err
"$python" - <<'PYTHON' >compared 2>&1
import csv
pictures, rows = (list(csv.reader(open(name)))[1:9] for name in ("rows.csv", "rows_of_data.csv"))
for picture, row in zip(pictures, rows):
    assert picture[1] == row[1], (picture, row)
    assert all(abs(float(p) - float(q)) < 1e-5 for p, q in zip(picture[2:], row[2:])), (picture, row)
PYTHON
code=$?
check "their outputs are those of the rows: $(cat compared)" [ $code = 0 ]
mpirun -n 2 "$lockstep" predict --checkpoint digits rows/*.png --csv >two.csv 2>err
check "under mpirun they are printed once" cmp rows.csv two.csv

"$python" - <<'PYTHON' 2>err
import h5py
with h5py.File("digits/checkpoints/best") as file, h5py.File("digits.h5") as data:
    rows = data["train/images"][:].reshape(-1, 28, 28)
    rows = rows[:len(rows) - len(rows) // 10].astype(float)
    border = (rows.sum() - rows[:, 1:-1, 1:-1].sum()) / len(rows) / 108 / 255
    assert abs(file.attrs["border"] - border) < 1e-12, (file.attrs["border"], border)
PYTHON
code=$?
check "the checkpoint has the mean border of the training rows: $(tail -n 1 err)" [ $code = 0 ]
{
    head -c 512 /dev/zero
    tail -c +513 digits/checkpoints/best
} >older.h5
"$python" -c 'import h5py; del h5py.File("older.h5", "r+").attrs["border"]'
"$lockstep" predict --checkpoint older.h5 pages/00000.png >out 2>err
check "an older checkpoint gives no note about borders: $(cat err)" [ "$(grep -c . err)" = 1 ]

# What is printed.
"$lockstep" predict --checkpoint digits rows/0.png rows/1.png >out 2>err
check "a line names file, class and probability" has out '^rows/0.png: class [0-9], probability [01]\.[0-9]{4}$'
check "a line for each picture" [ "$(wc -l <out)" = 2 ]
"$lockstep" predict --checkpoint digits rows/*.png --json >out 2>err
"$python" - <<'PYTHON' >compared 2>&1
import csv, json
rows = list(csv.DictReader(open("rows.csv")))
found = json.load(open("out"))
assert len(rows) == len(found) == 8, len(found)
for row, one in zip(rows, found):
    assert row["file"] == one["file"] and int(row["class"]) == one["class"], one
    assert all(abs(float(row[f"p{k}"]) - p) < 1e-7 for k, p in enumerate(one["probabilities"])), one
    assert abs(one["probability"] - max(one["probabilities"])) < 1e-7, one
PYTHON
code=$?
check "JSON has the same: $(cat compared)" [ $code = 0 ]
"$lockstep" predict --checkpoint digits pages/00000.png rows/0.png >out 2>err
check "so is a bright border, with a remedy" has err '^note: 1 picture with a bright border, where the training.s have a dark one: .* --digit'
check "a resized picture is noted" has err '^note: 1 picture resized to 28x28, which the network takes$'
"$lockstep" predict --checkpoint digits --digit --show show.png pages/0000?.png >out 2>err
check "--show is noted: $(cat err)" has err '^show.png: what the network saw$'
check "--show writes a PNG" has <(head -c 4 show.png | tail -c 3) '^PNG$'
cp rows/0.png '=,".png'
"$lockstep" predict --checkpoint digits --csv '=,".png' >out 2>err
check "a name is quoted in CSV" has out '^"=,""\.png",[0-9],'

# PNG files of another program.
if convert -version 2>/dev/null | grep -q '^Version: ImageMagick'; then
    convert pages/00000.png -depth 16 -colorspace sRGB -type TrueColor PNG48:deep.png
    convert pages/00000.png -colors 16 PNG8:palette.png
    convert pages/00000.png -transparent white PNG32:clear.png
    convert pages/00000.png -interlace PNG interlaced.png
    "$lockstep" predict --checkpoint digits --digit pages/00000.png deep.png palette.png clear.png interlaced.png >out 2>err
    check "pictures of every kind have the same class: $(cat out err)" [ "$(cut -d: -f2 out | cut -d, -f1 | sort -u | wc -l)" = 1 ]
    check "all of them are read" [ "$(wc -l <out)" = 5 ]
    convert pages/00000.png -background white -rotate 3 -resize 300% -fill blue -tint 60 -quality 85 jpg:- | convert jpg:- png:- |
        "$lockstep" predict --checkpoint digits --digit /dev/stdin >piped 2>err
    check "a picture comes through a pipe: $(cat piped err)" [ "$(cut -d: -f2 piped | cut -d, -f1)" = "$(head -n 1 out | cut -d: -f2 | cut -d, -f1)" ]
    convert rows/0.png -fill red -colorize 30 colour.png
    "$lockstep" predict --checkpoint digits colour.png >out 2>err
    check "colours are noted: $(cat err)" has err '^note: 1 picture made grey, which the network takes$'
else
    echo "skipped: PNG files of ImageMagick: it is not installed"
fi

# Errors.
refuses 2 'nothing to predict: give PNG files or files of text, --text, a data set with --data and --out, or --generate' "$lockstep" predict --checkpoint digits
refuses 2 '--checkpoint is needed' "$lockstep" predict rows/0.png
refuses 2 "can't be predicted at once" "$lockstep" predict --checkpoint digits rows/0.png --data digits.h5 --out x.csv
refuses 2 '--data needs --out' "$lockstep" predict --checkpoint digits --data digits.h5
refuses 2 '--out is for --data' "$lockstep" predict --checkpoint digits rows/0.png --out x.csv
refuses 2 "--digit and --data can't be given together" "$lockstep" predict --checkpoint digits --data digits.h5 --out x.csv --digit
refuses 2 "--csv and --json can't be given together" "$lockstep" predict --checkpoint digits --csv --json rows/0.png
refuses 2 'x.txt: predictions are written to NAME.csv or NAME.h5' "$lockstep" predict --checkpoint digits --data digits.h5 --out x.txt
refuses 2 'rows.csv: this file exists and is not of type CSV of predictions' "$lockstep" predict --checkpoint digits --data digits.h5 --out rows.csv
refuses 2 'data.h5: this file exists and does not hold predictions' "$lockstep" predict --checkpoint run --data data.h5 --out data.h5
refuses 2 'data.h5: this file exists and does not hold predictions' "$lockstep" eval --checkpoint run --data data.h5 --predictions data.h5
refuses 2 'pages.csv: this file exists' "$lockstep" predict --checkpoint digits rows/0.png --show pages.csv
cp rows/0.png mine.png
refuses 2 'mine.png: this file exists and is not of type PNG by Lockstep' "$lockstep" predict --checkpoint digits --show mine.png rows/1.png
refuses 2 'mine.png: is to be read and to be written' "$lockstep" predict --checkpoint digits ./mine.png --show mine.png
refuses 2 'mine.png: this file exists and is not of type PNG by Lockstep' "$lockstep" eval --checkpoint digits --data digits.h5 --errors 2 --errors-file mine.png
check "evaluations whose picture is refused print nothing" [ ! -s out ]
refuses 2 'mine.png: this file exists and is not of type PNG by Lockstep' "$lockstep" augment-preview --data digits.h5 --augment shift:1 --out mine.png
check "a picture of someone else is unchanged" cmp mine.png rows/0.png
ln -sf show.png link.png
refuses 2 'show.png: is to be read and to be written' "$lockstep" predict --checkpoint digits link.png --show show.png
"$lockstep" predict --checkpoint digits rows/1.png --show show.png >out 2>err
check "a picture of Lockstep is replaced: $(cat err)" has err '^show.png: what the network saw$'
refuses 1 'nowhere' "$lockstep" predict --checkpoint digits --data digits.h5 --out nowhere/x.csv
refuses 3 "1x9x9 and 5 classes don't fit" mpirun -n 2 "$lockstep" predict --checkpoint digits --data data.h5 --out x.csv
refuses 3 'none.h5' "$lockstep" predict --checkpoint digits --data none.h5 --out x.csv
refuses 3 'none' "$lockstep" predict --checkpoint none rows/0.png
refuses 3 'none.png: ' "$lockstep" predict --checkpoint digits none.png
refuses 3 'data.h5: not a PNG file' "$lockstep" predict --checkpoint digits data.h5
head -c 100 rows/0.png >short.png
refuses 3 'short.png: ' "$lockstep" predict --checkpoint digits short.png
"$lockstep" predict --checkpoint digits short.png --show empty.png >out 2>err
check "without a picture that can be read --show writes none, and says so: $(cat err)" has err '^note: empty.png is not written: no picture could be read$'
check "no picture" [ ! -e empty.png ]
"$lockstep" import --synthetic 100,3,8,10,4 --out colour.h5 2>/dev/null
"$lockstep" import --synthetic 100,12,1,1,4 --out vectors.h5 2>/dev/null
mpirun -n 1 "$lockstep" train --data colour.h5 --model dense:4 --epochs 1 --batch 20 --run colour --quiet 2>/dev/null
mpirun -n 1 "$lockstep" train --data vectors.h5 --model dense:4 --epochs 1 --batch 20 --layout nchw --run vectors --quiet 2>/dev/null
refuses 2 '--digit is for networks that take square grey pictures' "$lockstep" predict --checkpoint colour --digit rows/0.png
refuses 3 'the network does not take pictures' "$lockstep" predict --checkpoint vectors rows/0.png
"$lockstep" predict --checkpoint colour rows/0.png >out 2>err
check "a grey picture becomes coloured: $(cat err)" has err '^note: 1 picture made coloured, which the network takes$'
check "and smaller" has err '^note: 1 picture resized to 8x10, which the network takes$'
"$lockstep" predict --checkpoint digits rows/0.png none.png short.png rows/1.png >out 2>err
code=$?
check "with bad pictures the others are printed" [ "$(grep -c 'rows/[01].png: class' out)" = 2 ]
check "the bad ones are named: $(cat err)" [ "$(grep -cE '(none|short).png' err)" = 2 ]
check "and the code is 3" [ $code = 3 ]
check "no file is left by what was refused" [ ! -e x.csv ]

for nth in 3 20 30; do
    LOCKSTEP_FAULT=alloc:1:$nth refuses 1 "rank 1: injected fault at 'alloc'" mpirun -n 2 "$lockstep" predict --data data.h5 --checkpoint run --out x.csv
done
LOCKSTEP_FAULT=alloc:0:80 refuses 1 "injected fault at 'alloc'" "$lockstep" predict --checkpoint digits rows/0.png
check "no file is left by ranks that failed" [ -z "$(ls x.csv* 2>/dev/null)" ]

# Only a file of its own kind is replaced, and only by a complete one.
mpirun -n 2 "$lockstep" predict --data data.h5 --checkpoint run --out 1.csv 2>err
check "a file of predictions is replaced" [ "$(wc -l <1.csv)" -lt "$(wc -l <2.csv)" ]
mkdir full
if mount -t tmpfs -o size=16k none full 2>/dev/null; then
    for kind in csv h5; do
        head -n 2 1.csv >full/rows.csv
        cp full/rows.csv kept
        refuses 1 'No space left on device' "$lockstep" predict --data data.h5 --split train --checkpoint run --out full/rows.$kind
        check "on a full disk the former file remains" cmp full/rows.csv kept
        check "and no other file is left" [ "$(ls full)" = rows.csv ]
    done
    umount full
else
    echo "skipped: a full disk: mounting needs root"
fi
finish
