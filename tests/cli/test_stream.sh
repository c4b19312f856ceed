#!/usr/bin/env bash
# Data larger than memory: with --stream a rank's memory does not depend on the size of the data set, whatever its type
# and order; without, a rank holds its share.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
lockstep=$1
need_python h5py
if [ "$(nm -D "$lockstep" | grep -c __asan_init)" != 0 ]; then
    echo "skipped: AddressSanitizer needs memory of its own"
    exit 77
fi

# 160 MB of floats each; a hundredth of them; targets are a sum.
"$python" - <<'END'
import h5py
import numpy as np

x = np.random.RandomState(5).random_sample((20000, 100)).astype("f4")
y = x[:, :9].sum(1)
def write(name, times, **options):
    with h5py.File(name + ".h5", "w") as file:
        columns = name == "columns"
        shape = (100, 20000 * times) if columns else (20000 * times, 100)
        file.create_dataset("x", shape, "f4", **options)
        file.create_dataset("y", (20000 * times,), "f4")
        for k in range(times):
            rows = slice(20000 * k, 20000 * (k + 1))
            file["x"][(slice(None), rows) if columns else rows] = x.T if columns else x
            file["y"][rows] = y
write("rows", 20)
write("columns", 20)
write("chunks", 20, chunks=(1000, 50))
with h5py.File("few.h5", "w") as file:
    file["x"], file["y"] = x[:4000], y[:4000]
END
# Runs a command and appends its peak of memory, in MiB, to a file.
cat >peak.py <<'END'
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "a") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=file)
sys.exit(code)
END
# Trains on 2 ranks; prints the larger peak: peak RUN DATA OPTION ...
peak() {
    local run=$1 data=$2
    shift 2
    rm -f "$run.mib"
    mpirun -n 2 "$python" peak.py "$run.mib" "$lockstep" train --data "$data.h5" --inputs "/x[:,:99]" --targets /y --model dense:1 \
        --batch 4000 --epochs 1 --standardize fit --threads 1 --shuffle local --reduce fused --run "$run" --quiet "$@" 2>"$run.err" || echo 99999
    sort -n "$run.mib" | tail -n 1
}
base=$(peak base few)
share=$(peak share rows)
echo "MiB: $base without data, $share with a share of 80 MB in memory"
check "a rank holds its share" [ "$share" -ge $((base + 60)) ]
check "and little else" [ "$share" -le $((base + 76 + 30)) ]
for data in rows columns chunks; do
    streamed=$(peak stream-$data $data --stream --memory 16M)
    echo "MiB: $streamed with --stream of $data"
    check "--stream of $data needs its --memory only" [ "$streamed" -le $((base + 16 + 24)) ]
    rm "$data.h5"
    check "streamed $data give the same network" same_bits stream-rows stream-$data
done
finish
