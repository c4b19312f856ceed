#!/usr/bin/env bash
# The quickstart on small data, without installing and compiling: data sets are told apart by what they hold. And
# what all scripts have in common: they explain themselves, and say what is missing.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$(realpath "$1")
make_data=$2
jobs=$3/jobs
"$make_data" made
mkdir -p clone/build/release bin A/raw B/raw
cp -r "$jobs" clone
ln -s "$lockstep" clone/build/release/lockstep
printf '#!/bin/sh\n' >bin/cmake
chmod +x bin/cmake
cp made/*ubyte* A/raw
cp made/*ubyte* B/raw
for what in images labels; do # other test rows: the first of the training rows
    find B/raw -name "t10k-$what*" -delete
done
"$lockstep" import --idx A/raw --out whole.h5 2>/dev/null
cp B/raw/train-images* "B/raw/t10k-images-idx3-ubyte"
cp B/raw/train-labels* "B/raw/t10k-labels-idx1-ubyte"
start() { # FOLDER_OF_IDX_FILES, from where this is
    PATH=$PWD/bin:$PATH LOCKSTEP_IDX_DIR=$1 clone/jobs/quickstart.sh --no-install >out 2>err
}

start A/raw
check "the quickstart on a folder that is relative" [ $? = 0 ]
tail -n 1 out >first
check "ends with the result" has first '^test accuracy [0-9.]+ on A-[0-9a-f]{8}; results in runs/quickstart-A-'
check "says what next: three commands" [ "$(grep -cE '^(build/release/lockstep eval|jobs/report.sh|jobs/sweep.sh) ' err)" = 3 ]
! command -v gnuplot >/dev/null || check "and draws the curves" has err '^drawn: runs/quickstart-A-[0-9a-f]+/curves.svg'
start B/raw
check "on other data, in a folder of the same name" [ $? = 0 ]
check "which are trained and told apart" [ "$(find clone/runs -name summary.json | wc -l)" = 2 ]
check "with a name of their own" has out '^test accuracy [0-9.]+ on B-[0-9a-f]{8};'
mv B C && mv A B && touch B/raw/*
start "$PWD/B/raw"
check "the first data under the other's name" [ $? = 0 ]
check "are the first data, of which there is one copy" [ "$(find clone/data -name 'A-*.h5' -o -name 'B-*.h5' | wc -l)" = 3 ]
start "$PWD/B/raw"
tail -n 1 out >second
start B/raw
check "once more: nothing to do" has err 'nothing to do'
check "and the same result" [ "$(tail -n 1 out)" = "$(cat second)" ]
for data in clone/data/*.h5; do cp whole.h5 "$data"; done
"$lockstep" import --force --idx C/raw --out clone/data/"$(sed 's/.* on \(.*\);.*/\1/' second)".h5 2>/dev/null
start B/raw
check "a file that holds other data is not taken for these" [ $? = 3 ]
check "and stays" has err '^quickstart.sh: data/B-[0-9a-f]+.h5 holds other data than .*/B/raw: move it away'
rm C/raw/t10k-labels*
start C/raw
check "a folder without all files" [ $? = 3 ]
check "is named" has err '^quickstart.sh: LOCKSTEP_IDX_DIR: .*/C/raw has not all four'

# Every script explains itself, and does nothing then.
before=$(find . | sort)
for script in "$jobs"/*.sh "$jobs"/*.sbatch; do
    [ "${script##*/}" != common.sh ] || continue
    "$script" --help >help 2>&1
    check "${script##*/} --help" [ $? = 0 ]
    check "${script##*/} --help says something" [ "$(wc -l <help)" -ge 3 ]
done
for script in benchmark benchmark_torch; do
    ! command -v python3 >/dev/null || check "$script.py --help" [ -n "$(python3 "$jobs/$script.py" --help)" ]
done
rm -f help
check "help makes no file" [ "$(find . | sort)" = "$before" ]
for script in train requeue sweep scaling; do
    env -u SLURM_JOB_ID "$jobs/$script.sbatch" --data x.h5 >help 2>err
    check "$script.sbatch outside Slurm" [ $? = 2 ]
    check "$script.sbatch says where it belongs" has err 'submit this script by sbatch'
done

# Where there is no dpkg nothing can be told, and where there is no gnuplot nothing be drawn.
mkdir tools
for tool in bash dirname id sed mkdir; do ln -s "$(command -v $tool)" tools; done
PATH=$PWD/tools "$jobs/dependencies.sh" >out 2>err
check "no Debian: a code of its own" [ $? = 69 ]
check "and what is needed" has err 'Lockstep needs the content of these packages: .*gnuplot-nox'
PATH=$PWD/tools "$jobs/plot_training.sh" curves run >out 2>err
check "no gnuplot" [ $? = 2 ]
check "is said" has err 'gnuplot is not installed \(Debian: gnuplot-nox\)'
"$jobs/dependencies.sh" nonsense >out 2>err
check "a set of packages that there is not" [ $? = 2 ]
finish
