#!/usr/bin/env bash
# Digests of the parameters of short trainings, to prove that a change of the code changes no result:
#
#     tests/digests.sh before/lockstep >before.txt     prints the digests of the build before the change
#     tests/digests.sh after/lockstep before.txt       compares the build after the change: code 1 if a digest differs
#
# Both builds must run on the same machine with the same BLAS kernels: other kernels round differently. Each training has
# a fixed reduction algorithm (never --reduce auto); they run on 1, 2 and 3 ranks, some resumed from a checkpoint within an
# epoch. The data are synthetic and imported by the build under test, so that changes of the import are found, too.
set -euo pipefail
lockstep=$(realpath "$1")
before=${2:+$(realpath "$2")}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$lockstep" import --synthetic 900,1,28,28,10 --out grey.h5 >/dev/null 2>&1
"$lockstep" import --synthetic 700,3,12,10,7 --out colour.h5 >/dev/null 2>&1

printf '%s\n' 'threads = 1' 'epochs = 2' 'batch = 50' 'seed = 3' >common.conf # the command line wins

digest() { sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p' "$1/summary.json"; } # RUN

# Trains once and prints the digest: train NAME RANKS OPTION ...
train() {
    local name=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" "$lockstep" train --config common.conf --run "$name" --quiet "$@" >log 2>&1 || {
        cat log >&2
        echo "digests.sh: $name failed" >&2
        exit 1
    }
    printf '%s %s\n' "$name" "$(digest "$name")"
}

# Trains, resumes from a checkpoint within the first epoch on the same or another number of ranks, and prints both
# digests: train_and_resume NAME RANKS RANKS_AFTER OPTION ...
train_and_resume() {
    local name=$1 ranks=$2 later=$3
    shift 3
    train "$name-whole" "$ranks" "$@" --checkpoint-every 5steps --keep 100
    train "$name" "$later" "$@" --resume "$(find "$name-whole/checkpoints" -name '*5.h5' | sort | head -n 1)"
}

cnn="conv:6x5,1,2 batchnorm relu maxpool:2 conv:8x3 relu avgpool:2 flatten dropout:0.3 dense:30 batchnorm relu"
run_all() {
    train dense_fused_1 1 --data grey.h5 --model "dense:64 relu dense:10" --reduce fused
    train dense_fused_2 2 --data grey.h5 --model "dense:64 relu dense:10" --reduce fused
    train dense_fused_3_sharded 3 --data grey.h5 --model "dense:64 tanh dense:10" --reduce fused --shard-optimizer
    train dense_overlap_1 1 --data grey.h5 --model "dense:200 relu dense:10" --reduce overlap
    train dense_overlap_3 3 --data grey.h5 --model "dense:200 relu dense:150 gelu dense:10" --reduce overlap
    train dense_hierarchical_2 2 --data grey.h5 --model "dense:512 relu dense:10" --reduce hierarchical --batch 16
    train dense_hierarchical_3 3 --data grey.h5 --model "dense:512 relu dense:256 relu dense:10" --reduce hierarchical --batch 16
    train dense_exact_1 1 --data grey.h5 --model "dense:64 relu dense:10" --reproducible --block 8
    train dense_exact_3 3 --data grey.h5 --model "dense:64 relu dense:10" --reproducible --block 8
    train lenet5_fused_2 2 --data grey.h5 --model lenet5 --reduce fused
    train lenet5_overlap_3_momentum 3 --data grey.h5 --model lenet5 --reduce overlap --optimizer sgd --momentum 0.9 --nesterov --lr 0.05
    train lenet5_hierarchical_3_lamb 3 --data grey.h5 --model lenet5 --reduce hierarchical --optimizer lamb --clip-norm 1
    train cnn_overlap_2 2 --data grey.h5 --model cnn --reduce overlap --epochs 1
    train colour_1 1 --data colour.h5 --model "$cnn dense:7" --reduce fused --normalize 0.4,0.3
    train colour_fused_3 3 --data colour.h5 --model "$cnn dense:7" --reduce fused
    train colour_hierarchical_2 2 --data colour.h5 --model "$cnn dense:7 softmax" --reduce hierarchical --ema 0.99 --clip-norm 0.5
    train colour_exact_2 2 --data colour.h5 --model "$cnn dense:7" --reproducible --block 16
    train colour_exact_3 3 --data colour.h5 --model "$cnn dense:7" --reproducible --block 16
    train resnet_overlap_2 2 --data grey.h5 --model resnet --reduce overlap --epochs 1
    train colour_augment_2 2 --data colour.h5 --model "batchnorm conv:8x3,2,1 leaky-relu maxpool:2 dense:7" --reduce fused \
        --augment "flip:0.5 rotate:10 shift:2 erase:0.2 elastic:3,2" --label-smoothing 0.1
    train mse_adamw_2 2 --data grey.h5 --model "dropout:0.1 dense:40 sigmoid dense:10 softmax" --loss mse --reduce overlap \
        --optimizer adamw --weight-decay 0.01 --schedule cosine --warmup 0.5
    train stream_2 2 --data grey.h5 --model "dense:64 relu dense:10" --reduce fused --stream --memory 1M --shuffle local
    train best_lars_3 3 --data grey.h5 --model "dense:64 relu dense:10" --reduce fused --optimizer lars --momentum 0.9 \
        --monitor val_accuracy --patience 1 --restore-best --shuffle local --hold-out stratified
    train corrupt_2 2 --data grey.h5 --model "dense:40 relu dense:784 sigmoid" --targets inputs --reduce fused \
        --corrupt "noise:0.3 mask:0.4"
    train lstm_2 2 --data grey.h5 --model "sequence lstm:24,all,both gru:16,chrono dense:10" --reduce fused --clip-norm 1
    train attention_3 3 --data grey.h5 --model "sequence dense:16 position :a attention:4 +a layernorm meanpool dense:10" --reduce overlap
    train gan_2 2 --data grey.h5 --objective gan --generator gan --discriminator gan --reduce fused --epochs 1
    train dcgan_exact_3 3 --data grey.h5 --objective gan --generator dcgan --conditional --reproducible --block 16 --epochs 1
    train vae_2 2 --data grey.h5 --objective vae --model vae --reduce overlap
    train_and_resume resumed_gan_2_3 2 3 --data grey.h5 --objective gan --generator gan --reduce fused --shard-optimizer
    train_and_resume resumed_fused_2 2 2 --data grey.h5 --model lenet5 --reduce fused --ema 0.9
    train_and_resume resumed_elastic_3_1 3 1 --data grey.h5 --model "dense:64 relu dropout:0.2 dense:10" --reduce fused
    train_and_resume resumed_overlap_3 3 3 --data colour.h5 --model "$cnn dense:7" --reduce overlap
}

if [ -z "$before" ]; then
    run_all
    exit
fi
run_all >after.txt
awk 'NR == FNR { after[$1] = $2; next }
     after[$1] != $2 { print $1 ": was " $2 ", is " (after[$1] != "" ? after[$1] : "missing"); wrong = 1 }
     END { exit wrong }' after.txt "$before" || {
    echo "digests.sh: the digests of these trainings differ" >&2
    exit 1
}
echo "$(wc -l <"$before") digests, all equal"
