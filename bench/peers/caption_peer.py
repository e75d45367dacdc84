"""pycocoevalcap's tokenizer, CIDEr, BLEU and ROUGE-L, for comparing with `mmc4 eval score`.

usage: caption_peer.py PREDICTIONS REFERENCES ROUNDS
PREDICTIONS is a COCO result file, REFERENCES a COCO caption annotation file. Java must be on the path. Prints one JSON
object: version, images, captions, wall seconds per round (whole, tokenising, cider, bleu, rouge) and the scores (times 100).
"""
import contextlib
import io
import json
import os
import sys
import time
from importlib.metadata import version

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

predictions_path, references_path, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])


def load():
    with open(references_path, encoding="utf-8") as f:
        annotations = json.load(f)["annotations"]
    with open(predictions_path, encoding="utf-8") as f:
        predictions = {p["image_id"]: [{"caption": p["caption"]}] for p in json.load(f)}
    references = {}
    for a in annotations:
        references.setdefault(a["image_id"], []).append({"caption": a["caption"]})
    return references, {i: predictions[i] for i in references}


seconds, scores = [], {}
quiet = open(os.devnull, "w")
for _ in range(rounds):
    marks = {}
    begin = last = time.perf_counter()

    def mark(name):
        global last
        now = time.perf_counter()
        marks[name] = now - last
        last = now

    with contextlib.redirect_stdout(io.StringIO()):
        references, predictions = load()
        mark("read")
        references = PTBTokenizer().tokenize(references)
        predictions = PTBTokenizer().tokenize(predictions)
        mark("tokenise")
        scores["CIDEr"] = 100 * float(Cider().compute_score(references, predictions)[0])
        mark("cider")
        for n, value in enumerate(Bleu(4).compute_score(references, predictions, verbose=0)[0]):
            scores[f"BLEU_{n + 1}"] = 100 * value
        mark("bleu")
        scores["ROUGE_L"] = 100 * float(Rouge().compute_score(references, predictions)[0])
        mark("rouge")
    marks["whole"] = last - begin
    seconds.append(marks)

print(json.dumps({
    "version": f"pycocoevalcap {version('pycocoevalcap')} (Stanford CoreNLP 3.4.1)",
    "images": len(references),
    "captions": sum(len(r) for r in references.values()) + len(predictions),
    "seconds": seconds,
    "scores": scores,
}))
