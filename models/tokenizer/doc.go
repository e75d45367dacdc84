// Package tokenizer turns text into ids and back exactly as the programs do that the models were trained with.
//
//	CLIP           open_clip's SimpleTokenizer: ftfy, HTML unescape, lower-case, byte-level BPE with </w> (clip.go, fixtext*.go)
//	BPE            byte-level BPE of Hugging Face tokenizers: GPT-2, OPT, GPT-NeoX, MPT (bpe.go), from tokenizer.json or vocab.json + merges.txt
//	SentencePiece  SentencePiece's BPE with byte fallback, from tokenizer.model (spm.go)
//	Llama          transformers' LLaMA tokenizer on top of it, slow (legacy) or fast (llama.go)
//
// Load looks at the files of a folder and gives the right one. Every tokenizer may be used from several goroutines at
// once after its special tokens have been added. Ids that do not exist decode to nothing.
package tokenizer

// Tokenizer is what training, evaluation and embedding need.
type Tokenizer interface {
	// Encode gives the ids as the reference does by default, with the special tokens it puts around a text (OPT's </s>,
	// LLaMA's <s>, CLIP's two ends; nothing for GPT-2 and NeoX). Special tokens written in the text become their ids.
	Encode(text string) []int
	// EncodePlain is Encode without the special tokens around (add_special_tokens=False).
	EncodePlain(text string) []int
	// Decode gives the text of ids, special tokens included.
	Decode(ids []int) string
	// DecodePlain leaves the special tokens out (skip_special_tokens=True).
	DecodePlain(ids []int) string
	// Size is the number of ids, added tokens included: one more than the largest.
	Size() int
	// ID gives the id of a token as it is written in the vocabulary ("Ġthe", "<image>").
	ID(token string) (id int, ok bool)
	// Token is the reverse of ID, "" for an id that does not exist.
	Token(id int) string
	// AddSpecial makes special tokens of the given texts; those that are not in the vocabulary get the next free ids,
	// in order. It gives the number of new ids (so the embedding must grow by it).
	AddSpecial(tokens ...string) int
}
