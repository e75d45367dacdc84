// Package lm is a decoder-only transformer in five shapes: LLaMA, MPT (also MosaicGPT), GPT-NeoX, OPT and GPT-2, as
// transformers 4.33.3 and llm-foundry 0.1.0 compute them.
//
//	config, err := lm.ParseConfig(configJSON)                        // Hugging Face's config.json
//	m, err := lm.New(dev, queue, lm.Files(config, file), config, lm.Options{DType: kernels.F32})
//	logits_BTV := m.Logits(pass, m.Hidden(pass, lm.Input{IDs: ids, Rows: B, Mask: mask}))
//	result, err := m.Generate(ctx, pass, lm.Prompt{IDs: ids, Rows: B, Mask: mask}, lm.Decoding{MaxNew: 20, EOS: eos})
//
// One engine serves all: config.go says what a model is made of, parse_*.go read that from a config.json, model.go makes
// the parameters under Hugging Face's names (names.go), block.go computes a layer. Input.Before lets a caller compute
// something before each layer without the package knowing what: Flamingo's gated cross attention.
//
// Models are written against kernels.Pass: a pass with a tape trains them, one without only computes, and a Cache makes
// steps of one token cheap.
//
// Shapes in names: B rows, T tokens, K keys, C width, H heads, D features of a head, V vocabulary.
package lm
