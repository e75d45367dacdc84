package bench

// How long training waits for its data: a CLIP learns from docs shards, from this disk and from S3 that answers late.

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mmc4/internal/imaging"
	"mmc4/schemas"
	"mmc4/train"
)

var waitRows = []Row{
	{Name: "data.wait-disk", Input: "a CLIP learns from docs shards on this disk", Peer: "the same steps without waiting", Bar: 0.99,
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) { return openWait(ctx, lab, 0) }},
	{Name: "data.wait-s3", Input: "the same from S3, every answer 30 ms late", Peer: "the same steps without waiting", Bar: 0.97,
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) { return openWait(ctx, lab, 30*time.Millisecond) }},
}

const (
	waitShards, waitDocuments, waitImages = 8, 48, 2
	waitSteps, waitWarm                   = 30, 5 // the first steps wait for the first window, once a run
)

const waitConfig = `
kind: clip
steps: %d
model:
  embed_dim: 256
  vision_cfg: {layers: 6, width: 384, head_width: 64, patch_size: 32, image_size: 224}
  text_cfg: {context_length: 32, vocab_size: 600, width: 256, heads: 4, layers: 4}
tokenizer: {path: %q}
streams: [{name: documents, format: docs, paths: [%q], batch: 16, min_bytes: 0}]
save: {every: 0}
`

func openWait(ctx context.Context, lab *Lab, late time.Duration) (*Contest, error) {
	folder := lab.Path("bucket")
	if err := writeShards(lab, filepath.Join(folder, "docs")); err != nil {
		return nil, err
	}
	merges, err := lab.Write("bpe_simple_vocab_16e6.txt", []byte(oneMerge))
	if err != nil {
		return nil, err
	}
	var step, ready float64
	agree := func() (string, error) {
		shards := folder
		if late > 0 {
			server := httptest.NewServer(&lateS3{folder: lab.Dir, late: late})
			defer server.Close()
			defer environment(map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"})()
			shards = "s3://bucket"
		}
		config, err := train.ParseConfig(fmt.Appendf(nil, waitConfig, waitSteps, merges, shards+"/docs/*.parquet"), "wait.yaml")
		if err != nil {
			return "", err
		}
		began, waited := time.Now(), 0.0
		_, err = train.Run(ctx, config, train.Options{Out: lab.Path("trained"), Device: "cpu", Progress: func(line train.LogLine) {
			if line.Step == waitWarm {
				began = time.Now()
			} else if line.Step > waitWarm {
				waited += line.WaitSeconds
			}
			if line.Step == waitSteps {
				step = time.Since(began).Seconds() / (waitSteps - waitWarm)
				ready = step - waited/(waitSteps-waitWarm)
			}
		}})
		return fmt.Sprintf("%.2f %% of %d steps of %.2f s are waiting", 100*(1-ready/step), waitSteps-waitWarm, step), err
	}
	return &Contest{Unit: "steps/s", Work: 1, Ours: self{}, Theirs: self{}, Agree: agree, Once: func() (float64, float64, error) { return step, ready, nil }}, nil
}

// environment sets variables and gives what puts the old ones back.
func environment(set map[string]string) (restore func()) {
	old := map[string]*string{}
	for key, value := range set {
		if v, ok := os.LookupEnv(key); ok {
			old[key] = &v
		} else {
			old[key] = nil
		}
		os.Setenv(key, value)
	}
	return func() {
		for key, value := range old {
			if value == nil {
				os.Unsetenv(key)
			} else {
				os.Setenv(key, *value)
			}
		}
	}
}

// writeShards writes docs as `mmc4 build` does, with pictures of 512 x 384 pixels.
func writeShards(lab *Lab, folder string) error {
	rng := lab.Rand("wait")
	p := newProse(rng)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var pictures [][]byte
	for range 16 {
		var jpeg bytes.Buffer
		if err := imaging.EncodeJPEG(&jpeg, drawPhoto(rng, 512, 384), 90); err != nil {
			return err
		}
		pictures = append(pictures, jpeg.Bytes())
	}
	for shard := range waitShards {
		var b bytes.Buffer
		w := schemas.NewWriter[schemas.Document](&b)
		for i := range waitDocuments {
			d := schemas.Document{URL: fmt.Sprintf("http://a.example/%d/%d", shard, i), Timestamp: time.Unix(0, 0).UTC()}
			d.DocID = schemas.DocID(d.URL, d.Timestamp)
			for k := range waitImages {
				var sentence strings.Builder
				p.sentence(&sentence)
				d.TextList = append(d.TextList, sentence.String())
				row := make([]float32, waitImages)
				row[k] = 0.5
				d.SimilarityMatrix = append(d.SimilarityMatrix, row)
				d.ImageInfo = append(d.ImageInfo, schemas.ImageInfo{ImageName: fmt.Sprintf("%016d.jpg", k), MatchedTextIndex: int32(k), MatchedSim: 0.5,
					SHA256: strings.Repeat("0", 64), MediaType: "image/jpeg", Bytes: pictures[rng.IntN(len(pictures))]})
			}
			if err := w.Write(&d); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("part-%05d.parquet", shard)), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// lateS3 answers the three requests that reading from S3 makes, each a while late, from a folder of buckets.
type lateS3 struct {
	folder string
	late   time.Duration
}

func (s *lateS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(s.late)
	if r.URL.Query().Has("list-type") {
		s.list(w, r)
		return
	}
	f, err := os.OpenInRoot(s.folder, strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("ETag", `"constant"`)
	http.ServeContent(w, r, "", time.Unix(1, 0), f)
}

func (s *lateS3) list(w http.ResponseWriter, r *http.Request) {
	type object struct {
		Key, LastModified, ETag string
		Size                    int64
	}
	var answer struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		IsTruncated bool
		Contents    []object
	}
	bucket := filepath.Join(s.folder, filepath.Base(r.URL.Path))
	err := filepath.Walk(bucket, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		key, err := filepath.Rel(bucket, path)
		if key = filepath.ToSlash(key); strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
			answer.Contents = append(answer.Contents, object{key, "2026-01-01T00:00:00Z", `"constant"`, info.Size()})
		}
		return err
	})
	text, err2 := xml.Marshal(answer)
	if err != nil || err2 != nil {
		http.Error(w, "the bucket cannot be listed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	io.WriteString(w, xml.Header+string(text))
}
