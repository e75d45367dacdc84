package data

// A document as open_flamingo's converter wrote it into WebDataset tars: MMC4's JSON with image_base64 in each picture that
// was downloaded, or a generated sequence with image_map.

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
)

type imageJSON struct {
	Name    string  `json:"image_name"`
	Matched *int    `json:"matched_text_index"`
	Base64  *string `json:"image_base64"`
}

type documentJSON struct {
	Sentences []string        `json:"text_list"`
	Images    []imageJSON     `json:"image_info"`
	Matrix    [][]any         `json:"similarity_matrix"`
	IsGPT     json.RawMessage `json:"is_gpt"`
	Example   string          `json:"example"`
	Map       map[string]struct {
		Base64 string `json:"base64_image"`
	} `json:"image_map"`
}

// ParseDocument reads one such document.
func ParseDocument(data []byte, id string) (*Document, error) {
	var in documentJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	d := &Document{ID: id, Sentences: in.Sentences}
	if in.IsGPT != nil {
		if d.Generated = in.Example; d.Generated == "" {
			return nil, fmt.Errorf("%s: a generated document without example", id)
		}
		for k := 1; k <= len(in.Map); k++ {
			name := fmt.Sprintf("_!_IMAGE%d_!_", k)
			image, ok := in.Map[name]
			if !ok {
				return nil, fmt.Errorf("%s: image_map has no %s", id, name)
			}
			d.Images = append(d.Images, Image{Name: name, Matched: -1, Load: fromBase64(image.Base64)})
		}
		return d, nil
	}
	for _, image := range in.Images {
		out := Image{Name: image.Name, Matched: -1}
		if image.Matched != nil {
			out.Matched = *image.Matched
		}
		if image.Base64 != nil {
			out.Load = fromBase64(*image.Base64)
		}
		d.Images = append(d.Images, out)
	}
	for _, row := range in.Matrix {
		values := make([]float64, len(row))
		for i, v := range row {
			number, ok := v.(float64)
			if !ok {
				number = math.NaN()
			}
			values[i] = number
		}
		d.Similarity = append(d.Similarity, values)
	}
	return d, nil
}

func fromBase64(text string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return decodeBase64(text) }
}

// fromBytes is a picture that is in memory.
func fromBytes(data []byte) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return data, nil }
}
