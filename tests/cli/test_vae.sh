#!/usr/bin/env bash
# A variational autoencoder is trained by any number of ranks, resumed, evaluated, scored, and makes rows.
# shellcheck disable=SC2016,SC2317 # expressions for awk; functions that `check` calls
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need_python h5py
lockstep=$1
"$lockstep" import --synthetic 600,1,8,8,3 --out data.h5 >/dev/null 2>err
"$lockstep" train --data data.h5 --model "dense:24 relu dense:3" --epochs 5 --run classes --quiet 2>err
check "a classifier is trained" [ $? = 0 ]

model="dense:48 relu dense:12 gaussian dense:48 batchnorm relu dense:64"
epochs=3
train() { # RUN RANKS OPTION ...
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --data data.h5 --objective vae --model "$model" --epochs "$epochs" --batch 50 \
        --threads 1 --run "$run" "$@" >out 2>err
}
exact=(--reproducible --block 16 --score classes --score-rows 300)

# Prints columns of the latest epoch of a run.
columns() { # RUN NAME ...
    "$python" - "$@" <<'PYTHON'
import csv
import sys

row = list(csv.DictReader(open(sys.argv[1] + "/metrics.csv")))[-1]
print(*(row[name] for name in sys.argv[2:]))
PYTHON
}
all=(loss reconstruction kl elbo rmse val_loss val_reconstruction val_kl val_elbo val_rmse val_r2 val_active_units val_score
    val_frechet val_least_class val_nearest)

# Succeeds if an expression of awk is true for the columns of a run, which are its fields.
holds() { columns "$1" "${@:3}" | awk "{ good = $2 } END { exit !good }"; } # RUN EXPRESSION NAME ...

train noisy 2 --corrupt mask:0.3 --checkpoint-every 1epoch --keep 9 --reduce fused
train again 2 --corrupt mask:0.3 --reduce fused --resume "$(find noisy/checkpoints -name 'step-*.h5' | sort | sed -n 2p)"
check "generated rows are compared with rows as they are, after a resume, too" \
    [ "$(columns noisy val_nearest)" = "$(columns again val_nearest)" ]

train one 1 "${exact[@]}"
check "a variational autoencoder is trained" [ $? = 0 ]
check "bytes have the loss of Bernoulli variables" has err 'training +bce'
check "the validation rows are scored" has err '^note: --score: the 60 validation rows score'
check "the loss is the sum of both terms, and minus the bound" \
    holds one '($1 - $2 - $3) ^ 2 < 1e-8 && ($1 + $4) ^ 2 < 1e-8' loss reconstruction kl elbo
check "and that of validation rows" \
    holds one '($1 - $2 - $3) ^ 2 < 1e-8 && ($1 + $4) ^ 2 < 1e-8' val_loss val_reconstruction val_kl val_elbo
check "latent variables are used" holds one '$1 >= 1 && $1 <= 6 && $2 > 0' val_active_units val_kl
check "generated rows are scored" holds one '$1 >= 1 && $2 > 0 && $3 > 0' val_score val_frechet val_nearest
for ranks in 2 3; do
    train "on$ranks" "$ranks" "${exact[@]}"
    check "$ranks ranks have the same bits" same_bits one "on$ranks"
    check "$ranks ranks have the same metrics" cmp <(columns one "${all[@]}") <(columns "on$ranks" "${all[@]}")
    check "$ranks ranks make the same sheet" cmp one/samples/epoch-0003.png "on$ranks/samples/epoch-0003.png"
done
check "an epoch writes a sheet" [ "$(find one/samples -name '*.png' | wc -l)" = 3 ]

train parts 2 "${exact[@]}" --checkpoint-every 4steps --keep 100
middle=$(find parts/checkpoints -name '*16.h5')
train resumed 3 "${exact[@]}" --resume "$middle"
check "a run resumed in the middle of an epoch on another number of ranks has the same bits" same_bits parts resumed
check "and the same metrics" cmp <(columns parts "${all[@]}") <(columns resumed "${all[@]}")

for reduce in fused overlap hierarchical; do
    epochs=2 train "by_$reduce" 2 --reduce "$reduce" --shard-optimizer
    check "--reduce $reduce trains it" holds "by_$reduce" '$1 > 0 && $1 < 50' val_loss
done
train watched 2 --monitor val_kl --mode max --patience 1
check "a metric of latent variables can be monitored" has err 'watching val_kl'
model=${model/gaussian/gaussian:50} train strong 2
check "a larger factor of the divergence makes it smaller" \
    holds strong '$1 < 1' kl
train hurt 2 --lr 1e30
check "a loss that is not finite ends the training" [ $? = 4 ]

"$lockstep" eval --data data.h5 --checkpoint one >out 2>err
check "eval prints the terms of the loss" has out '^test reconstruction [0-9.]+$'
check "eval prints the divergence" has out '^test kl [0-9.]+$'
check "eval prints the latent variables that are used" has out '^test active_units [0-9]'
mpirun -n 3 "$lockstep" eval --data data.h5 --checkpoint one >out3 2>err
check "eval has the same bits on 3 ranks" cmp out out3
"$lockstep" predict --checkpoint one --data data.h5 --out rows.csv 2>err
check "rows are reconstructed" [ "$(head -n 2 rows.csv | tail -n 1 | tr ',' '\n' | wc -l)" = 65 ]
mpirun -n 2 "$lockstep" predict --checkpoint one --part encoder --data data.h5 --out latent.csv 2>err
check "the encoder gives means and log variances" [ "$(head -n 1 latent.csv)" = row,y0,y1,y2,y3,y4,y5,y6,y7,y8,y9,y10,y11 ]

