"""NLTK's sentences. open: english (Punkt's parameters), texts (a JSON list). Result: the sentences of every text."""
import json

import nltk
import punkt
from protocol import serve


class Sentences:
    def __init__(self, english, texts):
        self.tokenizer = punkt.load(english)
        with open(texts, encoding="utf-8") as f:
            self.texts = json.load(f)
        self.version = f"nltk {nltk.__version__}"

    def run(self):
        return [self.tokenizer.tokenize(text) for text in self.texts]


serve(Sentences)
