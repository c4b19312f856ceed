#!/usr/bin/env bash
# Runs the test of the reducers with each of Open MPI's algorithms for their collectives, and a second test, if given, with
# each of the allreduce algorithms.
#   test_algorithms.sh RANKS TEST_REDUCER [TEST_REPRODUCIBLE]
set -u
ranks=$1
test=$2
reproducible=${3:-}
passed=0
failed=0
# Runs $test with options of mpirun.
run_with() { # OPTION ...
    if mpirun -n "$ranks" "$@" "$test" >output 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED with $*"
        cat output
    fi
}
dynamic=(--mca coll_tuned_use_dynamic_rules 1)
for algorithm in 0 1 2 3 4 5 6; do
    run_with "${dynamic[@]}" --mca coll_tuned_allreduce_algorithm $algorithm
    [ -z "$reproducible" ] ||
        LOCKSTEP_TEST_STRIDE=7 test=$reproducible run_with "${dynamic[@]}" --mca coll_tuned_allreduce_algorithm $algorithm
done
for algorithm in 1 2 3 4; do
    run_with --mca coll_libnbc_iallreduce_algorithm $algorithm
    run_with "${dynamic[@]}" --mca coll_tuned_reduce_scatter_algorithm $algorithm
done
for algorithm in 1 2 3 4; do
    run_with "${dynamic[@]}" --mca coll_tuned_allgatherv_algorithm $algorithm
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
