#!/usr/bin/env bash
# Checks what can be checked of this folder without a cluster: scripts by bash and, where it is installed, shellcheck; JSON
# by Python; what run.sh makes of the Kubernetes template. internal/house has a test that looks at both templates' fields.
set -euo pipefail
cd "$(dirname "$0")"

scripts=(*.sh ./*/*.sh slurm/stage.sbatch)
for script in "${scripts[@]}"; do
    bash -n "$script"
done
if command -v shellcheck >/dev/null; then
    shellcheck "${scripts[@]}"
else
    echo "shellcheck is not installed: not run" >&2
fi
python3 -m json.tool aws-batch/job-definition.json >/dev/null
echo "ok: ${#scripts[@]} scripts, 1 JSON file"
