#!/bin/sh
# One sweep as a Slurm job array: each task is a shard, and the tables are merged when all are done.
#
#     job=$(sbatch --parsable --array=1-8 scripts/slurm_array.sh SWEEP.toml DIR)
#     sbatch --dependency=afterany:$job --wrap "aquasim merge DIR/shard-* --out DIR/merged"
#
# The array must begin with 1. A task that is requeued, after a node failed or a more urgent job took it, goes on where
# it stopped: its shard is a journal of finished points. AQUASIM names the program, if it is not on the path.
#
#SBATCH --job-name=aquasim
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
sweep=$1
out=$2
mkdir -p "$out"
# exec: Slurm's signals reach aquasim itself, which then finishes the points in hand.
exec "${AQUASIM:-aquasim}" sweep "$sweep" --out "$out/shard-$SLURM_ARRAY_TASK_ID" \
    --threads "${SLURM_CPUS_PER_TASK:-1}" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
