#!/usr/bin/env bash
# Runs a build as N slices on one machine, stage by stage. The pattern of every scheduler in this folder, in a loop: all
# slices of a stage run side by side over one RUN; one that dies is run again; the next stage begins when all are done.
#
#   deploy/slices.sh N mmc4 build --c4 ... --wat ... --clip ... --out RUN
#
# STAGES names the stages (those of a run over documents unless set; with --pairs: "locate fetch inspect pack", and with
# --clip too "locate fetch inspect embed match pack"). ATTEMPTS (5) is how often a slice is tried.
set -euo pipefail

slices=${1:?usage: deploy/slices.sh N mmc4 build ARGUMENTS...}
shift

slice() { # stage, number: one slice to its end
    local status=0
    for ((attempt = 1; attempt <= ${ATTEMPTS:-5}; attempt++)); do
        status=0
        "${command[@]}" --stage "$1" --slice "$2/$slices" || status=$?
        case $status in
        0 | 3) return 0 ;;      # done; 3: some inputs could not be read, the last slice of pack names them again
        2 | 4) return $status ;; # wrong usage, refused: trying again does not help
        130) return $status ;;
        esac
        echo "slice $2 of stage $1 ended with $status, attempt $attempt" >&2
    done
    return "$status"
}

command=("$@")
for stage in ${STAGES:-locate fetch inspect count embed match pack}; do
    pids=()
    for ((i = 1; i <= slices; i++)); do
        slice "$stage" "$i" &
        pids+=($!)
    done
    failed=0
    for pid in "${pids[@]}"; do
        wait "$pid" || failed=$?
    done
    if ((failed)); then
        echo "stage $stage is not complete; run the same command again, it goes on" >&2
        exit "$failed"
    fi
done
