#!/usr/bin/env bash
# A GAN is trained by any number of ranks, resumed, scored, and makes rows.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
"$lockstep" import --synthetic 600,1,8,8,3 --out data.h5 >/dev/null 2>err
"$lockstep" train --data data.h5 --model "dense:24 relu dense:3" --epochs 5 --run classes --quiet 2>err
check "a classifier is trained" [ $? = 0 ]

generator="dense:64 batchnorm relu reshape:16x2x2 deconv:8x4,2,1 batchnorm relu deconv:1x4,2,1 sigmoid"
discriminator="conv:8x4,2,1 leaky-relu:0.2 dropout:0.3 conv:8x3,2,1 batchnorm leaky-relu:0.2 flatten dense"
epochs=2 batch=50 judgements=1
train() { # RUN RANKS OPTION ...
    local run=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --data data.h5 --objective gan --generator "$generator" --epochs "$epochs" \
        --discriminator "$discriminator:$judgements" --latent 6 --batch "$batch" --beta1 0.5 --threads 1 --run "$run" "$@" \
        >out 2>err
}

# Prints a checkpoint's arrays with the digests of their bytes.
arrays() { # CHECKPOINT
    for name in $(h5ls -r "$1" | awk '/Dataset/ { print $1 }' | grep -E "${2:-parameters|optimizer}"); do
        echo "$name $(h5dump -d "$name" -y -m %.9g "$1" | grep -v HDF5 | md5sum)"
    done
}
last() { find "$1/checkpoints" -name 'step-*.h5' | sort | tail -n 1; }

train one 1 --reproducible --block 16 --score classes --score-rows 300
check "a GAN is trained" [ $? = 0 ]
check "the validation rows' score is printed" has err '^note: --score: the 60 validation rows score [0-9.]+ by classes$'
check "the line of an epoch has loss, accuracy and score" \
    has err '^epoch 2/2  loss [0-9.]+  accuracy [0-9.]+  val_loss [0-9.]+  val_accuracy [0-9.]+  val_score [0-9.]+ '
for ranks in 2 3; do
    train "on$ranks" "$ranks" --reproducible --block 16 --score classes --score-rows 300
    check "$ranks ranks have the same bits" cmp <(arrays "$(last one)") <(arrays "$(last "on$ranks")")
    check "$ranks ranks have the same metrics" \
        cmp <(cut -d, -f1-5,15-20 one/metrics.csv) <(cut -d, -f1-5,15-20 "on$ranks/metrics.csv")
    check "$ranks ranks make the same sheet" cmp one/samples/epoch-0002.png "on$ranks/samples/epoch-0002.png"
done
check "an epoch writes a sheet" [ "$(find one/samples -name '*.png' | wc -l)" = 2 ]

# Killed after any step: the discriminator's alone, the generator's too, an epoch's last; resumed on 1 to 4 ranks.
steps=(--reproducible --block 16 --discriminator-steps 3 --checkpoint-every 1steps --keep 100)
train parts 2 "${steps[@]}"
ranks=0
for checkpoint in $(find parts/checkpoints -name 'step-*.h5' | sort | sed -n '4p; 5p; 11p; 13p'); do
    train "resumed$ranks" $((ranks++ % 4 + 1)) "${steps[@]}" --resume "$checkpoint"
    check "resumed from $checkpoint: the same bits" \
        cmp <(arrays "$(last parts)") <(arrays "$(last "resumed$((ranks - 1))")")
done
check "runs were resumed" [ "$ranks" = 4 ]

# Each network stays as it is in the other's step.
epochs=1 train still 2 --discriminator-steps 1000
train more 2 --discriminator-steps 1000
check "the discriminator's steps leave the generator alone" \
    cmp <(arrays "$(last still)" '^/parameters') <(arrays "$(last more)" '^/parameters')
check "the discriminator learns" \
    [ "$(arrays "$(last still)" '^/discriminator/param')" != "$(arrays "$(last more)" '^/discriminator/param')" ]
epochs=1 train frozen 2 --discriminator-lr 1e-30
train thawed 2 --discriminator-lr 1e-30
weights='^/discriminator/parameters/.*(weight|scale)'
check "the generator's steps leave the discriminator alone" \
    cmp <(arrays "$(last frozen)" "$weights") <(arrays "$(last thawed)" "$weights")

judgements=4 train classes_of 2 --conditional
check "a conditional GAN is trained" [ $? = 0 ]
# All ways to sum gradients agree to rounding, also where a group of ranks splits the discriminator's matrices.
for options in fused overlap "overlap --shard-optimizer" hierarchical "hierarchical --shard-optimizer"; do
    run=by_${options/ --/_}
    # shellcheck disable=SC2086 # several words
    epochs=1 batch=12 discriminator="flatten dense:64 leaky-relu:0.2 dense:64 leaky-relu:0.2 dense" \
        train "$run" 3 --adversarial-loss hinge --optimizer sgd --lr 0.01 --reduce $options
    check "--reduce $options trains a GAN" [ $? = 0 ]
    # shellcheck disable=SC2016 # awk's fields
    check "--reduce $options has the losses of fused" awk -F, '
        FNR == 2 { NR == 2 || split(line, x); line = $2 "," $4 "," $15 "," $16; files++ }
        END { for (i = split(line, y); i > 0; i--) if ((x[i] - y[i]) ^ 2 > (1e-4 * x[i]) ^ 2 || y[i] == 0) exit 1
              exit files != 2 }' by_fused/metrics.csv "$run/metrics.csv"
done

