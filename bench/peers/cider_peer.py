"""pycocoevalcap's CIDEr of captions that are tokenised already.

open: tokens (a JSON list of {"Hypothesis", "References"}, tokens with spaces between them). Result: the score of every image.
"""
import json
from importlib.metadata import version

from protocol import serve
from pycocoevalcap.cider.cider import Cider


class Captions:
    def __init__(self, tokens):
        with open(tokens, encoding="utf-8") as f:
            items = json.load(f)
        self.references = {i: item["References"] for i, item in enumerate(items)}
        self.predictions = {i: [item["Hypothesis"]] for i, item in enumerate(items)}
        self.version = f"pycocoevalcap {version('pycocoevalcap')}"

    def run(self):
        return [float(s) for s in Cider().compute_score(self.references, self.predictions)[1]]


serve(Captions)
