"""Proves that the model is what open_clip 2.20.0 computes: check.py MODEL. Needs requirements-check.txt.

Loads the weights into open_clip's own CLIP (every name must fit), its tokenizer with our merge table, and compares.
"""
import gzip
import sys
import tempfile

import torch
from open_clip.model import CLIP as OpenCLIP
from open_clip.tokenizer import SimpleTokenizer

from evaluate import load

SENTENCES = ["Here you can see three green triangles.", "A clock that says seven o'clock is painted on the wall.", "It’s not as hard as people say.",
             "Mrs. Hadley calls it “the quiet hour”.", "An unknown word: xylophone, 1998!", "Café naïve 中文 🙂"]

net, tok, config = load(sys.argv[1])
cfg = config["model_cfg"]
theirs = OpenCLIP(**cfg)
missing = theirs.load_state_dict(net.state_dict(), strict=True)
theirs.eval()
torch.manual_seed(0)
x = torch.randn(7, 3, cfg["vision_cfg"]["image_size"], cfg["vision_cfg"]["image_size"])
with tempfile.NamedTemporaryFile(suffix=".txt.gz") as f:
    f.write(gzip.compress(open(f"{sys.argv[1]}/bpe_simple_vocab_16e6.txt", "rb").read()))
    f.flush()
    their_tok = SimpleTokenizer(bpe_path=f.name)
for s in SENTENCES:
    ours = tok.row(s)
    ids = [their_tok.encoder["<start_of_text>"], *their_tok.encode(s)][: tok.context - 1] + [their_tok.encoder["<end_of_text>"]]
    ids += [0] * (tok.context - len(ids))
    if ids != ours:
        sys.exit(f"tokens differ for {s!r}: {ours} and open_clip's {ids}")
with torch.no_grad():
    ids = torch.tensor([tok.row(s) for s in SENTENCES])
    a = (net.image(x) - theirs.encode_image(x)).abs().max().item()
    b = (net.text(ids) - theirs.encode_text(ids)).abs().max().item()
print(f"largest difference: image features {a:.2e}, text features {b:.2e}; tokens equal")
sys.exit(0 if max(a, b) < 1e-4 else 1)
