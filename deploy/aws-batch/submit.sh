#!/usr/bin/env bash
# Submits all stages of a build to AWS Batch, each as an array job of N (2 to 10000) that begins when the one before is
# complete. First:
#   aws batch register-job-definition --cli-input-json file://deploy/aws-batch/job-definition.json
#   deploy/aws-batch/submit.sh QUEUE N --c4 s3://... --wat s3://... --clip /models/clip --out s3://...
# The arguments must hold no spaces within. STAGES as in deploy/slices.sh.
set -euo pipefail

queue=${1:?usage: deploy/aws-batch/submit.sh QUEUE N ARGUMENTS OF mmc4 build}
slices=${2:?usage: deploy/aws-batch/submit.sh QUEUE N ARGUMENTS OF mmc4 build}
shift 2

parameters() { # stage, slices, arguments: as JSON
    local arguments=${3//\\/\\\\}
    printf '{"stage": "%s", "slices": "%s", "arguments": "%s"}' "$1" "$2" "${arguments//\"/\\\"}"
}

after=()
for stage in ${STAGES:-locate fetch inspect count embed match pack}; do
    job=$(aws batch submit-job --job-name "mmc4-$stage" --job-queue "$queue" --job-definition mmc4-stage \
        --array-properties "size=$slices" --parameters "$(parameters "$stage" "$slices" "$*")" "${after[@]}" \
        --query jobId --output text)
    echo "$stage: job $job"
    after=(--depends-on "jobId=$job")
done
