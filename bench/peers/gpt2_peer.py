"""GPT-2 by Hugging Face transformers on torch. open: weights (safetensors, Hugging Face's names), config (config.json),
dtype (float32 or bfloat16), prompt and continuation (lists of ids; no continuation: the prompt alone is measured).

Result: the logits after the last id. With a continuation the prompt is read beforehand, and a run reads the continuation
id by id, each with the keys and values of all before it.
"""
import torch
import transformers
from protocol import serve
from safetensors.torch import load_file


class GPT2:
    def __init__(self, weights, config, dtype, prompt, continuation):
        torch.set_num_threads(1)
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config.from_json_file(config))
        missing, unexpected = model.load_state_dict(load_file(weights), strict=False)
        if unexpected or set(missing) - {"lm_head.weight"}:
            raise ValueError(f"weights do not fit: {missing} {unexpected}")
        model.tie_weights()
        self.model = model.to(getattr(torch, dtype)).eval()
        self.prompt = torch.tensor([prompt])
        self.continuation = [torch.tensor([[i]]) for i in continuation]
        self.cache = None
        if continuation:
            with torch.inference_mode():
                self.cache = self.model(self.prompt, use_cache=True, logits_to_keep=1).past_key_values
        self.version = f"transformers {transformers.__version__}, torch {torch.__version__} {dtype}"

    def run(self):
        with torch.inference_mode():
            if self.cache is None:
                return self.model(self.prompt, use_cache=False, logits_to_keep=1).logits[0, -1]
            surplus = self.cache.get_seq_length() - self.prompt.shape[1]
            if surplus > 0:
                self.cache.crop(-surplus)
            for ids in self.continuation:
                logits = self.model(ids, past_key_values=self.cache, use_cache=True).logits
            return logits[0, -1]

    def write(self, result, path):
        result.float().numpy().tofile(path)


serve(GPT2)
