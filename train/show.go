package train

// --show-batch: the first batch of each stream as the model sees it: tokens, what is learnt, and which token sees which
// picture. Text for the terminal, HTML with the pictures.

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/train/data"
)

// ShownToken is a token of a row.
type ShownToken struct {
	ID    int32  `json:"id"`
	Text  string `json:"text"`
	Learn bool   `json:"learn"`           // it is predicted
	Image int    `json:"image,omitempty"` // the <image> that it sees, from 1; 0: none
	Media bool   `json:"media,omitempty"` // it is an <image>
}

// ShownRow is a row of a batch.
type ShownRow struct {
	Stream  string       `json:"stream"`
	ID      string       `json:"doc_id"`
	Tokens  []ShownToken `json:"tokens"`
	Padding int          `json:"padding"`
	Images  []string     `json:"images"` // data: URLs

	Pictures []template.URL `json:"-"`
}

// ShowBatch reads the first batch of each stream. No model is made.
func ShowBatch(ctx context.Context, c *Config) ([]ShownRow, []data.Reject, error) {
	read, shapes, err := c.openTokens(ctx)
	if err != nil {
		return nil, nil, err
	}
	var rows []ShownRow
	var rejects []data.Reject
	for i, stream := range c.Streams {
		in, err := read.open(ctx, stream, i, data.Position{}, func(r data.Reject) { rejects = append(rejects, r) })
		if err != nil {
			return nil, nil, err
		}
		b, err := in.batch(ctx)
		in.Close()
		if err != nil {
			return nil, nil, err
		}
		media := int32(-1)
		if c.Kind == KindFlamingo {
			media = int32(shapes.flamingo.Media)
		}
		for row := range b.Rows {
			shown, err := read.show(b, row, media)
			if err != nil {
				return nil, nil, err
			}
			shown.Stream = stream.Name
			rows = append(rows, shown)
		}
	}
	return rows, rejects, nil
}

func (r *reading) word(id int32) string {
	switch {
	case r.tokens != nil:
		return r.tokens.Decode([]int{int(id)})
	case r.clip != nil:
		return r.clip.Decode([]int{int(id)})
	}
	return fmt.Sprint(id)
}

func (r *reading) show(b *data.Batch, row int, media int32) (ShownRow, error) {
	shown := ShownRow{ID: b.Samples[row]}
	image := 0
	for i := range b.Len {
		at := row*b.Len + i
		if b.Mask[at] == 0 {
			shown.Padding++
			continue
		}
		if b.IDs[at] == media {
			image++
		}
		shown.Tokens = append(shown.Tokens, ShownToken{ID: b.IDs[at], Text: r.word(b.IDs[at]), Learn: i > 0 && b.Labels[at] >= 0, Image: image, Media: b.IDs[at] == media})
	}
	for _, at := range b.Slot[row*b.Slots : (row+1)*b.Slots] {
		if at < 0 {
			continue
		}
		var png bytes.Buffer
		if err := imaging.EncodePNG(&png, b.Pictures[at].Picture()); err != nil {
			return shown, err
		}
		url := "data:image/png;base64," + base64.StdEncoding.EncodeToString(png.Bytes())
		shown.Images, shown.Pictures = append(shown.Images, url), append(shown.Pictures, template.URL(url))
	}
	return shown, nil
}

// String is the row for a terminal: what is learnt stands in «», and each token's picture number follows a change.
func (r ShownRow) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %d tokens, %d of padding, %d pictures\n  ", r.Stream, r.ID, len(r.Tokens), r.Padding, len(r.Images))
	learning := false
	for _, t := range r.Tokens {
		if t.Learn != learning {
			b.WriteString(map[bool]string{true: "«", false: "»"}[t.Learn])
			learning = t.Learn
		}
		b.WriteString(strings.ReplaceAll(t.Text, "\n", "\\n"))
		if t.Media {
			fmt.Fprintf(&b, "[%d]", t.Image)
		}
	}
	if learning {
		b.WriteString("»")
	}
	return b.String()
}

var page = template.Must(template.New("batch").Parse(`<!doctype html><meta charset="utf-8"><title>First batch</title>
<style>body{font:15px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
section{border-top:1px solid #ccc;padding:1rem 0}h2{font-size:1rem;margin:0 0 .5rem}small{color:#666}
span{padding:.1rem .05rem;border-radius:2px;white-space:pre-wrap}.learn{background:#d9f2d9}.media{background:#ffd9a8;font-weight:600}
figure{display:inline-block;margin:.5rem .7rem 0 0;text-align:center}img{width:112px;image-rendering:auto;border:1px solid #ccc}
@media (prefers-color-scheme:dark){body{background:#181818;color:#ddd}.learn{background:#1f4a1f}.media{background:#6b4410}}</style>
<h1>The first batch, as the model sees it</h1>
<p><span class="learn">green</span> tokens are predicted; an <span class="media">&lt;image&gt;</span> shows its picture to the tokens from it to the next one.</p>
{{range .}}<section><h2>{{.ID}} <small>{{.Stream}}, {{len .Tokens}} tokens, {{.Padding}} of padding</small></h2>
<div>{{range .Tokens}}<span class="{{if .Learn}}learn {{end}}{{if .Media}}media{{end}}" title="id {{.ID}}{{if .Image}}, sees picture {{.Image}}{{end}}">{{.Text}}</span>{{end}}</div>
{{range $i, $url := .Pictures}}<figure><img src="{{$url}}" alt="picture {{$i}}"><figcaption>slot {{$i}}</figcaption></figure>{{end}}</section>{{end}}
`))

// WriteBatch writes the rows as a page.
func WriteBatch(w io.Writer, rows []ShownRow) error { return page.Execute(w, rows) }
