"""Hugging Face tokenizers. open: texts (a JSON list), tokenizer (tokenizer.json; when it is not there yet, a byte-level BPE
of `size` ids is trained on the texts and written there, with GPT-2's pre-tokenizer). Result: the ids of every text.
"""
import json
import os

import tokenizers
from protocol import serve


def train(texts, size, path):
    t = tokenizers.Tokenizer(tokenizers.models.BPE())
    t.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(texts, tokenizers.trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False))
    t.save(path)


class Encode:
    def __init__(self, texts, tokenizer, size):
        with open(texts, encoding="utf-8") as f:
            self.texts = json.load(f)
        if not os.path.exists(tokenizer):
            train(self.texts, size, tokenizer)
        self.tokenizer = tokenizers.Tokenizer.from_file(tokenizer)
        self.encode = getattr(self.tokenizer, "encode_batch_fast", self.tokenizer.encode_batch)  # without offsets
        self.version = f"tokenizers {tokenizers.__version__}"

    def run(self):
        return self.encode(self.texts)

    def write(self, result, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump([encoding.ids for encoding in result], f)


serve(Encode)