"$lockstep" import --synthetic 300,3,8,8,3 --out colour.h5 >/dev/null 2>err
mpirun -n 2 "$lockstep" train --data colour.h5 --objective gan --generator dcgan --epochs 1 --batch 50 --run colours 2>err
check "rows in colour are made" [ -s colours/samples/epoch-0001.png ]
"$lockstep" generate --checkpoint colours --rows 3 --out colours.h5 2>err
"$lockstep" info colours.h5 >out
check "generate writes rows in colour" has out '3x8x8'

"$lockstep" generate --checkpoint one --rows 9 --out sheet.png 2>err
check "generate writes a sheet" has err '^sheet.png: 9 rows$'
"$lockstep" generate --checkpoint one --rows 20 --interpolate 5 --out ways.png 2>err
check "generate interpolates" [ -s ways.png ]
"$lockstep" generate --checkpoint classes_of --rows 40 --out made.h5 2>err
"$lockstep" info made.h5 >out
check "generate writes a data set with classes" has out 'train +40$'
"$lockstep" generate --checkpoint classes_of --rows 40 --class 2 --out twos.h5 2>err
"$lockstep" eval --data twos.h5 --checkpoint classes --split train >out 2>err
check "all rows are of the class that is asked for" has out '^  2 .* 36$'
"$lockstep" generate --checkpoint one --out none --score classes --data data.h5 --json >alone.json 2>err
mpirun -n 2 "$lockstep" generate --checkpoint one --out none --score classes --data data.h5 --json >two.json 2>err
check "scores have the same bits on 2 ranks" cmp alone.json two.json
check "scores are of generated and of real rows" has alone.json '"score":[0-9.]+.*"real":\{.*"score":[0-9.]+'
"$lockstep" info one >out
check "info describes the generator" has out 'task +generation'
"$lockstep" export --checkpoint one --format onnx --out g.onnx >out 2>err
check "the generator is exported" [ -s g.onnx ]

refuses 2 "makes no rows: it was not trained" "$lockstep" generate --checkpoint classes --out x.png
refuses 2 "knows no classes" "$lockstep" generate --checkpoint one --class 1 --out x.png
refuses 2 "knows the classes 0 to 2, not 3" "$lockstep" generate --checkpoint classes_of --class 3 --out x.png
refuses 2 "--out x.jpg: give NAME.png, NAME.h5, or none" "$lockstep" generate --checkpoint one --out x.jpg
refuses 2 "is a generator" "$lockstep" eval --data data.h5 --checkpoint one
refuses 2 "--score: one is no classifier" "$lockstep" generate --checkpoint one --out none --score one
gan=("$lockstep" train --data data.h5 --objective gan)
refuses 2 "needs --generator" "${gan[@]}"
refuses 2 "needs --discriminator" "${gan[@]}" --generator "dense:64 sigmoid"
refuses 2 "give --generator and --discriminator instead of --model" "${gan[@]}" --generator gan --model lenet5
refuses 2 "--discriminator: word 1, 'dence:1'" "${gan[@]}" --generator gan --discriminator dence:1
refuses 2 "--generator: " "${gan[@]}" --generator "dense:63 sigmoid" --discriminator dense:1
refuses 2 "give --adversarial-loss instead of --loss" "${gan[@]}" --generator gan --loss mse
refuses 2 "all rows weigh the same: leave --class-weights out" "${gan[@]}" --generator gan --class-weights balanced
refuses 2 "--latent is for --objective gan" "$lockstep" train --data data.h5 --latent 3
refuses 2 "--score: one is no classifier" "${gan[@]}" --generator gan --score one
gan+=(--generator gan --epochs 1)
for metric in val_kl mae val_auc; do
    refuses 2 "--monitor $metric is not defined for a generation task: give --monitor val_score" "${gan[@]}" --monitor $metric
done
refuses 2 "--monitor val_frechet needs --score" "${gan[@]}" --monitor val_frechet
refuses 2 "--monitor val_nearest is not measured with --stream" "${gan[@]}" --monitor val_nearest --stream --shuffle local
for option in "--patience 1" "--schedule plateau" "--mode min"; do
    # shellcheck disable=SC2086 # two words
    refuses 2 "$option needs a metric to watch|${option% *} needs a metric to watch" "${gan[@]}" $option
done
refuses 2 "leave --targets inputs out" "${gan[@]}" --targets inputs
refuses 2 "--label-smoothing needs --adversarial-loss" "${gan[@]}" --label-smoothing 0.1 --adversarial-loss hinge
refuses 4 "smaller --lr \(it is 0.001\) or --discriminator-lr \(it is 1e.20\)" "${gan[@]}" --quiet --lr 0.001 --discriminator-lr 1e20
plain=("$lockstep" train --data data.h5 --objective gan --generator gan --run plain)
"${plain[@]}" --epochs 1 2>err
refuses 2 "other settings, not even by --resume-anyway: --monitor is val_score, was epoch" \
    "${plain[@]}" --score classes --resume auto --resume-anyway --epochs 2
train lossy 2 --monitor val_loss
check "--monitor val_loss is watched" has lossy/summary.json '"monitor": "val_loss"'
refuses 2 "is a generator, which takes 6 numbers of noise" "$lockstep" predict --checkpoint one --data data.h5 --out x.csv
refuses 2 "--json is for --score" "$lockstep" generate --checkpoint one --json
(exec "$lockstep" generate --checkpoint one --rows 16000000 --out many.h5 2>err) &
job=$!
sleep 1.5
kill -TERM $job
wait $job
check "a signal ends generate like the other commands" [ $? = 143 ]
check "it leaves no file" [ "$(find . -name 'many*' | wc -l)" = 0 ]
finish
