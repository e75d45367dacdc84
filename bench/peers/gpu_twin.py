"""A Flamingo (ViT, perceiver resampler, gated cross attention, GPT-NeoX) in plain torch: the computation of open_flamingo
2.0.1 where its package does not run. Frozen weights are kept in bf16, trained ones in fp32 under autocast; attention is
scaled_dot_product_attention; keys and values of media are computed once while decoding, which open_flamingo does at every
token. It reads open_clip's, Hugging Face's and open_flamingo's names.
"""
import json

import torch
import torch.nn.functional as F

TYPES = {"F32": torch.float32, "BF16": torch.bfloat16}


def load(path):
    """The tensors of a safetensors file, without that package."""
    with open(path, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = bytearray(f.read())
    out = {}
    for name, t in header.items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            out[name] = torch.frombuffer(memoryview(data)[begin:end], dtype=TYPES[t["dtype"]]).reshape(t["shape"])
    return out


class Weights:
    """Tensors below a prefix."""

    def __init__(self, tensors, prefix=""):
        self.tensors, self.prefix = tensors, prefix

    def __getitem__(self, name):
        return self.tensors[self.prefix + name]

    def get(self, name):
        return self.tensors.get(self.prefix + name)

    def at(self, prefix):
        return Weights(self.tensors, self.prefix + prefix)


def norm(w, x, name, eps=1e-5):
    return F.layer_norm(x, (x.shape[-1],), w[name + ".weight"].to(x.dtype), w[name + ".bias"].to(x.dtype), eps)


def linear(w, x, name):
    return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))


def heads(x, n):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


def joined(x):
    return x.transpose(1, 2).flatten(2)


def vision(w, pixels, layers, n_heads, patch):
    """The tower's tokens without the class token [n,P,E], or with it as feature: (class, patches)."""
    x = F.conv2d(pixels, w["conv1.weight"], stride=patch).flatten(2).transpose(1, 2)
    x = torch.cat([w["class_embedding"].expand(x.shape[0], 1, -1), x], dim=1) + w["positional_embedding"]
    x = norm(w, x, "ln_pre")
    for i in range(layers):
        b = w.at(f"transformer.resblocks.{i}.")
        qkv = F.linear(norm(b, x, "ln_1"), b["attn.in_proj_weight"], b["attn.in_proj_bias"])
        q, k, v = (heads(t, n_heads) for t in qkv.chunk(3, dim=-1))
        x = x + linear(b, joined(F.scaled_dot_product_attention(q, k, v)), "attn.out_proj")
        y = linear(b, norm(b, x, "ln_2"), "mlp.c_fc")
        x = x + linear(b, y * torch.sigmoid(1.702 * y), "mlp.c_proj")
    return x[:, 0], x[:, 1:]


