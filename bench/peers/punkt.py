"""NLTK's Punkt with the English parameters as the Go module neurosnap/sentences holds them, which are NLTK's own."""
import json

from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer


def load(path):
    with open(path, encoding="utf-8") as f:
        learned = json.load(f)
    parameters = PunktParameters()
    parameters.abbrev_types = set(learned["AbbrevTypes"])
    parameters.sent_starters = set(learned["SentStarters"])
    parameters.collocations = {tuple(pair.split(",", 1)) for pair in learned["Collocations"]}
    parameters.ortho_context.update(learned["OrthoContext"])
    return PunktSentenceTokenizer(parameters)
