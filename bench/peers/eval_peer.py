"""open_flamingo's evaluation on a tiny model, for comparing with `mmc4 eval --compat open_flamingo-2.0`.

usage: eval_peer.py make MODEL DATA            make a tiny model with random weights and save its parts in folder MODEL
       eval_peer.py run MODEL DATA TASK SHOTS SAMPLES BATCH OUT

DATA is what tools/evalmini writes, TASK coco or vqav2. run loads MODEL's parts, asks with seed 42 and a pool of 100, and
writes OUT: one JSON object a line with id, prompt, generated, in the order asked; it prints one JSON object with seconds.
The choices and prompts are those of open_flamingo 2.0.1's evaluate.py; data sets and sampling are its own modules. Its
get_outputs is not in the package and stands here.
"""
import json
import os
import random
import sys
import time

import numpy as np
import open_clip
import torch
from open_flamingo.eval import utils
from open_flamingo.eval.eval_datasets import CaptionDataset, VQADataset
from open_flamingo.src.factory import FlamingoLMMixin, extend_instance
from open_flamingo.src.flamingo import Flamingo
from open_flamingo.src.helpers import GatedCrossAttentionBlock
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


def run(folder, data, task, shots, samples, batch_size, out):
    model, tokenizer, processor = load(folder)
    if task == "coco":
        root = os.path.join(data, "coco")
        make_set = lambda train: CaptionDataset(os.path.join(root, "train2014"), os.path.join(root, "dataset_coco.json"), train, "coco",
                                                os.path.join(root, "val2014"))
        demo = lambda x: f"<image>Output:{x['caption'].strip()}<|endofchunk|>"
        query, key, length = lambda b, i: "<image>Output:", "image_id", 20
    else:
        root = os.path.join(data, "vqav2")
        make_set = lambda train: VQADataset(os.path.join(root, "train2014" if train else "val2014"),
                                            os.path.join(root, f"v2_OpenEnded_mscoco_{'train' if train else 'val'}2014_questions.json"),
                                            os.path.join(root, f"v2_mscoco_{'train' if train else 'val'}2014_annotations.json"), train, "vqav2")
        demo = lambda x: f"<image>Question:{x['question']} Short answer:{x['answers'][0]}<|endofchunk|>"
        query, key, length = lambda b, i: f"<image>Question:{b['question'][i]} Short answer:", "question_id", 5
    train, test = make_set(True), make_set(False)
    begin = time.perf_counter()
    np.random.seed(42)
    indices = np.random.choice(len(test), samples, replace=False)
    subset = torch.utils.data.Subset(test, indices)
    sampler = torch.utils.data.distributed.DistributedSampler(subset, num_replicas=1, rank=0)
    loader = torch.utils.data.DataLoader(subset, batch_size=batch_size, sampler=sampler, collate_fn=utils.custom_collate_fn)
    pool = utils.get_query_set(train, 100)
    utils.random_seed(42, 0)
    effective = utils.compute_effective_num_shots(shots, "open_flamingo")
    with open(out, "w", encoding="utf-8") as f, torch.inference_mode():
        for batch in loader:
            demos = utils.sample_batch_demos_from_query_set(pool, effective, len(batch["image"]))
            images, texts = [], []
            for i in range(len(batch["image"])):
                images.append(([x["image"] for x in demos[i]] if shots > 0 else []) + [batch["image"][i]])
                context = "".join(demo(x) + "\n" for x in demos[i])
                if shots == 0:
                    context = context.replace("<image>", "")
                texts.append(context + query(batch, i))
            encoded = tokenizer(texts, padding="longest", truncation=True, return_tensors="pt", max_length=2000)
            outputs = model.generate(prepare_images(images, processor), encoded["input_ids"], encoded["attention_mask"], min_new_tokens=0,
                                     max_new_tokens=length, num_beams=3, length_penalty=0.0)
            generated = tokenizer.batch_decode(outputs[:, encoded["input_ids"].shape[1]:], skip_special_tokens=True)
            for i, text in enumerate(generated):
                f.write(json.dumps({"id": batch[key][i], "prompt": texts[i], "generated": text}) + "\n")
    print(json.dumps({"version": "open_flamingo 2.0.1", "seconds": time.perf_counter() - begin, "samples": samples}))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3])
    else:
        run(sys.argv[2], sys.argv[3], sys.argv[4], *map(int, sys.argv[5:8]), sys.argv[8])
