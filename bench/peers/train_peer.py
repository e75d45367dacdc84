"""Steps of training by open_flamingo 2.0.1 on torch. open: folder (vision.safetensors, lm.safetensors, flamingo.safetensors in
open_clip's, Hugging Face's and open_flamingo's names; lm.json; ids.i32 and labels.i32 [steps, rows, tokens]; pictures.u8
[steps, rows, used, 224, 224, 3]), slots, steps, rows, tokens, used, media and eoc (ids), mean, std, lr, warmup (steps), threads.

{"do": "gradients", "ours", "path"} takes no step: of the next batch's gradients in fp32 and of those of ours (safetensors, one named
after its number in the optimizer's order) it writes how far they are from the gradients in float64, with the same weights and fp32 pixels:
the relative L2 error of every tensor, and the loss in float64.

A run is one step on the next batch, from the first again after the last: what train_one_epoch (train/train_utils.py) does for
its documents, in fp32, with AdamW in its two groups. Slots without a picture hold zeros and go through tower and resampler, as
upstream's do. Pictures are normalised and labels made beforehand. Dropout is off, so that losses can be compared.

Result: the step's loss. {"do": "memory"} answers {"peak_bytes"}, of the whole process since the model was made.
"""
import json
import os
import sys
import time

sys.path.insert(1, os.path.join(sys.prefix, "open_flamingo"))  # libraries of its time before the others

import numpy as np
import open_clip
import torch
from open_flamingo.src.factory import FlamingoLMMixin, extend_instance
from open_flamingo.src.flamingo import Flamingo
from protocol import peak_bytes, reset_peak, serve
from safetensors.torch import load_file
from transformers import OPTConfig, OPTForCausalLM, get_constant_schedule_with_warmup


class Trainer:
    def __init__(self, folder, slots, steps, rows, tokens, used, media, eoc, mean, std, lr, warmup, threads):
        torch.set_num_threads(threads)
        self.threads = threads
        path = lambda name: os.path.join(folder, name)
        clip = open_clip.create_model("ViT-B-32")
        clip.visual.load_state_dict({k.removeprefix("visual."): v for k, v in load_file(path("vision.safetensors")).items()})
        clip.visual.output_tokens = True
        with open(path("lm.json"), encoding="utf-8") as f:
            config = {k: v for k, v in json.load(f).items() if k not in ("model_type", "architectures")}
        lm = OPTForCausalLM(OPTConfig(**config, dropout=0.0, attention_dropout=0.0))
        check(lm.load_state_dict(load_file(path("lm.safetensors")), strict=False), {"lm_head.weight"})
        lm.tie_weights()
        extend_instance(lm, FlamingoLMMixin)
        lm.set_decoder_layers_attr_name("model.decoder.layers")
        self.model = Flamingo(clip, lm, eoc, media, vis_dim=768, cross_attn_every_n_layers=1)
        del clip
        loaded = self.model.load_state_dict(load_file(path("flamingo.safetensors")), strict=False)
        if loaded.unexpected_keys:
            raise ValueError(f"weights do not fit: {loaded.unexpected_keys}")
        self.model.requires_grad_(False)
        self.model.perceiver.requires_grad_(True)
        self.model.lang_encoder.gated_cross_attn_layers.requires_grad_(True)
        self.embedding = self.model.lang_encoder.get_input_embeddings()
        self.embedding.requires_grad_(True)
        self.model.train()
        named = [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW([
            {"params": [p for n, p in named if "gated_cross_attn" in n], "weight_decay": 0.1},
            {"params": [p for n, p in named if "gated_cross_attn" not in n], "weight_decay": 0.0}], lr=lr)
        self.schedule = get_constant_schedule_with_warmup(self.optimizer, num_warmup_steps=warmup)
        self.ids = torch.from_numpy(np.fromfile(path("ids.i32"), np.int32).reshape(steps, rows, tokens)).long()
        self.labels = torch.from_numpy(np.fromfile(path("labels.i32"), np.int32).reshape(steps, rows, tokens)).long()
        self.pictures = np.memmap(path("pictures.u8"), np.uint8, "r", shape=(steps, rows, used, 224, 224, 3))
        self.slots, self.used, self.trained = slots, used, [media, eoc]
        self.mean, self.std = (torch.tensor(x, dtype=torch.float32).view(3, 1, 1) for x in (mean, std))
        self.at, self.steps = 0, steps
        self.version = f"open_flamingo 2.0.1, torch {torch.__version__}, {threads} thread{'s' if threads > 1 else ''}"
        reset_peak()

    def batch(self):
        rows, tokens = self.ids[self.at].shape
        images = torch.zeros(rows, self.slots, 1, 3, 224, 224)
        pixels = torch.from_numpy(np.array(self.pictures[self.at])).permute(0, 1, 4, 2, 3).float() / 255
        images[:, : self.used, 0] = (pixels - self.mean) / self.std
        ids, labels = self.ids[self.at], self.labels[self.at]
        self.at = (self.at + 1) % self.steps
        return images, ids, labels

    def backward(self, images, ids, labels):
        loss = self.model(vision_x=images, lang_x=ids, attention_mask=torch.ones_like(ids), labels=labels)[0]
        loss.backward()
        return loss.item()

    def gradients(self, ours, path):
        def taken():
            named = [p.grad for group in self.optimizer.param_groups for p in group["params"]]
            rows = lambda g: g[sorted(self.trained)] if g.shape == self.embedding.weight.shape else g
            grads = [rows(g).double().flatten() for g in named]
            self.optimizer.zero_grad(set_to_none=True)
            return grads

        images, ids, labels = self.batch()
        self.backward(images, ids, labels)
        theirs = taken()
        self.model.double()
        torch.set_default_dtype(torch.float64)  # of masks too
        loss = self.backward(images.double(), ids, labels)
        right = taken()
        found = load_file(ours)
        mine = [found[str(i)].double().flatten() for i in range(len(right))]
        off = lambda grads: [((a - b).norm() / b.norm()).item() for a, b in zip(grads, right, strict=True)]
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"ours": off(mine), "theirs": off(theirs), "loss": loss}, f)
        return {}

    def run(self):
        loss = self.backward(*self.batch())
        grad = self.embedding.weight.grad
        mask = torch.zeros_like(grad)
        for i in self.trained:
            mask[i] = torch.ones_like(mask[i])
        self.embedding.weight.grad = grad * mask
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def memory(self):
        return {"peak_bytes": peak_bytes()}

    def clock(self):
        return time.process_time() if self.threads == 1 else time.perf_counter()


def check(loaded, may_miss):
    if loaded.unexpected_keys or set(loaded.missing_keys) - may_miss:
        raise ValueError(f"weights do not fit: {loaded}")


serve(Trainer)
