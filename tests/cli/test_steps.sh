#!/usr/bin/env bash
# A class for each step: the next character of a text is learned, by any number of ranks; evaluation, files of
# predictions, the report and a resumed run.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
awk 'BEGIN { for (i = 0; i < 900; i++) printf "%s", (i * i % 7 < 3 ? "abba " : "cede-") }' >text.txt
"$lockstep" import --text text.txt --characters --steps 20 --out text.h5 >/dev/null 2>err
check "a text is imported" [ -f text.h5 ]

lines() { grep -cE "$1" "$2"; }

refuses 2 "the last layer has 16 outputs in each of 20 steps but the data set has 7 classes: end with dense:7" \
    "$lockstep" train --data text.h5 --model "embedding:8 lstm:16,all" --epochs 1
refuses 2 "give .all. to the last recurrent layer" "$lockstep" train --data text.h5 --model "embedding:8 lstm:16 dense:7"
refuses 2 "--normalize: the inputs of text.h5 are tokens" \
    "$lockstep" train --data text.h5 --model lstm --normalize 0.5,0.5
refuses 2 "--class-weights needs one class for a row" \
    "$lockstep" train --data text.h5 --model lstm --class-weights balanced
refuses 3 "text.h5: train row 0, step [0-9]+: [0-9] is no token: the vocabulary has the whole numbers 0 to 1$" \
    "$lockstep" train --data text.h5 --model "embedding:8,2 lstm:16,all dense:7"

train() { # RUN RANKS OPTION ...
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --data text.h5 --model "embedding:8 lstm:16,all dense:7" --batch 16 --lr 0.02 \
        --threads 1 --epochs 3 --monitor val_perplexity --run "$run" "$@" >out 2>err
}
train two 2 --reproducible --block 4 --checkpoint-every 3steps --keep 100
check "a run by step succeeds" [ $? = 0 ]
check "the start-up table describes the rows" \
    has err "20 tokens of a vocabulary of 7, 7 classes in each step"
check "the line of each epoch has the perplexity" [ "$(lines '^epoch .* val_accuracy [0-9.]+  val_perplexity [0-9.]+ ' err)" = 3 ]
check "the perplexity is monitored" has two/summary.json '"mode": "min"'
check "the model has its vocabulary" has two/summary.json '"layers": "embedding:8,7 lstm:16,all dense:7"'
train one 1 --reproducible --block 4 --resume "$(find two/checkpoints -name '*3.h5' | sort | head -n 1)"
check "a resumed run on one rank has the same bits" \
    [ "$(grep -h '"digest"' one/summary.json)" = "$(grep -h '"digest"' two/summary.json)" ]

"$lockstep" train --data text.h5 --model "embedding:8 gru:4,all,both dense:7" --epochs 1 --dry-run 2>err
check "a note warns of a network that sees the characters which it is to predict" has err "^note: the classes are the tokens.* 'gru:4,all,both' also sees the steps after each"
"$lockstep" train --data text.h5 --model "embedding:8 attention:2,causal dense:7" --epochs 1 --dry-run 2>err
check "and not of one that is causal" [ "$(lines '^note: the classes are the tokens' err)" = 0 ]

mpirun -n 2 "$lockstep" eval --data text.h5 --checkpoint two --threads 1 --predictions two.csv >out 2>err
check "eval counts steps" has out '^test loss [0-9.]+, accuracy [0-9.]+: [0-9]+ of [0-9,]+ steps of [0-9]+ rows right$'
check "eval scores the classes of steps, and quotes a blank" has out "^  0 ' ' +[01]\.[0-9]{4} "
check "eval prints the perplexity" has out '^test perplexity [0-9.]+$'
check "a line of predictions is a step" [ "$(head -n 1 two.csv)" = row,step,label,label_name,class,class_name,probability ]
right=$(awk -F, 'NR > 1 && $3 == $5' two.csv | wc -l)
check "the right lines are those that eval counts, $right" has out "accuracy [0-9.]+: $right of "
"$lockstep" eval --data text.h5 --checkpoint two --threads 1 --json >eval.json 2>err
check "JSON has task, steps and perplexity" has eval.json '"perplexity":[0-9.]+.*"steps":[0-9]+,"task":"by step"'
need_python h5py
check "the confusion counts steps, as a reading of the predictions does" "$python" - <<'EOF'
import csv, json, collections
rows = list(csv.DictReader(open("two.csv", newline="")))
count = collections.Counter((int(r["label"]), int(r["class"])) for r in rows)
e = json.load(open("eval.json"))
assert e["confusion"] == [[count[i, j] for j in range(7)] for i in range(7)]
assert [k["support"] for k in e["scores"]["of_class"]] == [sum(e["confusion"][i]) for i in range(7)]
assert {(r["label_name"]) for r in rows} == set("abcde-") | {"' '"}
EOF
"$lockstep" predict --data text.h5 --checkpoint two --threads 1 --out one.csv >out 2>err
check "predict has the classes of eval" cmp <(cut -d, -f1,2,5- two.csv) one.csv
"$lockstep" predict --data text.h5 --checkpoint two --out one.h5 >out 2>err
"$lockstep" info one.h5 >out 2>err
check "an HDF5 file has the class of each step" has out 'class.*\[[0-9]+, ?20\]'
refuses 2 "the network's task is by step" "$lockstep" eval --data text.h5 --checkpoint two --errors 3
"$lockstep" report two --evaluation eval.json --out page.html >out 2>err
check "the report says how many steps are right" has page.html 'of the steps are right'
check "and draws the confusion of steps" has page.html '<title>[0-6] [^:]* taken for [0-6] [^:]*: [0-9,]+ of [0-9,]+ steps'
finish
