"""What MMC4's Python does with documents whose similarities are known, for `mmc4 bench match`: NLTK's sentences, lapjv's
assignment padded to a square with 1000, leftovers to their arg-max, one JSON line a document.

usage: mmc4_script_peer.py ENGLISH.json DOCUMENTS OUT ROUNDS
ENGLISH.json holds Punkt's English parameters in the form of the Go module neurosnap/sentences. DOCUMENTS holds a JSON
object a line: url, text, image_info, similarity_matrix (its columns are the sentences of text). OUT is what is written.
Prints one JSON object: versions, documents, bytes read and written, seconds per round.
"""
import json
import os
import sys
import time
from importlib.metadata import version

import lapjv
import nltk
import numpy as np
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

english, source, out, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with open(english, encoding="utf-8") as f:
    learned = json.load(f)
parameters = PunktParameters()
parameters.abbrev_types = set(learned["AbbrevTypes"])
parameters.sent_starters = set(learned["SentStarters"])
parameters.collocations = {tuple(pair.split(",", 1)) for pair in learned["Collocations"]}
parameters.ortho_context.update(learned["OrthoContext"])
tokenizer = PunktSentenceTokenizer(parameters)


def assign(similarity):
    n, m = similarity.shape
    cost = np.full((max(n, m),) * 2, 1000, dtype=np.float64)
    cost[:n, :m] = -similarity
    row_to_col = lapjv.lapjv(cost)[0]
    return [int(j) if j < m else int(similarity[i].argmax()) for i, j in enumerate(row_to_col[:n])]


def run():
    documents = 0
    with open(source, encoding="utf-8") as lines, open(out, "w", encoding="utf-8") as written:
        for line in lines:
            document = json.loads(line)
            document["text_list"] = tokenizer.tokenize(document.pop("text"))
            matrix = document["similarity_matrix"]
            for i, (image, j) in enumerate(zip(document["image_info"], assign(np.array(matrix)))):
                image["matched_text_index"] = j
                image["matched_sim"] = matrix[i][j]
            written.write(json.dumps(document) + "\n")
            documents += 1
    return documents


seconds = []
for _ in range(rounds):
    start = time.perf_counter()
    documents = run()
    seconds.append(time.perf_counter() - start)
print(json.dumps({"peer": "MMC4's Python", "version": f"nltk {nltk.__version__}, lapjv {version('lapjv')}", "documents": documents,
                  "bytes_in": os.path.getsize(source), "bytes_out": os.path.getsize(out), "seconds": seconds}))
