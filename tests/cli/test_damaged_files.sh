#!/usr/bin/env bash
# Damaged and crafted files given to the program: each is refused with code 3 or 2 and one line.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
make_data=$2
"$make_data" data
train=(mpirun -n 2 "$lockstep" train --epochs 1 --model dense:4 --data)

# Valid HDF5 files whose content is invalid.
while read -r name pattern; do
    "$make_data" crafted "$name"
    refuses 3 "crafted/data.h5: .*$pattern" "$lockstep" info crafted/data.h5 --verify
done <<'CASES'
soft-link '/train/images' is a soft or external link
plugged '/train/images' is stored with the filter blosc [(]32001[)], .* run .h5repack -f GZIP=4 FILE NEW.h5. where HDF5 has this filter$
endless-deflated more elements than its storage can hold
huge-chunk chunks above 1 GiB
label-negative row 0 is -1
huge-text 'format' is not a string of up to
width does not have the shape that the model gives it
model-unknown word 1, 'dens:5': unknown layer
history more elements than its storage can hold
CASES
for name in external-link virtual external overflow label-beyond; do
    "$make_data" crafted "$name"
    refuses 3 'crafted/data.h5: ' "${train[@]}" crafted/data.h5
done
"$make_data" crafted compact
"$lockstep" info crafted/data.h5 --verify >out
check "an unusual but valid file is read" has out '^rows_verified +true'

# Truncated files with and without a seal; changed bytes.
head -c 9000 data/data.h5 >cut.h5
refuses 3 'cut.h5: damaged or cut short' "$lockstep" info cut.h5
{ head -c 512 /dev/zero; tail -c +513 data/data.h5; } >unsealed.h5
"$lockstep" info unsealed.h5 --verify >out
check "a file without a seal is read" has out '^verified +none'
mpirun -n 2 "$lockstep" train --data unsealed.h5 --epochs 1 --model dense:5 2>err
check "a file without a seal can be trained on" has err '^epoch 1/1'
head -c 9000 unsealed.h5 >cut.h5
refuses 3 'cut.h5: not an HDF5 file, or damaged' "${train[@]}" cut.h5
cp unsealed.h5 changed.h5
printf '\377\377\377\377' | dd of=changed.h5 bs=1 seek=608 conv=notrunc 2>/dev/null
refuses 3 'changed.h5: ' "${train[@]}" changed.h5

# IDX files.
cp data/* .
printf '\377\377\377\377' | dd of=train-labels-idx1-ubyte bs=1 seek=4 conv=notrunc 2>/dev/null
refuses 3 'train-labels-idx1-ubyte: its header claims 4294967295 elements' "$lockstep" import --idx . --out x.h5
head -c 100 data/train-labels-idx1-ubyte >train-labels-idx1-ubyte
refuses 3 'train-labels-idx1-ubyte: truncated: ends too early' "$lockstep" import --idx . --out x.h5
cp data/train-labels-idx1-ubyte .
head -c 200 data/t10k-images-idx3-ubyte.gz >t10k-images-idx3-ubyte.gz
refuses 3 't10k-images-idx3-ubyte.gz: ' "$lockstep" import --idx . --out x.h5

# Configurations.
printf 'lr = 1\0\nbatch = 3\n' >zero.conf
refuses 2 'zero.conf: holds a zero byte' "${train[@]}" data/data.h5 --config zero.conf
printf '\377\376l\0r\0' >wide.conf
refuses 2 'wide.conf: holds a zero byte' "${train[@]}" data/data.h5 --config wide.conf
finish
