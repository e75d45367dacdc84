#!/usr/bin/env bash
# Runs all stages of a build on Kubernetes, each as an Indexed Job of N pods. First give the build its arguments:
#   kubectl create configmap mmc4-build --from-file=build.yaml --from-file=arguments
#   deploy/kubernetes/run.sh N
# STAGES as in deploy/slices.sh; TIMEOUT (24h) is how long a stage may take.
set -euo pipefail

slices=${1:?usage: deploy/kubernetes/run.sh N}
here=$(cd "$(dirname "$0")" && pwd)
for stage in ${STAGES:-locate fetch inspect count embed match pack}; do
    sed -e "s/mmc4-fetch # stage/mmc4-$stage/" -e "s/fetch # stage/$stage/" -e "s/16\\(\"\\{0,1\\}\\) # slices/$slices\\1/" \
        "$here/stage.yaml" | kubectl apply -f -
    kubectl wait --for=condition=Complete --timeout="${TIMEOUT:-24h}" "job/mmc4-$stage" &
    complete=$!
    kubectl wait --for=condition=Failed --timeout="${TIMEOUT:-24h}" "job/mmc4-$stage" >/dev/null 2>&1 &
    broken=$!
    if ! wait -n -p first "$complete" "$broken" || [[ $first == "$broken" ]]; then
        kill "$complete" "$broken" 2>/dev/null || true
        echo "stage $stage is not complete: kubectl describe job mmc4-$stage" >&2
        exit 1
    fi
    kill "$broken" 2>/dev/null || true
done
