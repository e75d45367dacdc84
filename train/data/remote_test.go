package data

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// A row group of a remote shard is read by range requests for its own bytes: the others stay where they are.
func TestRowGroupsByRange(t *testing.T) {
	var shard bytes.Buffer
	w := schemas.NewWriter[schemas.Document](&shard)
	noise := rand.NewChaCha8([32]byte{1})
	for i := range 6 {
		d := schemas.Document{URL: fmt.Sprintf("http://a.example/%d", i), Timestamp: time.Unix(1, 0).UTC(), TextList: []string{"the lake"}, SimilarityMatrix: [][]float32{{0.5}}}
		d.DocID = schemas.DocID(d.URL, d.Timestamp)
		picture := make([]byte, 12<<20) // two fit into a row group
		noise.Read(picture)
		d.ImageInfo = []schemas.ImageInfo{{ImageName: "x.jpg", MatchedSim: 0.5, SHA256: strings.Repeat("0", 64), Bytes: picture}}
		if err := w.Write(&d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var lock sync.Mutex
	var requests []string
	served := int64(0)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		counted := &counter{ResponseWriter: out}
		http.ServeContent(counted, r, "", time.Unix(1, 0), bytes.NewReader(shard.Bytes()))
		lock.Lock()
		defer lock.Unlock()
		requests, served = append(requests, r.Method+" "+r.Header.Get("Range")), served+counted.n
	}))
	defer server.Close()
	source, err := OpenDocuments(context.Background(), []string{server.URL + "/docs/part-00000.parquet"}, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(source.Blocks()); got != "[2 2 2]" {
		t.Fatalf("row groups of %s rows", got)
	}
	t.Logf("opening: %d bytes in %v", served, requests)
	if served > 4<<20 {
		t.Errorf("opening took %d bytes of %d", served, shard.Len())
	}
	served, requests = 0, nil
	docs, err := source.Read(context.Background(), 1)
	if err != nil || len(docs) != 2 || len(docs[0].Images) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	picture, err := docs[1].Images[0].Load(context.Background())
	if err != nil || len(picture) != 12<<20 {
		t.Errorf("a picture of %d bytes, %v", len(picture), err)
	}
	t.Logf("a row group: %d bytes in %v", served, requests)
	if served > int64(shard.Len())/2 {
		t.Errorf("a row group of three took %d bytes of %d", served, shard.Len())
	}
	for _, r := range requests {
		if strings.HasPrefix(r, "GET") && r == "GET " {
			t.Errorf("the shard was asked for as a whole: %v", requests)
		}
	}
}

// counter counts the bytes of an answer.
type counter struct {
	http.ResponseWriter
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n += int64(n)
	return n, err
}
