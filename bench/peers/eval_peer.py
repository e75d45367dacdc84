"""open_flamingo 2.0.1's evaluation of a tiny Flamingo. open: model (a folder, where a model with random weights is saved in
open_flamingo's names before anything is asked), data (what tools/evalmini writes), shots, all and timed (test examples of
each task in the result and in a run).

Result: {"id", "prompt", "generated"} of `all` captions (COCO) and `all` questions (VQAv2), in the order asked: seed 42, a pool
of 100, batches of 8, three beams, as its evaluate.py asks. A run asks `timed` of each, with the model loaded.

The choices and prompts are those of open_flamingo's evaluate.py; data sets and sampling are its own modules. Its
get_outputs is not in the package and stands here.
"""
import json
import os
import sys

sys.path.insert(1, os.path.join(sys.prefix, "open_flamingo"))  # libraries of its time before the others

import numpy as np
import open_clip
import torch
from open_flamingo.eval import utils
from open_flamingo.eval.eval_datasets import CaptionDataset, VQADataset
from open_flamingo.src.factory import FlamingoLMMixin, extend_instance
from open_flamingo.src.flamingo import Flamingo
from open_flamingo.src.helpers import GatedCrossAttentionBlock
from protocol import serve
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

VISION = {"embed_dim": 32, "quick_gelu": True,
          "vision_cfg": {"layers": 3, "width": 64, "head_width": 16, "mlp_ratio": 4.0, "patch_size": 8, "image_size": 32},
          "text_cfg": {"context_length": 16, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}}
EVERY = 2
LATENTS = 8


def make_tokenizer(folder, data):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    texts = []
    with open(os.path.join(data, "coco", "dataset_coco.json"), encoding="utf-8") as f:
        for image in json.load(f)["images"]:
            texts += [s["raw"] for s in image["sentences"]]
    texts += ["Output:", "Question:What colour is the circle? Short answer:", "What shape is it? yes no hateful"]
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=380, special_tokens=["<|endoftext|>"],
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.save(os.path.join(folder, "tokenizer.json"))


def load_tokenizer(folder):
    t = PreTrainedTokenizerFast(tokenizer_file=os.path.join(folder, "tokenizer.json"), bos_token="<|endoftext|>", eos_token="<|endoftext|>",
                                padding_side="left")
    t.add_special_tokens({"additional_special_tokens": ["<|endofchunk|>", "<image>"]})
    t.add_special_tokens({"pad_token": "<PAD>"})
    return t


def build(folder, tokenizer, lm):
    clip = open_clip.CLIP(**{**VISION, "vision_cfg": open_clip.model.CLIPVisionCfg(**VISION["vision_cfg"]),
                             "text_cfg": open_clip.model.CLIPTextCfg(**VISION["text_cfg"])})
    clip.visual.output_tokens = True
    extend_instance(lm, FlamingoLMMixin)
    lm.set_decoder_layers_attr_name("gpt_neox.layers")
    lm.resize_token_embeddings(len(tokenizer))
    model = Flamingo(clip, lm, tokenizer.encode("<|endofchunk|>")[-1], tokenizer.encode("<image>")[-1], vis_dim=64,
                     cross_attn_every_n_layers=EVERY)
    return model, clip


def make(folder, data):
    os.makedirs(folder, exist_ok=True)
    make_tokenizer(folder, data)
    tokenizer = load_tokenizer(folder)
    torch.manual_seed(7)
    config = GPTNeoXConfig(vocab_size=384, hidden_size=64, num_hidden_layers=4, num_attention_heads=4, intermediate_size=128,
                           max_position_embeddings=2048, rotary_pct=1.0, use_parallel_residual=False, hidden_act="gelu",
                           tie_word_embeddings=False, bos_token_id=0, eos_token_id=0, initializer_range=0.35)
    lm = GPTNeoXForCausalLM(config)
    lm.save_pretrained(os.path.join(folder, "lm"))
    with open(os.path.join(folder, "lm", "config.json"), encoding="utf-8") as f:
        lm_json = json.load(f)
    model, clip = build(folder, tokenizer, lm)
    for module in model.modules():
        if isinstance(module, GatedCrossAttentionBlock):  # gates begin closed: open them, so that pictures count
            torch.nn.init.constant_(module.attn_gate, 1.5)
            torch.nn.init.constant_(module.ff_gate, 0.7)
    lm_json["vocab_size"] = len(tokenizer)
    torch.save(clip.state_dict(), os.path.join(folder, "vision.pt"))
    torch.save({k: v for k, v in model.state_dict().items() if "vision_encoder" not in k and "old_decoder" not in k},
               os.path.join(folder, "flamingo.pt"))
    with open(os.path.join(folder, "flamingo.json"), "w", encoding="utf-8") as f:
        json.dump({"vision": {k: v for k, v in VISION.items() if k != "text_cfg"}, "lm": lm_json, "cross_attn_every_n_layers": EVERY,
                   "media_token_id": tokenizer.encode("<image>")[-1], "eoc_token_id": tokenizer.encode("<|endofchunk|>")[-1],
                   "pad_token_id": tokenizer.pad_token_id}, f, indent=1)


