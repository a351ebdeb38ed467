#!/bin/bash
# Sets up a Slurm of one machine, without systemd, and runs a sharded sweep on it: a job array, one of whose tasks is
# requeued while it is at work. The merged tables must equal those of an unsharded run to the byte.
#
#     apt-get install slurm-wlm munge
#     scripts/slurm_one_machine.sh [SWEEP.toml [DIR]]       as root, in a container or on a machine without Slurm
#
# AQUASIM names the program, by default target/release/aquasim.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
sweep=$(realpath "${1:-$root/sweeps/figure5.toml}")
work=$(realpath -m "${2:-slurm-test}")
export AQUASIM=${AQUASIM:-$root/target/release/aquasim}
shards=3
host=$(hostname -s)

rm -rf "$work"
mkdir -p "$work"/{state,spool,logs}
export SLURM_CONF=$work/slurm.conf
cat > "$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/logs/slurmctld
SlurmdLogFile=$work/logs/slurmd
SlurmctldPort=16817
SlurmdPort=16818
KillWait=10
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF

# Only what this script started is ended.
started=()
end() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
}
trap end EXIT

# munge: a key and a socket of our own.
install -d -o munge -g munge -m 0700 /etc/munge /var/lib/munge /var/log/munge
install -d -o munge -g munge -m 0755 /run/munge
if [ ! -s /etc/munge/munge.key ]; then
    dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 status=none
fi
chown munge:munge /etc/munge/munge.key
chmod 0400 /etc/munge/munge.key
setpriv --reuid=munge --regid=munge --clear-groups munged --foreground & started+=($!)
for _ in $(seq 50); do munge -n > /dev/null 2>&1 && break; sleep 0.1; done

slurmctld -D & started+=($!)
slurmd -D -N "$host" & started+=($!)
for _ in $(seq 100); do sinfo -h -o %t 2> /dev/null | grep -q idle && break; sleep 0.2; done
sinfo

"$AQUASIM" sweep "$sweep" --out "$work/whole"

job=$(sbatch --parsable --array=1-$shards --output="$work/logs/task-%a" "$root/scripts/slurm_array.sh" "$sweep" "$work/out")
# The first task is taken away once it has some points, and queued again.
journal=$work/out/shard-1/journal
for _ in $(seq 600); do
    [ -s "$journal" ] && [ "$(wc -l < "$journal")" -ge 3 ] && break
    sleep 0.1
done
before=$(wc -l < "$journal")
scontrol requeue "${job}_1"
echo "requeued ${job}_1 after $((before - 1)) points"
# A requeued task waits for two minutes by default: it is let go at once.
for _ in $(seq 3000); do
    scontrol update JobId="${job}_1" StartTime=now 2> /dev/null || true
    [ -z "$(squeue -h -j "$job" 2> /dev/null)" ] && break
    sleep 0.2
done
tail -n 3 "$work"/logs/task-*
grep -q "goes on from there" "$work/logs/task-1" || echo "the task was killed at once, and not asked to stop"

"$AQUASIM" merge "$work"/out/shard-* --out "$work/merged"
for table in points components layers; do
    for ending in csv parquet; do cmp "$work/whole/$table.$ending" "$work/merged/$table.$ending"; done
done
echo "the merged tables equal those of the unsharded run to the byte"
