"""Hugging Face tokenizers on one thread, for `mmc4 bench tokenizers`.

usage: tokenizers_peer.py TOKENIZER.json TEXT ROUNDS
TEXT holds one document a line. Prints one JSON object: version, bytes, seconds per round, SHA-256 of all ids as
little-endian uint32, so that the caller can see that the outputs agree.
"""
import hashlib
import json
import os
import struct
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402

tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])
with open(sys.argv[2], encoding="utf-8", newline="") as f:
    documents = f.read().split("\n")
encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)  # without offsets where it can
digest = hashlib.sha256()
for encoding in encode(documents):  # also warms its cache
    digest.update(struct.pack(f"<{len(encoding.ids)}I", *encoding.ids))
seconds = []
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    encode(documents)
    seconds.append(time.perf_counter() - start)
print(json.dumps({"peer": "tokenizers", "version": tokenizers.__version__, "bytes": sum(len(d.encode()) for d in documents),
                  "seconds": seconds, "ids_sha256": digest.hexdigest()}))
