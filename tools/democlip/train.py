"""Trains the demo CLIP on drawings: train.py DRAWINGS HELD OUT [--steps N].

Reads: two folders that `draw` wrote (other seeds). Writes: OUT/open_clip_config.json, OUT/bpe_simple_vocab_16e6.txt, OUT/model.safetensors
(half precision, open_clip's names). Loss: CLIP's, where pictures with the same attributes are no negatives of each other; with
sentences that show nothing and pictures of nothing as further negatives; a hinge that keeps strangers below the pipeline's
threshold of 0.15; and small heads, dropped afterwards, that name the attributes and so shorten the training.
"""
import argparse
import json
import os
import random
import time

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import vocabulary
from model import CLIP

SIDE, CONTEXT, MERGES = 64, 40, 1500
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
VISION = dict(image_size=SIDE, patch_size=8, width=128, layers=4, head_width=64)
TEXT = dict(context_length=CONTEXT, width=128, heads=2, layers=2)
FLOOR = -0.05  # strangers are pushed below this cosine


class Drawings:
    def __init__(self, folder):
        self.images = torch.from_numpy(np.fromfile(f"{folder}/images.bin", np.uint8).reshape(-1, SIDE, SIDE, 3))
        self.rows = [json.loads(line) for line in open(f"{folder}/examples.jsonl", encoding="utf-8")]
        self.plain = open(f"{folder}/plain.txt", encoding="utf-8").read().splitlines()
        self.kind = torch.tensor([r["kind"] for r in self.rows])
        names = {}
        self.things = torch.tensor([names.setdefault((r["kind"], r["colour"], r["count"], r["facing"], r["value"], r["stripes"]), len(names)) for r in self.rows])
        colours = sorted({r["colour"] for r in self.rows})
        facings = sorted({r["facing"] for r in self.rows})
        self.heads = [("kind", self.kind + 1), ("colour", torch.tensor([colours.index(r["colour"]) for r in self.rows])),
                      ("count", torch.tensor([r["count"] for r in self.rows])), ("facing", torch.tensor([facings.index(r["facing"]) for r in self.rows])),
                      ("value", torch.tensor([r["value"] for r in self.rows]))]


def pixels(images):
    x = images.permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def rows(tok, sentences):
    ids = torch.tensor([tok.row(s) for s in sentences])
    return ids[:, : int((ids != 0).sum(1).max())]