class Flamingo:
    def __init__(self, config, vision_file, lm_file, flamingo_file, device, train):
        self.c, self.device = config, device
        self.frozen = {k: v.to(device, torch.bfloat16) for k, v in load(vision_file).items()}
        self.frozen |= {k: v.to(device, torch.bfloat16) for k, v in load(lm_file).items()}
        self.trained = {k: v.to(device, torch.float32 if train else torch.bfloat16) for k, v in load(flamingo_file).items()}
        if train:
            for t in self.trained.values():
                t.requires_grad_()
        d = config["head_dim"]
        angles = torch.arange(config["positions"])[:, None] / 10000 ** (torch.arange(0, d, 2) / d)[None]
        self.cos = torch.cat([angles.cos()] * 2, -1).to(device)
        self.sin = torch.cat([angles.sin()] * 2, -1).to(device)

    def see(self, pixels):
        """Latents [B,S*N,E] of pixels [B,S,3,H,W]."""
        c, w = self.c, Weights(self.trained, "perceiver.")
        b, s = pixels.shape[:2]
        with torch.no_grad():
            _, x = vision(Weights(self.frozen, "visual."), pixels.flatten(0, 1).to(torch.bfloat16), c["vision_layers"], c["vision_heads"], c["patch"])
        y = w["latents"].expand(b * s, -1, -1)
        for i in range(c["depth"]):
            a, f = w.at(f"layers.{i}.0."), w.at(f"layers.{i}.1.")
            own = norm(a, y, "norm_latents")
            k, v = linear(a, torch.cat([norm(a, x.to(own.dtype), "norm_media"), own], dim=1), "to_kv").chunk(2, dim=-1)
            n = c["x_heads"]
            y = y + linear(a, joined(F.scaled_dot_product_attention(heads(linear(a, own, "to_q"), n), heads(k, n), heads(v, n))), "to_out")
            y = y + linear(f, F.gelu(linear(f, norm(f, y, "0"), "1")), "3")
        return norm(w, y, "norm").unflatten(0, (b, s)).flatten(1, 2)

    def block(self, i):
        return Weights(self.trained, f"lang_encoder.gpt_neox.layers.{i}.gated_cross_attn_layer.")

    def media(self, i, latents):
        k, v = linear(self.block(i), latents, "attn.to_kv").chunk(2, dim=-1)
        return heads(k, self.c["x_heads"]), heads(v, self.c["x_heads"])

    def gated(self, i, x, kv, mask, some):
        w = self.block(i)
        q = heads(linear(w, norm(w, x, "attn.norm"), "attn.to_q"), self.c["x_heads"])
        y = joined(F.scaled_dot_product_attention(q, kv[0].to(q.dtype), kv[1].to(q.dtype), attn_mask=mask)) * some
        x = x + linear(w, y, "attn.to_out") * w["attn_gate"].tanh()
        return x + linear(w, F.gelu(linear(w, norm(w, x, "ff.0"), "ff.1")), "ff.3") * w["ff_gate"].tanh()

    def rotate(self, x, start):
        t, half = x.shape[2], x.shape[3] // 2
        turned = torch.cat([-x[..., half:], x[..., :half]], -1)
        return (x * self.cos[start:start + t] + turned * self.sin[start:start + t]).to(x.dtype)

    def hidden(self, ids, times, kv, start=0, cache=None):
        """[B,T,C] of ids [B,T] whose text times are given; kv are the media's keys and values by layer."""
        c, w = self.c, Weights(self.frozen, "gpt_neox.")
        mask, some = None, None
        if kv:
            slots = torch.arange(next(iter(kv.values()))[0].shape[2], device=ids.device) // c["latents"] + 1
            mask = times[:, None, :, None] == slots
            some = mask.any(-1)[:, 0, :, None]
            mask = mask | ~mask.any(-1, keepdim=True)
        x = F.embedding(ids, w["embed_in.weight"])
        for i in range(c["layers"]):
            if i in kv:
                x = self.gated(i, x, kv[i], mask, some)
            b = w.at(f"layers.{i}.")
            qkv = linear(b, norm(b, x, "input_layernorm"), "attention.query_key_value").unflatten(-1, (c["heads"], -1)).transpose(1, 2)
            q, k, v = qkv.chunk(3, dim=-1)
            q, k = self.rotate(q, start), self.rotate(k, start)
            if cache is not None:
                end = start + ids.shape[1]
                cache[i][0][:, :, start:end], cache[i][1][:, :, start:end] = k, v
                k, v = cache[i][0][:, :, :end].to(q.dtype), cache[i][1][:, :, :end].to(q.dtype)
            y = F.scaled_dot_product_attention(q, k, v.to(q.dtype), is_causal=ids.shape[1] > 1)
            x = x + linear(b, joined(y), "attention.dense")
            x = x + linear(b, F.gelu(linear(b, norm(b, x, "post_attention_layernorm"), "mlp.dense_h_to_4h")), "mlp.dense_4h_to_h")
        return norm(w, x, "final_layer_norm")

    def times(self, ids):
        return (ids == self.c["media_token_id"]).cumsum(-1)

    def blocks(self):
        return [i for i in range(self.c["layers"]) if (i + 1) % self.c["every"] == 0]

    def loss(self, pixels, ids, labels):
        latents = self.see(pixels)
        x = self.hidden(ids, self.times(ids), {i: self.media(i, latents) for i in self.blocks()})
        logits = F.linear(x, self.frozen["embed_out.weight"])
        return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())

    @torch.inference_mode()
    def continued(self, pixels, ids, new):
        """Greedy: the logits after the prompt, and so many new ids a row."""
        latents = self.see(pixels)
        kv = {i: self.media(i, latents) for i in self.blocks()}
        b, t = ids.shape
        shape = (b, self.c["heads"], t + new, self.c["head_dim"])
        cache = [[torch.empty(shape, device=ids.device, dtype=torch.bfloat16) for _ in range(2)] for _ in range(self.c["layers"])]
        times = self.times(ids)
        out, first, start = [], None, 0
        for _ in range(new):
            x = self.hidden(ids, times, kv, start, cache)[:, -1]
            logits = F.linear(x, self.frozen["embed_out.weight"])
            first = logits if first is None else first
            start += ids.shape[1]
            ids, times = logits.argmax(-1, keepdim=True), times[:, -1:]
            out.append(ids)
        return first, torch.cat(out, 1)
