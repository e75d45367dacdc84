"""What MMC4's Python does with documents whose similarities are known: NLTK's sentences, lapjv's assignment padded to a
square with 1000, leftovers to their arg-max, one JSON line a document.

open: english (Punkt's parameters), documents (JSON lines: url, text, image_info, similarity_matrix, whose columns are the
sentences of text), out (a file, written anew by every run). Result: what is in out.
"""
import json
import shutil
from importlib.metadata import version

import lapjv
import nltk
import numpy as np
import punkt
from protocol import serve


def assign(similarity):
    n, m = similarity.shape
    cost = np.full((max(n, m),) * 2, 1000, dtype=np.float64)
    cost[:n, :m] = -similarity
    row_to_col = lapjv.lapjv(cost)[0]
    return [int(j) if j < m else int(similarity[i].argmax()) for i, j in enumerate(row_to_col[:n])]


class Script:
    def __init__(self, english, documents, out):
        self.tokenizer, self.documents, self.out = punkt.load(english), documents, out
        self.version = f"MMC4's Python with nltk {nltk.__version__}, lapjv {version('lapjv')}"

    def run(self):
        with open(self.documents, encoding="utf-8") as lines, open(self.out, "w", encoding="utf-8") as written:
            for line in lines:
                document = json.loads(line)
                document["text_list"] = self.tokenizer.tokenize(document.pop("text"))
                matrix = document["similarity_matrix"]
                for i, (image, j) in enumerate(zip(document["image_info"], assign(np.array(matrix)))):
                    image["matched_text_index"] = j
                    image["matched_sim"] = matrix[i][j]
                written.write(json.dumps(document) + "\n")

    def write(self, _, path):
        shutil.copyfile(self.out, path)


serve(Script)