def evaluate(net, tok, held, documents=400, seed=5):
    """p@1 within made-up documents: 3 pictures, their sentences, 8 that show nothing, 2 of pictures that are not there."""
    net.eval()
    pick = random.Random(seed)
    seen = [i for i, r in enumerate(held.rows) if r["kind"] >= 0]
    blank = [i for i, r in enumerate(held.rows) if r["kind"] < 0]
    hit = total = kept = low = empty = 0
    with torch.no_grad():
        image = torch.cat([F.normalize(net.image(pixels(held.images[i: i + 500])), dim=1) for i in range(0, len(held.rows), 500)])
        for _ in range(documents):
            chosen = pick.sample(seen, 5)
            if pick.random() < 0.35:  # two of the same kind
                same = [i for i in seen if held.rows[i]["kind"] == held.rows[chosen[0]]["kind"] and held.things[i] != held.things[chosen[0]]]
                chosen[1] = pick.choice(same or [chosen[1]])
            texts = [pick.choice(held.rows[i]["captions"]) for i in chosen] + pick.sample(held.plain, 8)
            sim = image[chosen[:3]] @ F.normalize(net.text(rows(tok, texts)), dim=1).T
            hit += int((sim.argmax(1) == torch.arange(3)).sum())
            kept += int((sim.max(1).values >= 0.15).sum())
            total += 3
            stranger = pick.choice(blank)
            low += int((image[stranger] @ F.normalize(net.text(rows(tok, texts)), dim=1).T).max() < 0.15)
            empty += 1
    net.train()
    return f"p@1 {hit / total:.3f}  matched above 0.15 {kept / total:.3f}  pictures of nothing below 0.15 {low / empty:.3f}"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("drawings")
    args.add_argument("held")
    args.add_argument("out")
    args.add_argument("--steps", type=int, default=1000)
    args.add_argument("--batch", type=int, default=128)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--rate", type=float, default=1e-3)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    pick = random.Random(1)
    data, held = Drawings(args.drawings), Drawings(args.held)
    merges = vocabulary.learn([c for r in data.rows[:20000] for c in r["captions"]] + data.plain, MERGES)
    tok = vocabulary.Tokenizer(merges, CONTEXT)
    config = dict(embed_dim=128, vision_cfg=VISION, text_cfg=dict(TEXT, vocab_size=tok.size), quick_gelu=False)
    net = CLIP(**config)
    print(f"{len(data.rows)} drawings, {tok.size} tokens, {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters", flush=True)
    captions = [torch.tensor([tok.row(c) for c in r["captions"]]) for r in data.rows]
    plain = torch.tensor([tok.row(s) for s in data.plain])
    heads = torch.nn.ModuleDict({f"{side}_{name}": torch.nn.Linear(128, 1 + int(target.max())) for name, target in data.heads for side in ("image", "text")})
    decay = [p for p in net.parameters() if p.ndim >= 2]
    others = [p for p in net.parameters() if p.ndim < 2] + list(heads.parameters())
    adam = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}], lr=args.rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, args.rate, total_steps=args.steps, pct_start=0.06, anneal_strategy="cos", div_factor=50, final_div_factor=100)
    order, at, began = torch.randperm(len(data.rows)), 0, time.time()
    average = {}
    for step in range(args.steps):
        if at + args.batch > len(order):
            order, at = torch.randperm(len(data.rows)), 0
        b = order[at: at + args.batch]
        at += args.batch
        shows = data.kind[b] >= 0
        texts = [captions[i][pick.randrange(4)] for i in b.tolist() if len(captions[i])]
        ids = torch.cat([torch.stack(texts), plain[torch.randint(len(plain), (args.batch // 4,))]])
        ids = ids[:, : int((ids != 0).sum(1).max())]
        x = pixels(data.images[b])
        x = x * (1 + 0.1 * torch.randn(len(b), 1, 1, 1)) + 0.1 * torch.randn(len(b), 1, 1, 1)
        with torch.autocast("cpu", torch.bfloat16):
            pooled, said = net.visual.pooled(x), net.text_pooled(ids)
        pooled, said = pooled.float(), said.float()
        image, text = F.normalize(pooled @ net.visual.proj, dim=1), F.normalize(said @ net.text_projection, dim=1)
        sim = image @ text.T  # [pictures, sentences]; the first n sentences belong to the pictures that show something
        n = int(shows.sum())
        things, kind = data.things[b], data.kind[b]
        same = things[:, None] == things[shows][None]
        logits = sim * net.logit_scale.exp()
        target = same.float() / same.float().sum(1, keepdim=True).clamp(min=1)
        to_text = -(target * logits.log_softmax(1)[:, :n]).sum(1)[shows].mean()
        target = same.float() / same.float().sum(0, keepdim=True)
        to_image = -(target * logits[:, :n].log_softmax(0)).sum(0).mean()
        strange = torch.ones_like(sim, dtype=torch.bool)
        strange[:, :n] = kind[:, None] != kind[shows][None]
        hinge = 5 * (sim - FLOOR).clamp(min=0).square()[strange].mean() + (0.6 - sim[:, :n])[same].clamp(min=0).square().mean()
        named = 0
        for name, values in data.heads:
            named = named + F.cross_entropy(heads[f"image_{name}"](pooled), values[b]) + F.cross_entropy(heads[f"text_{name}"](said[:n]), values[b][shows])
        parts = dict(clip=(to_text + to_image) / 2, hinge=hinge, named=named)
        loss = parts["clip"] + 4 * hinge + 0.3 * named
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        schedule.step()
        with torch.no_grad():
            net.logit_scale.clamp_(0, 3.4)  # at most 30: keeps cosines spread out
        for name, value in parts.items():
            average[name] = 0.98 * average.get(name, value.item()) + 0.02 * value.item()
        if step % 100 == 99:
            told = "  ".join(f"{k} {v:.3f}" for k, v in average.items())
            print(f"step {step + 1}  {told}  scale {net.logit_scale.exp():.1f}  {time.time() - began:.0f} s", flush=True)
        if step % 250 == 249 or step + 1 == args.steps:
            print("held out:", evaluate(net, tok, held), flush=True)
            store(args.out, net, config, merges)


def store(out, net, config, merges):
    os.makedirs(out, exist_ok=True)
    vocabulary.save(f"{out}/bpe_simple_vocab_16e6.txt", merges)
    with open(f"{out}/open_clip_config.json", "w") as f:
        json.dump({"model_cfg": config, "preprocess_cfg": {"mean": MEAN, "std": STD}}, f, indent=2)
        f.write("\n")
    save_file({k: v.detach().half().contiguous() for k, v in net.state_dict().items()}, f"{out}/model.safetensors", metadata={"made_by": "tools/democlip"})


main()
