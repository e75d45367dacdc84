package tokenizer

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// tinyVocab is a byte-level vocabulary of 256 bytes and a few merges.
func tinyVocab(pairs ...[2]string) (vocab map[string]int, merges [][2]string) {
	vocab = map[string]int{}
	for _, b := range clipBytes() {
		vocab[string(byteRunes[b])] = len(vocab)
	}
	for _, p := range pairs {
		vocab[p[0]+p[1]] = len(vocab)
	}
	return vocab, pairs
}

func tinyJSON(t testing.TB, change func(m map[string]any)) []byte {
	vocab, pairs := tinyVocab([2]string{"h", "e"}, [2]string{"l", "l"}, [2]string{"he", "ll"}, [2]string{"Ġ", "hell"}, [2]string{"Ġhell", "o"}, [2]string{"a", "a"}, [2]string{"aa", "aa"})
	m := map[string]any{
		"added_tokens":   []any{map[string]any{"id": len(vocab), "content": "<image>", "special": true}},
		"normalizer":     map[string]any{"type": "NFC"},
		"pre_tokenizer":  map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"post_processor": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"model":          map[string]any{"type": "BPE", "vocab": vocab, "merges": pairs},
	}
	if change != nil {
		change(m)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBPE(t *testing.T) {
	b, err := NewBPE(tinyJSON(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	image, _ := b.ID("<image>")
	for _, c := range []struct {
		text    string
		tokens  []string
		offsets [][2]int
	}{
		{" hello", []string{"Ġhello"}, [][2]int{{1, 6}}},
		{"hello", []string{"hell", "o"}, [][2]int{{0, 4}, {4, 5}}},
		{" <image> hello", []string{"Ġ", "<image>", "Ġhello"}, [][2]int{{1, 1}, {1, 8}, {9, 14}}},
		{"e\u0301<image>", []string{"Ã", "©", "<image>"}, [][2]int{{0, 1}, {0, 1}, {2, 9}}},
		{"aaaaaaa", []string{"aaaa", "aa", "a"}, [][2]int{{0, 4}, {4, 6}, {6, 7}}},
		{"", nil, nil},
	} {
		ids, offsets := b.EncodeOffsets(c.text)
		var tokens []string
		for _, id := range ids {
			tokens = append(tokens, b.Token(id))
		}
		if !reflect.DeepEqual(tokens, c.tokens) || !reflect.DeepEqual(append([][2]int(nil), offsets...), c.offsets) {
			t.Errorf("%q: %q %v, want %q %v", c.text, tokens, offsets, c.tokens, c.offsets)
		}
		if got := b.Encode(c.text); fmt.Sprint(got) != fmt.Sprint(ids) {
			t.Errorf("%q: Encode %v, EncodeOffsets %v", c.text, got, ids)
		}
	}
	if n := b.AddSpecial("<image>", "<PAD>", "hell"); n != 1 || b.Size() != image+2 {
		t.Errorf("%d new tokens, size %d", n, b.Size())
	}
	if got := b.DecodePlain(b.Encode("o<image>hello<PAD>")); got != "oo" { // hell is special now
		t.Errorf("without special tokens: %q", got)
	}
	if got := b.Decode([]int{-1, 1 << 30, image}); got != "<image>" {
		t.Errorf("ids that do not exist: %q", got)
	}
}

func TestWrongTokenizers(t *testing.T) {
	model := func(key string, v any) func(map[string]any) {
		return func(m map[string]any) { m["model"].(map[string]any)[key] = v }
	}
	top := func(key string, v any) func(map[string]any) { return func(m map[string]any) { m[key] = v } }
	for says, change := range map[string]func(map[string]any){
		"Unigram":     model("type", "Unigram"),
		"dropout":     model("dropout", 0.1),
		"byte-level":  model("end_of_word_suffix", "</w>"),
		"lacks":       model("merges", []string{"x yy"}),
		"two tokens":  model("merges", []string{"xyy"}),
		"3 parts":     model("merges", [][]string{{"x", "y", "z"}}),
		"empty":       model("vocab", map[string]int{}),
		"has the id":  model("vocab", map[string]int{"a": 1 << 40}),
		"belongs to":  model("vocab", map[string]int{"a": 1, "b": 1}),
		"added token": top("added_tokens", []any{map[string]any{"id": 1 << 40, "content": "x"}}),
		"normalizer":  top("normalizer", map[string]any{"type": "Lowercase"}),
		"Whitespace":  top("pre_tokenizer", map[string]any{"type": "Whitespace"}),
		"needs":       top("pre_tokenizer", nil),
		"template":    top("post_processor", map[string]any{"type": "TemplateProcessing"}),
		"no model":    func(m map[string]any) { delete(m, "model") },
	} {
		if _, err := NewBPE(tinyJSON(t, change)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}

// The two ways of merging must agree; the short one is the plain rule.
func TestMergesAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		table := newPairTable(40)
		for rank := range int32(40) {
			table.put(rng.Int32N(12), rng.Int32N(12), pairValue{rank, rng.Int32N(12)})
		}
		word := make([]int32, 1+rng.IntN(200))
		for i := range word {
			word[i] = rng.Int32N(12)
		}
		var m merger
		short := m.mergeShort(table, append([]int32(nil), word...))
		long := m.mergeLong(table, append([]int32(nil), word...))
		if !reflect.DeepEqual(short, long) {
			t.Fatalf("%v: %v by search, %v by heap", word, short, long)
		}
	}
}

// Hostile texts must not cost more than a little per byte: with quadratic work this test runs into go test's limit.
func TestHostileTexts(t *testing.T) {
	b, err := NewBPE(tinyJSON(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	clip := tinyCLIP(t)
	const n = 1 << 20
	for name, text := range map[string]string{
		"one word":    strings.Repeat("a", n),
		"marks":       "q" + strings.Repeat("\u0301\u0323", n/4),
		"spaces":      strings.Repeat(" ", n),
		"nothing":     strings.Repeat("\x00", n),
		"specials":    strings.Repeat("<image", n/6),
		"entities":    "&" + strings.Repeat("amp;", n/4),
		"mojibake":    strings.Repeat("Ã©â€™", n/12),
		"double bad":  strings.Repeat("Â\u0081Ã ", n/8),
		"replacement": strings.Repeat("\xff", n),
		"sigmas":      strings.Repeat("Σ'", n/3),
	} {
		t.Run(name, func(t *testing.T) {
			b.Decode(b.Encode(text))
			clip.Decode(clip.Encode(text))
		})
	}
}

func tinyMerges() string {
	return "\"table\" - Version: 0.2\nt h\nth e</w>\na n\nan d</w>"
}

func tinyCLIP(t testing.TB) *CLIP {
	c, err := NewCLIP([]byte(tinyMerges()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCLIP(t *testing.T) {
	c := tinyCLIP(t)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte(tinyMerges()))
	w.Close()
	unzipped, err := NewCLIP(zipped.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	vocab := map[string]int{}
	for id, token := range c.tokens {
		vocab[token] = id
	}
	raw, _ := json.Marshal(vocab)
	_, merges, _ := strings.Cut(tinyMerges(), "\n")
	files, err := NewCLIPFiles(raw, []byte("#version: 0.2\n"+merges))
	if err != nil {
		t.Fatal(err)
	}
	for _, tokenizer := range []*CLIP{c, unzipped, files} {
		for text, want := range map[string][]string{
			"The  AND\nthe":                 {"the</w>", "and</w>", "the</w>"},
			"&amp;amp; 12":                  {"&</w>", "1</w>", "2</w>"},
			"and<end_of_text>the":           {"and</w>", "<end_of_text>", "the</w>"},
			"It\u2019s":                     {"i", "t</w>", "'", "s</w>"},
			"x 'ſ":                          {"x</w>", "'", "Å", "¿</w>"},
			"the\u0345and \u0345":           {"the</w>", "and</w>"},
			"":                              nil,
			strings.Repeat("the ", 100)[:4]: {"the</w>"},
		} {
			var got []string
			for _, id := range tokenizer.EncodePlain(text) {
				got = append(got, tokenizer.Token(id))
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	}
	long := c.Row(strings.Repeat("the ", 100), 77)
	if len(long) != 77 || long[0] != int64(c.start) || long[76] != int64(c.end) || long[75] == int64(c.end) {
		t.Errorf("a long text: %v", long)
	}
	if got := c.DecodePlain(c.Encode("The and x")); got != "the and x " {
		t.Errorf("decoded %q", got)
	}
}

func TestFixText(t *testing.T) {
	for text, want := range map[string]string{
		"plain":            "plain",
		"âœ” No problems":  "✔ No problems",
		"lâ€™humanitÃ©":    "l'humanité",
		"voilÃ le travail": "voilà le travail",
		"ＬＯＵＤ　ＮＯＩＳＥＳ":      "LOUD NOISES",
		"Broken text&hellip; it&#x2019;s ﬂubberiﬁc!": "Broken text… it's flubberific!",
		"<b>&eacute;</b>":                 "<b>&eacute;</b>",
		"P&EACUTE;REZ":                    "PÉREZ",
		"\x1b[36;44mblue\x1b[0m":          "blue",
		"a\r\nb\u2028c":                   "a\nb\nc",
		"e\u0301":                         "é",
		"wait\u0085":                      "wait…",
		"â€œlikeâ€\ufffd":                 "\"like\ufffd",
		"Ångström is no mojibake, 100 °C": "Ångström is no mojibake, 100 °C",
	} {
		if got := FixText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPythonLower(t *testing.T) {
	for text, want := range map[string]string{
		"ΣΊΣΥΦΟΣ ΣΑΣ": "σίσυφος σας", "ΑΣ.": "ας.", "Σ": "σ", "ΑΣ'Α": "ασ'α", "İ": "i\u0307", "ǅ": "ǆ", "ẞ": "ß", "abc": "abc",
	} {
		if got := pythonLower(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestUnescapeHTML(t *testing.T) {
	for text, want := range map[string]string{
		"&amp&amp;": "&&", "&notit;": "¬it;", "&#0;&#xD800;&#x110000;": "\ufffd\ufffd\ufffd", "&#128;&#x81;": "€\u0081",
		"&#1;&#xFFFE;x": "x", "&#;&#x;&;& &": "&#;&#x;&;& &", "&eacute": "é", "&nosuch;": "&nosuch;", "&#99999999999999999999;": "\ufffd",
	} {
		if got := unescapeHTML(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNFC(t *testing.T) {
	for text, want := range map[string]string{
		"e\u0301": "é", "\u1112\u1161\u11ab": "한", "a\u0323\u0307": "ạ\u0307", "\u0958": "\u0915\u093c", "\u212b": "Å",
		"q" + strings.Repeat("\u0301", 40): "q" + strings.Repeat("\u0301", 40), "\u0301a": "\u0301a", "\u0344": "\u0308\u0301",
	} {
		if got := nfcText(text); got != want {
			t.Errorf("%+q: %+q, want %+q", text, got, want)
		}
	}
}

func TestLossyText(t *testing.T) {
	for text, want := range map[string]string{
		"a\xffb": "a\ufffdb", "\xe4\xb8x": "\ufffdx", "\xf0\x9f\x98": "\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd", "\xe0\x80\x80": "\ufffd\ufffd\ufffd", "\xc0\x80": "\ufffd\ufffd",
	} {
		if got := lossyText([]byte(text)); got != want {
			t.Errorf("%+q: %+q, want %+q", text, got, want)
		}
	}
}

// tinySPM writes a SentencePiece model: unknown, <s>, </s>, the bytes, and pieces of falling score.
func tinySPM(pieces ...string) []byte {
	var out []byte
	add := func(text string, score float32, kind byte) {
		p := append([]byte{0x0a, byte(len(text))}, text...)
		p = binary.LittleEndian.AppendUint32(append(p, 0x15), math.Float32bits(score))
		p = append(p, 0x18, kind)
		out = append(append(out, 0x0a, byte(len(p))), p...)
	}
	add("<unk>", 0, 2)
	add("<s>", 0, 3)
	add("</s>", 0, 3)
	for b := range 256 {
		add(fmt.Sprintf("<0x%02X>", b), 0, 6)
	}
	for i, p := range pieces {
		add(p, -float32(i), 1)
	}
	return append(out, 0x12, 2, 0x18, 2, 0x1a, 2, 0x20, 0)
}

func TestLlama(t *testing.T) {
	model, err := NewSentencePiece(tinySPM("▁a", "bc", "▁abc", "▁", "a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	slow, fast := NewLlama(model), NewLlama(model)
	slow.AddSpecial("<image>")
	fast.AddSpecial("<image>")
	fast.Fast = true
	for _, c := range []struct {
		text       string
		slow, fast string
	}{
		{"abc", "<s> ▁abc", "<s> ▁abc"},
		{"abcé", "<s> ▁abc <0xC3> <0xA9>", "<s> ▁abc <0xC3> <0xA9>"},
		{"a <image> bc", "<s> ▁a <image> ▁ bc", "<s> ▁a ▁ <image> ▁ ▁ bc"},
		{"", "<s>", "<s>"},
	} {
		for i, l := range []*Llama{slow, fast} {
			var got []string
			for _, id := range l.Encode(c.text) {
				got = append(got, l.Token(id))
			}
			if want := []string{c.slow, c.fast}[i]; strings.Join(got, " ") != want {
				t.Errorf("%q (fast %v): %q, want %q", c.text, l.Fast, got, want)
			}
		}
	}
	if got := slow.Decode(slow.Encode("a<image>bc")); got != "<s>a <image> bc" {
		t.Errorf("decoded %q", got)
	}
	if got := slow.DecodePlain(slow.Encode("a<image>bcé")); !strings.Contains(got, "bcé") || strings.Contains(got, "image") {
		t.Errorf("decoded without special tokens %q", got)
	}
}

func TestLoad(t *testing.T) {
	write := func(files map[string][]byte) string {
		dir := t.TempDir()
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	vocab, pairs := tinyVocab([2]string{"h", "e"})
	vocab["</s>"] = len(vocab)
	rawVocab, _ := json.Marshal(vocab)
	merges := []byte("#version: 0.2\n" + pairs[0][0] + " " + pairs[0][1] + "\n")
	for _, c := range []struct {
		files map[string][]byte
		want  string
	}{
		{map[string][]byte{"tokenizer.json": tinyJSON(t, nil)}, "*tokenizer.BPE [104]"},
		{map[string][]byte{"tokenizer.model": tinySPM("▁h", "h"), "tokenizer.json": []byte("{}"), "added_tokens.json": []byte(`{"<x>": 261}`)}, "*tokenizer.Llama [1 259]"},
		{map[string][]byte{"bpe_simple_vocab_16e6.txt": []byte("#version: 0.2\n" + "t h\n")}, "*tokenizer.CLIP"},
		{map[string][]byte{"vocab.json": rawVocab, "merges.txt": merges}, "*tokenizer.BPE [71]"},
		{map[string][]byte{"vocab.json": rawVocab, "merges.txt": merges, "tokenizer_config.json": []byte(`{"add_bos_token": true, "bos_token": {"content": "</s>"}}`)}, "*tokenizer.BPE [257 71]"},
	} {
		tok, err := Load(write(c.files))
		if err != nil {
			t.Error(err)
			continue
		}
		got := fmt.Sprintf("%T %v", tok, tok.Encode("h"))
		if b, ok := tok.(*BPE); ok && b.Token(tok.EncodePlain("h")[0]) != "h" || !ok && !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, want %s", got, c.want)
		}
		if b, ok := tok.(*BPE); ok && strings.Contains(c.want, "257") && (len(b.Encode("h")) != 2 || b.Token(b.Encode("h")[0]) != "</s>") {
			t.Errorf("OPT's token in front: %v", b.Encode("h"))
		}
	}
	for _, text := range []string{"", "[1, 2]", `{"model":`, "<html>", strings.Repeat(`{"model":`, 1<<16)} {
		if _, err := Load(write(map[string][]byte{"tokenizer.json": []byte(text)})); err == nil || !strings.Contains(err.Error(), "tokenizer.json is damaged") || strings.Contains(err.Error(), "tokenizer.model") {
			t.Errorf("a tokenizer.json of %.20q: %v", text, err)
		}
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "none of") {
		t.Errorf("an empty folder: %v", err)
	}
}

func FuzzTokenizerJSON(f *testing.F) {
	f.Add(tinyJSON(f, nil), " hello")
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}}`), "a")
	f.Add([]byte(`{"model":{"vocab":{"a":0,"aa":1},"merges":["a a"]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"}]}}`), "aaa")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		b, err := NewBPE(data)
		if err != nil {
			return
		}
		ids, offsets := b.EncodeOffsets(text)
		if len(ids) != len(offsets) || fmt.Sprint(ids) != fmt.Sprint(b.Encode(text)) {
			t.Errorf("%q: ids %v, with offsets %v %v", text, b.Encode(text), ids, offsets)
		}
		b.DecodePlain(ids)
	})
}

func FuzzMerges(f *testing.F) {
	f.Add([]byte(tinyMerges()), []byte(`{"a":0}`), "the and")
	f.Add([]byte("\x1f\x8b"), []byte(`{"a":1}`), "")
	f.Fuzz(func(t *testing.T, merges, vocab []byte, text string) {
		if c, err := NewCLIP(merges); err == nil {
			c.Decode(c.Encode(text))
		}
		if c, err := NewCLIPFiles(vocab, merges); err == nil {
			c.Decode(c.Encode(text))
		}
		if b, err := NewBPEFiles(vocab, merges, BPEOptions{NFC: true}); err == nil {
			b.Decode(b.Encode(text))
		}
	})
}

func FuzzTokenizerModel(f *testing.F) {
	f.Add(tinySPM("▁a", "bc", "▁abc", "▁", "a", "b", "c"), "abc é")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		model, err := NewSentencePiece(data)
		if err != nil {
			return
		}
		l := NewLlama(model)
		l.AddSpecial("<image>")
		for _, id := range l.Encode(text) {
			if id < 0 || id >= l.Size() {
				t.Fatalf("id %d of %d", id, l.Size())
			}
		}
		l.Decode(l.Encode(text))
	})
}

func FuzzFixText(f *testing.F) {
	for _, s := range []string{"lâ€™humanitÃ©", "&amp;amp;eacute;", "a\r\nb\u2028", "\x1b[1m", "Ã ", "q\u0301\u0323"} {
		f.Add(s)
	}
	c := tinyCLIP(f)
	f.Fuzz(func(t *testing.T, s string) {
		if got := FixText(s); utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is not UTF-8", s, got)
		}
		c.Encode(s)
	})
}