"$lockstep" generate --checkpoint one --rows 64 --out sheet.png 2>err
check "generate writes a sheet" has err '^sheet.png: 64 rows$'
"$lockstep" generate --checkpoint one --rows 64 --out again.png 2>err
check "the same rows each time" cmp sheet.png again.png
"$lockstep" generate --checkpoint one --rows 20 --interpolate 5 --out ways.png 2>err
check "generate interpolates" [ -s ways.png ]
"$lockstep" generate --checkpoint one --rows 40 --out made.h5 2>err
"$lockstep" info made.h5 >out
check "generate writes a data set" has out '1x8x8'
"$lockstep" generate --checkpoint one --out none --score classes --data data.h5 --json >alone.json 2>err
mpirun -n 2 "$lockstep" generate --checkpoint one --out none --score classes --data data.h5 --json >two.json 2>err
check "scores have the same bits on 2 ranks" cmp alone.json two.json

# Rows of several channels, which convolutions read channels last and a decoder makes channel by channel.
"$lockstep" import --synthetic 300,3,8,8,3 --out colour.h5 >/dev/null 2>err
mpirun -n 2 "$lockstep" train --data colour.h5 --objective vae --epochs 2 --batch 50 --run colours \
    --model "conv:6x3,2,1 relu dense:16 gaussian dense:48 relu dense:192" 2>err
check "rows in colour are made" [ -s colours/samples/epoch-0002.png ]
check "they are near the training rows" holds colours '$1 > 0.5 && $1 < 1.5' val_nearest

# Numbers that are no bytes have a mean squared error, which is a sum, too; with weights of rows.
"$python" - <<'PYTHON'
import h5py
import numpy

x = numpy.random.default_rng(3).normal(5, 2, (300, 6))
with h5py.File("numbers.h5", "w") as f:
    f["x"] = x
    f["w"] = numpy.linspace(0.5, 1.5, 300)
PYTHON
numbers=("$lockstep" train --data numbers.h5 --inputs /x --objective vae --standardize fit --model "dense:8 gaussian dense:6")
"${numbers[@]}" --weights /w --run numbers >out 2>err
check "numbers are trained by the squared error" has err 'training +mse'
check "the error of a row is the sum of those of its numbers" \
    holds numbers '$1 > 3 && $1 < 20 && $3 > 0' val_reconstruction val_rmse val_kl
"$lockstep" generate --checkpoint numbers --rows 500 --out made_numbers.h5 2>err
check "generated numbers are in the units of the data" "$python" -c '
import h5py
x = h5py.File("made_numbers.h5")["train/inputs"][:]
assert x.shape == (500, 6) and abs(x.mean() - 5) < 1, (x.shape, x.mean())'

for part in whole encoder decoder; do
    for name in net.onnx net.h5 net.safetensors; do
        "$lockstep" export --checkpoint one --part "$part" --out "$part-$name" >out 2>err
        check "$part is exported to $name" [ -s "$part-$name" ]
    done
done

vae=("$lockstep" train --data data.h5 --objective vae)
refuses 2 "no layer of --model makes latent variables: give --model vae" "${vae[@]}"
refuses 2 "the layer gaussian needs --objective vae" "$lockstep" train --data data.h5 --model "dense:4 gaussian dense:3"
refuses 2 "the layers after gaussian, 'dense:8 \+a dense:64 sigmoid', are no network of their own" \
    "${vae[@]}" --model "dense:8 relu :a dense:8 gaussian dense:8 +a dense:64"
refuses 2 "word 2, 'gaussian': needs an even number of inputs" "${vae[@]}" --model "dense:7 gaussian dense:64"
refuses 2 "word 4, 'gaussian': a network has one layer of latent" "${vae[@]}" --model "dense:8 gaussian dense:8 gaussian dense:64"
refuses 2 "factor of the divergence must be from 0 to 1e6" "${vae[@]}" --model "dense:8 gaussian:x dense:64"
refuses 2 "the targets are the inputs: leave --targets out" "${vae[@]}" --model vae --targets /train/labels
refuses 2 "--loss cross-entropy needs classes" "${vae[@]}" --model vae --loss cross-entropy
refuses 2 "--latent is for --objective gan" "${vae[@]}" --model vae --latent 3
refuses 2 "--score-rows is for --objective gan or vae" "$lockstep" train --data data.h5 --score-rows 3
refuses 2 "--monitor val_kl is not defined" "$lockstep" train --data data.h5 --monitor val_kl
refuses 2 "makes no rows: it was not trained with --objective gan or vae" "$lockstep" generate --checkpoint classes --out x.png
refuses 2 "knows no classes" "$lockstep" generate --checkpoint one --class 1 --out x.png
refuses 2 "has no encoder and decoder" "$lockstep" export --checkpoint classes --part decoder --out x.onnx
refuses 2 "has no encoder and decoder" "$lockstep" predict --checkpoint classes --part encoder --data data.h5 --out x.csv
finish
