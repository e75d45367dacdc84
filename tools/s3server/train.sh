#!/bin/sh
# Trains a tiny Flamingo on shards that `mmc4 build` wrote to S3: starts the S3 server, builds the demo's corpus into a bucket,
# trains from there (footers and row groups by range requests), and examines the model. Writes below DIR; minutes.
#
# usage: tools/s3server/train.sh VERSITYGW MMC4 DIR [option of `mmc4 demo train` ...]
set -eu
[ $# -ge 3 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
server=$1 mmc4=$2 dir=$3
shift 3
mkdir -p "$dir/store/bucket"
export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_REGION=us-east-1
export AWS_ENDPOINT_URL=http://127.0.0.1:${PORT:-7070}
"$server" --access demo --secret demo --port "127.0.0.1:${PORT:-7070}" posix "$dir/store" >"$dir/server.log" 2>&1 &
pid=$!
trap 'kill $pid' EXIT
sleep 2
kill -0 $pid || { cat "$dir/server.log"; exit 1; }
"$mmc4" demo --out "$dir/demo" --run s3://bucket/run
"$mmc4" demo train --out "$dir/train" --run s3://bucket/run "$@"
