"""The demo's own CLIP vocabulary: learns a small merge table from our prose, and encodes as open_clip's SimpleTokenizer does.

Reads: sentences. Writes: a merge table in the form of bpe_simple_vocab_16e6.txt (a header line, then one merge a line). Ids are
256 bytes, the same with </w>, the merges, <start_of_text>, <end_of_text>.
"""
import re
from collections import Counter

WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})


def byte_letters():
    """GPT-2's table: a printable letter for every byte, in its order."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order, letters, extra = shown[:], [chr(b) for b in shown], 0
    for b in range(256):
        if b not in shown:
            order.append(b)
            letters.append(chr(256 + extra))
            extra += 1
    return dict(zip(order, letters))


LETTERS = byte_letters()


def words(text):
    text = re.sub(r"\s+", " ", text.translate(STRAIGHT)).strip().lower()
    for word in WORDS.findall(text):
        letters = [LETTERS[b] for b in word.encode()]
        yield (*letters[:-1], letters[-1] + "</w>")


def joined(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return tuple(out)


def learn(sentences, size):
    """The size most useful merges; ties go to the pair that sorts first."""
    known = Counter(w for s in sentences for w in words(s))
    merges = []
    while len(merges) < size:
        pairs = Counter()
        for parts, n in known.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        changed = Counter()
        for parts, n in known.items():
            changed[joined(parts, best)] += n
        known = changed
    return merges


def save(path, merges):
    """No line break at the end: open_clip would read an empty merge behind it."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(["#version: 0.2, the mmc4 demo's own", *(f"{a} {b}" for a, b in merges)]))


class Tokenizer:
    def __init__(self, merges, context):
        self.rank = {pair: i for i, pair in enumerate(merges)}
        letters = list(LETTERS.values())
        names = letters + [c + "</w>" for c in letters] + [a + b for a, b in merges] + ["<start_of_text>", "<end_of_text>"]
        self.id = {name: i for i, name in enumerate(names)}
        self.size, self.context, self.known = len(names), context, {}

    def word(self, parts):
        if parts not in self.known:
            now = parts
            while len(now) > 1:
                best = min(zip(now, now[1:]), key=lambda p: self.rank.get(p, len(self.rank)))
                if best not in self.rank:
                    break
                now = joined(now, best)
            self.known[parts] = [self.id[p] for p in now]
        return self.known[parts]

    def row(self, text):
        ids = [self.id["<start_of_text>"]] + [i for w in words(text) for i in self.word(w)]
        ids = ids[: self.context - 1] + [self.id["<end_of_text>"]]
        return ids + [0] * (self.context - len(ids))
