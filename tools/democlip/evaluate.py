"""Measures a demo CLIP on a drawn web: evaluate.py MODEL WEB. WEB is what `mmc4 demo` writes below DIR/web.

Prints p@1 within documents by assignment, by arg-max and by chance, and how the pipeline's threshold of 0.15 falls: the share
of pictures with a sentence above it, of surfaces and of stray drawings below it. Independent of the Go code but for the web.
"""
import json
import sys
from urllib.parse import urlsplit

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy.optimize import linear_sum_assignment
from torch.nn import functional as F

import vocabulary
from model import CLIP


def load(folder):
    config = json.load(open(f"{folder}/open_clip_config.json"))
    merges = [tuple(line.split()) for line in open(f"{folder}/bpe_simple_vocab_16e6.txt", encoding="utf-8").read().splitlines()[1:]]
    net = CLIP(**config["model_cfg"])
    net.load_state_dict({k: v.float() for k, v in load_file(f"{folder}/model.safetensors").items()})
    return net.eval(), vocabulary.Tokenizer(merges, config["model_cfg"]["text_cfg"]["context_length"]), config


def preprocess(path, side, mean, std):
    """CLIP's: bicubic to the short side, the middle, normalised."""
    im = Image.open(path).convert("RGB")
    w, h = im.size
    w, h = (side, int(side * h / w)) if w <= h else (int(side * w / h), side)
    im = im.resize((w, h), Image.BICUBIC)
    left, top = round((w - side) / 2), round((h - side) / 2)
    x = torch.from_numpy(np.array(im.crop((left, top, left + side, top + side)))).permute(2, 0, 1).float() / 255
    return (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def main():
    net, tok, config = load(sys.argv[1])
    web, side, norm = sys.argv[2], config["model_cfg"]["vision_cfg"]["image_size"], config["preprocess_cfg"]
    rates = {"assignment": [], "arg-max": [], "chance": []}
    above, surfaces, strays, wrong = [], [], [], []
    for d in json.load(open(f"{web}/truth.json", encoding="utf-8"))["Documents"]:
        if d["match"] == "none":
            continue
        pictures = [i for i in d["images"] or [] if i["attr"] == "img@src" and i["rule"] in ("", "similarity")]
        if not pictures:
            continue
        with torch.no_grad():
            x = torch.stack([preprocess(f"{web}/www/{urlsplit(i['url']).hostname}{urlsplit(i['url']).path}", side, norm["mean"], norm["std"]) for i in pictures])
            ids = torch.tensor([tok.row(s) for s in d["sentences"]])
            sim = (F.normalize(net.image(x), dim=1) @ F.normalize(net.text(ids), dim=1).T).numpy()
        keep = sim.max(1) >= 0.15
        for i, row in zip(pictures, sim):
            (above if i["shows"] else surfaces if not i.get("kind") else strays).append(row.max() >= 0.15 if i["shows"] else row.max() < 0.15)
        pictures, sim = [i for i, k in zip(pictures, keep) if k], sim[keep]
        if not any(i["shows"] for i in pictures):
            continue
        best = sim.argmax(1)
        given = best.copy()
        at, to = linear_sum_assignment(-sim)
        given[at] = to
        here = {name: [] for name in rates}
        for n, i in enumerate(pictures):
            if i["shows"]:
                here["assignment"].append(given[n] in i["shows"])
                here["arg-max"].append(best[n] in i["shows"])
                here["chance"].append(len(i["shows"]) / len(d["sentences"]))
                if given[n] not in i["shows"]:
                    wrong.append((i["caption"], d["sentences"][given[n]]))
        for name, values in here.items():
            rates[name].append(np.mean(values))
    for w in wrong[:30]:
        print("wrong:", *w, sep="  ")
    for name, values in rates.items():
        print(f"{name:<12}{100 * np.mean(values):6.1f} %  of {len(values)} documents")
    for name, values in (("shown pictures above 0.15", above), ("surfaces below", surfaces), ("stray drawings below", strays)):
        print(f"{name:<28}{100 * np.mean(values):6.1f} %  of {len(values)}")


if __name__ == "__main__":
    main()
