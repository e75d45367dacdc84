"""webdataset 1.0.2 as open_flamingo 2.0.1 uses it on pairs: tars to token ids and normalised pixels. open: tars, tokenizer
(a tokenizer.json), samples, shown, side, max_tokens.

The pipeline is open_flamingo's get_laion_dataset without shuffling and without mirroring: decode("pilrgb"), open_clip's
validation transform, the tokenizer on "<image>CAPTION<|endofchunk|>END", in batches of 32. The tokenizer is the one inside
Hugging Face's, without transformers around it.

Result: for every one of the first `shown` samples the number of ids, the ids, and the pixels as float32 (3, side, side).
"""
import os
import struct
import sys

import tokenizers

sys.path.append(os.path.join(sys.prefix, "open_flamingo"))

import torch
import torchvision
import webdataset
from protocol import serve
from torchvision import transforms

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
BATCH = 32


def to_rgb(image):
    return image.convert("RGB")


class Pairs:
    def __init__(self, tars, tokenizer, samples, shown, side, max_tokens):
        torch.set_num_threads(1)
        self.tars, self.samples, self.shown = tars, samples, shown
        self.tokenizer = tokenizers.Tokenizer.from_file(tokenizer)
        self.tokenizer.add_special_tokens(["<|endoftext|>"])
        self.tokenizer.add_special_tokens(["<|endofchunk|>", "<image>", "<PAD>"])
        self.tokenizer.enable_truncation(max_tokens)
        resize = transforms.Resize(side, interpolation=transforms.InterpolationMode.BICUBIC)
        self.transform = transforms.Compose([resize, transforms.CenterCrop(side), to_rgb, transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
        self.version = f"webdataset {webdataset.__version__}, torchvision {torchvision.__version__}, tokenizers {tokenizers.__version__}"

    def images(self, batch):
        return torch.stack([self.transform(image) for image in batch])

    def texts(self, batch):
        return self.tokenizer.encode_batch([f"<image>{text.strip()}<|endofchunk|><|endoftext|>" for text in batch])

    def run(self):
        pipeline = webdataset.DataPipeline(
            webdataset.SimpleShardList(self.tars), webdataset.tarfile_to_samples(),
            webdataset.select(lambda sample: "txt" in sample and "jpg" in sample), webdataset.decode("pilrgb"),
            webdataset.to_tuple("jpg", "txt"), webdataset.batched(BATCH, partial=True, collation_fn=lambda batch: tuple(zip(*batch))),
            webdataset.map_tuple(self.images, self.texts))
        n, shown = 0, []
        for images, texts in pipeline:  # as a trainer, which keeps no batch
            if n < self.shown:
                shown.append((images, texts))
            n += len(texts)
        if n != self.samples:
            raise ValueError(f"{n} samples came out, not {self.samples}")
        return shown

    def write(self, result, path):
        with open(path, "wb") as f:
            for images, texts in result:
                for image, encoding in zip(images, texts):
                    f.write(struct.pack(f"<{1 + len(encoding.ids)}i", len(encoding.ids), *encoding.ids))
                    f.write(image.numpy().tobytes())


serve(Pairs)
