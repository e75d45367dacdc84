#!/usr/bin/env python3
"""Reads the pair shards of a run with the libraries that people train with, and compares what they say.

    pip install webdataset pyarrow pillow
    python docs/read_pairs.py RUN
"""
import glob
import io
import json
import sys

import pyarrow.parquet as pq
import webdataset as wds
from PIL import Image

run = sys.argv[1].rstrip("/")
rows = {}
for name in sorted(glob.glob(f"{run}/pairs/*.parquet")):
    for row in pq.read_table(name).to_pylist():
        assert row["pair_id"] not in rows, row["pair_id"]
        rows[row["pair_id"]] = row

shards = sorted(glob.glob(f"{run}/webdataset/*.tar"))
seen = 0
for sample in wds.WebDataset(shards, shardshuffle=False, empty_check=False):
    row = rows[sample["__key__"]]
    about = json.loads(sample["json"])
    ending = row["image_name"].rsplit(".", 1)[1]
    picture = sample[ending]
    assert sample["txt"].decode() == row["caption"] == about["caption"]
    assert row["bytes"] is None or picture == row["bytes"]
    assert Image.open(io.BytesIO(picture)).size == (row["width"], row["height"])
    seen += 1
assert seen == len(rows), (seen, len(rows))

# The way of open_clip (data.py, get_wds_dataset) and of open_flamingo (data.py, get_laion_dataset).
clip = wds.WebDataset(shards, shardshuffle=False, empty_check=False).decode("pilrgb").rename(image="jpg;png;jpeg;webp", text="txt").to_tuple("image", "text")
flamingo = wds.WebDataset(shards, shardshuffle=False, empty_check=False).decode("pilrgb").to_tuple("jpg;png;jpeg", "txt")
for pairs in (clip, flamingo):
    n = 0
    for image, text in pairs:
        assert image.mode == "RGB" and isinstance(text, str)
        n += 1
    assert n == len(rows), (n, len(rows))
print(f"ok: {len(rows)} pairs in {len(shards)} tars, the same in Parquet, webdataset, open_clip's and open_flamingo's pipelines")
