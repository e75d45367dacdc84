"""Torch's side of the speed phase (bench/gpu). open: device (cuda, or cpu for trying) and task, with
  copy       bytes
  gemm       a, b: files of bf16 [n,n]
  attention  q, k, v, dout: files of bf16 [b,t,h,d], shape, causal, backward
  clip       weights, pixels (fp32 [batch,3,side,side]), shape: batch, layers, heads, patch, side
  step       config, vision, lm, flamingo (files), batch: pixels (fp32 [B,S,3,H,W]), ids, labels, shape
  decode     config, vision, lm, flamingo, pixels, ids, shape, new

Results are fp32: outputs or gradients; features; loss and norm of the gradients of a step; the logits after the prompt. Time is wall time until
the GPU is done. What is compiled is in the version.
"""
import time

import numpy as np
import torch
import torch.nn.functional as F
from gpu_twin import Flamingo, Weights, load, norm, vision
from protocol import serve


def bf16(path, shape, device):
    return torch.from_numpy(np.fromfile(path, dtype=np.int16)).view(torch.bfloat16).reshape(shape).to(device)


def host(path, shape, device):
    """fp32 where copies to the device can run by themselves."""
    x = torch.from_numpy(np.fromfile(path, dtype=np.float32)).reshape(shape)
    return x.pin_memory() if device == "cuda" else x


class Peer:
    def __init__(self, device):
        self.device = device
        self.version = f"torch {torch.__version__}"
        self.clock = time.perf_counter

    def finish(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def compiled(self, f):
        """f compiled, where this machine has what torch.compile needs."""
        if self.device != "cuda":
            return f
        try:
            torch.compile(lambda x: x.sin() + 1)(torch.ones(64, device=self.device))
        except Exception as e:
            self.version += f", eager: torch.compile fails here ({type(e).__name__})"
            return f
        self.version += ", compiled"
        return torch.compile(f, mode="max-autotune-no-cudagraphs")

    def write(self, result, path):
        torch.cat([t.detach().float().flatten() for t in result]).cpu().numpy().tofile(path)


class Copy(Peer):
    def __init__(self, device, bytes):
        super().__init__(device)
        self.x = torch.arange(bytes // 4, dtype=torch.float32, device=device)
        self.y = torch.empty_like(self.x)

    def run(self):
        self.y.copy_(self.x)
        return [self.y[-1:]]


class Gemm(Peer):
    def __init__(self, device, a, b, n):
        super().__init__(device)
        self.a, self.b = bf16(a, (n, n), device), bf16(b, (n, n), device)

    def run(self):
        return [self.a @ self.b.T]


class Attention(Peer):
    def __init__(self, device, q, k, v, dout, shape, causal, backward):
        super().__init__(device)
        self.x = [bf16(p, shape, device).transpose(1, 2).requires_grad_(backward) for p in (q, k, v)]
        self.dout, self.causal, self.backward = bf16(dout, shape, device).transpose(1, 2), causal, backward
        if backward:
            self.out = F.scaled_dot_product_attention(*self.x, is_causal=causal)

    def run(self):
        if not self.backward:
            return [F.scaled_dot_product_attention(*self.x, is_causal=self.causal).transpose(1, 2)]
        return [g.transpose(1, 2) for g in torch.autograd.grad(self.out, self.x, self.dout, retain_graph=True)]


class Clip(Peer):
    def __init__(self, device, weights, pixels, shape):
        super().__init__(device)
        self.s = shape
        self.w = Weights({k: v.to(device, torch.bfloat16) for k, v in load(weights).items()}, "visual.")
        self.pixels = host(pixels, (shape["batch"], 3, shape["side"], shape["side"]), device).to(device, torch.bfloat16)
        self.tower = self.compiled(self.features)

    def features(self, x):
        x, _ = vision(self.w, x, self.s["layers"], self.s["heads"], self.s["patch"])
        return F.normalize((norm(self.w, x, "ln_post") @ self.w["proj"]).float(), dim=-1)

    def run(self):
        with torch.inference_mode():
            return [self.tower(self.pixels)]


class Step(Peer):
    def __init__(self, device, config, vision, lm, flamingo, pixels, ids, labels, shape):
        super().__init__(device)
        self.m = Flamingo(config, vision, lm, flamingo, device, train=True)
        self.pixels = host(pixels, (shape["rows"], shape["slots"], 3, config["side"], config["side"]), device)
        self.ids = torch.tensor(ids).reshape(shape["rows"], -1)
        self.labels = torch.tensor(labels).reshape(shape["rows"], -1)
        gated = [t for k, t in self.m.trained.items() if "gated" in k]
        rest = [t for k, t in self.m.trained.items() if "gated" not in k]
        self.optimizer = torch.optim.AdamW([{"params": gated, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
                                           lr=config["lr"], fused=device == "cuda")
        self.loss = self.compiled(self.m.loss)

    def run(self):
        x, ids, labels = (t.to(self.device, non_blocking=True) for t in (self.pixels, self.ids, self.labels))
        with torch.autocast(self.device, torch.bfloat16):
            loss = self.loss(x, ids, labels)
        loss.backward()
        length = torch.nn.utils.clip_grad_norm_(list(self.m.trained.values()), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return [loss, length]


class Decode(Peer):
    def __init__(self, device, config, vision, lm, flamingo, pixels, ids, shape, new):
        super().__init__(device)
        self.m = Flamingo(config, vision, lm, flamingo, device, train=False)
        self.pixels = host(pixels, (shape["rows"], shape["slots"], 3, config["side"], config["side"]), device)
        self.ids, self.new = torch.tensor(ids).reshape(shape["rows"], -1), new

    def run(self):
        first, _ = self.m.continued(self.pixels.to(self.device), self.ids.to(self.device), self.new)
        return [first]


TASKS = {"copy": Copy, "gemm": Gemm, "attention": Attention, "clip": Clip, "step": Step, "decode": Decode}


def open_peer(task, device, **fields):
    if device == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("torch sees no GPU")
    return TASKS[task](device, **fields)


serve(open_peer)
