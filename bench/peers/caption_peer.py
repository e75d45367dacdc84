"""pycocoevalcap's tokenizer, CIDEr, BLEU and ROUGE-L as one command, for comparing with `mmc4 eval score`.

usage: caption_peer.py PREDICTIONS REFERENCES
PREDICTIONS is a COCO result file, REFERENCES a COCO caption annotation file. Java must be on the path. Prints one JSON
object: the scores, times 100. Without arguments it speaks protocol.py and only says its version.
"""
import contextlib
import io
import json
import sys
from importlib.metadata import version


class Version:
    version = f"pycocoevalcap {version('pycocoevalcap')} (Stanford CoreNLP 3.4.1)"


def load(predictions_path, references_path):
    with open(references_path, encoding="utf-8") as f:
        annotations = json.load(f)["annotations"]
    with open(predictions_path, encoding="utf-8") as f:
        predictions = {p["image_id"]: [{"caption": p["caption"]}] for p in json.load(f)}
    references = {}
    for a in annotations:
        references.setdefault(a["image_id"], []).append({"caption": a["caption"]})
    return references, {i: predictions[i] for i in references}


def score(predictions_path, references_path):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    with contextlib.redirect_stdout(io.StringIO()):
        references, predictions = load(predictions_path, references_path)
        references = PTBTokenizer().tokenize(references)
        predictions = PTBTokenizer().tokenize(predictions)
        scores = {"CIDEr": Cider().compute_score(references, predictions)[0]}
        for n, value in enumerate(Bleu(4).compute_score(references, predictions, verbose=0)[0]):
            scores[f"BLEU_{n + 1}"] = value
        scores["ROUGE_L"] = Rouge().compute_score(references, predictions)[0]
    return {name: 100 * float(value) for name, value in scores.items()}


if len(sys.argv) > 1:
    print(json.dumps({"scores": score(*sys.argv[1:])}))
else:
    from protocol import serve

    serve(Version)
