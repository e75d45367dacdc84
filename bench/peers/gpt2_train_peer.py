"""Training GPT-2 by Hugging Face transformers on torch, fp32, one thread. open: weights (safetensors, Hugging Face's names),
config (config.json), ids (a file of int32, batches of rows x tokens), lr, betas, eps, decay (of torch.optim.AdamW).

A run is one step on the next batch. Result: the loss of every batch, before its update.
"""
import numpy as np
import torch
import transformers
from protocol import serve
from safetensors.torch import load_file


class Training:
    def __init__(self, weights, config, ids, rows, tokens, lr, betas, eps, decay):
        torch.set_num_threads(1)
        self.model = transformers.GPT2LMHeadModel(transformers.GPT2Config.from_json_file(config))
        missing, unexpected = self.model.load_state_dict(load_file(weights), strict=False)
        if unexpected or set(missing) - {"lm_head.weight"}:
            raise ValueError(f"weights do not fit: {missing} {unexpected}")
        self.model.tie_weights()
        self.model.train()
        self.batches = torch.from_numpy(np.fromfile(ids, dtype=np.int32).astype(np.int64)).view(-1, rows, tokens)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, betas=tuple(betas), eps=eps, weight_decay=decay)
        self.step = 0
        self.version = f"transformers {transformers.__version__}, torch {torch.__version__} float32"

    def run(self):
        ids = self.batches[self.step % len(self.batches)]
        self.step += 1
        loss = self.model(ids, labels=ids, use_cache=False).loss
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def write(self, result, path):
        losses = [result] + [self.run() for _ in range(len(self.batches) - 1)]
        np.array(losses, dtype=np.float32).tofile(path)


serve(Training)
