#!/usr/bin/env bash
# Submits all stages of a build to Slurm, each as an array of N tasks that begins when the one before is complete.
#   deploy/slurm/submit.sh N --c4 ... --wat ... --clip ... --out RUN
# STAGES as in deploy/slices.sh; SBATCH_OPTIONS is handed to sbatch (partition, account, ...).
set -euo pipefail

slices=${1:?usage: deploy/slurm/submit.sh N ARGUMENTS OF mmc4 build}
shift
here=$(cd "$(dirname "$0")" && pwd)
read -ra options <<<"${SBATCH_OPTIONS:-}"
after=()
for stage in ${STAGES:-locate fetch inspect count embed match pack}; do
    job=$(sbatch --parsable "${options[@]}" "${after[@]}" --kill-on-invalid-dep=yes --job-name="mmc4-$stage" \
        --array="1-$slices" --export="ALL,STAGE=$stage" "$here/stage.sbatch" "$@")
    echo "$stage: job $job"
    after=(--dependency="afterok:${job%%;*}")
done