def load(folder):
    tokenizer = load_tokenizer(folder)
    model, clip = build(folder, tokenizer, GPTNeoXForCausalLM.from_pretrained(os.path.join(folder, "lm")))
    clip.load_state_dict(torch.load(os.path.join(folder, "vision.pt")))
    missing = model.load_state_dict(torch.load(os.path.join(folder, "flamingo.pt")), strict=False)
    assert not missing.unexpected_keys, missing.unexpected_keys
    size = VISION["vision_cfg"]["image_size"]
    return model.eval(), tokenizer, open_clip.image_transform(size, is_train=False)


def prepare_images(batch, processor):
    slots = max(len(x) for x in batch)
    out = None
    for i, images in enumerate(batch):
        for k, image in enumerate(images):
            x = processor(image)
            if out is None:
                out = torch.zeros((len(batch), slots, 1) + x.shape, dtype=x.dtype)
            out[i, k, 0] = x
    return out


def caption_task(data):
    root = os.path.join(data, "coco")

    def make_set(train):
        return CaptionDataset(os.path.join(root, "train2014"), os.path.join(root, "dataset_coco.json"), train, "coco", os.path.join(root, "val2014"))

    return make_set, lambda x: f"<image>Output:{x['caption'].strip()}<|endofchunk|>", lambda batch, i: "<image>Output:", "image_id", 20


def question_task(data):
    root = os.path.join(data, "vqav2")

    def make_set(train):
        split = "train" if train else "val"
        return VQADataset(os.path.join(root, f"{split}2014"), os.path.join(root, f"v2_OpenEnded_mscoco_{split}2014_questions.json"),
                          os.path.join(root, f"v2_mscoco_{split}2014_annotations.json"), train, "vqav2")

    return (make_set, lambda x: f"<image>Question:{x['question']} Short answer:{x['answers'][0]}<|endofchunk|>",
            lambda batch, i: f"<image>Question:{batch['question'][i]} Short answer:", "question_id", 5)


class Evaluation:
    def __init__(self, model, data, shots, all, timed):
        torch.set_num_threads(1)
        make(model, data)
        self.model, self.tokenizer, self.processor = load(model)
        self.data, self.shots, self.all, self.timed = data, shots, all, timed
        self.version = f"open_flamingo 2.0.1, torch {torch.__version__}"

    def run(self):
        return self.ask(self.timed)

    def write(self, _, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.ask(self.all), f)

    def ask(self, samples):
        return [answer for task in (caption_task, question_task) for answer in self.evaluate(*task(self.data), samples)]

    def evaluate(self, make_set, demo, query, key, length, samples):
        train, test = make_set(True), make_set(False)
        np.random.seed(42)
        subset = torch.utils.data.Subset(test, np.random.choice(len(test), samples, replace=False))
        sampler = torch.utils.data.distributed.DistributedSampler(subset, num_replicas=1, rank=0)
        loader = torch.utils.data.DataLoader(subset, batch_size=8, sampler=sampler, collate_fn=utils.custom_collate_fn)
        pool = utils.get_query_set(train, 100)
        utils.random_seed(42, 0)
        effective = utils.compute_effective_num_shots(self.shots, "open_flamingo")
        answers = []
        for batch in loader:
            demos = utils.sample_batch_demos_from_query_set(pool, effective, len(batch["image"]))
            images, texts = [], []
            for i in range(len(batch["image"])):
                images.append(([x["image"] for x in demos[i]] if self.shots > 0 else []) + [batch["image"][i]])
                context = "".join(demo(x) + "\n" for x in demos[i])
                if self.shots == 0:
                    context = context.replace("<image>", "")
                texts.append(context + query(batch, i))
            encoded = self.tokenizer(texts, padding="longest", truncation=True, return_tensors="pt", max_length=2000)
            with torch.inference_mode():
                outputs = self.model.generate(prepare_images(images, self.processor), encoded["input_ids"], encoded["attention_mask"],
                                              min_new_tokens=0, max_new_tokens=length, num_beams=3, length_penalty=0.0)
            generated = self.tokenizer.batch_decode(outputs[:, encoded["input_ids"].shape[1]:], skip_special_tokens=True)
            answers += [{"id": str(batch[key][i]), "prompt": texts[i], "generated": text} for i, text in enumerate(generated)]
        return answers


serve(Evaluation)
