package bench

// Sentences, assignments, and both with reading and writing: what MMC4's Python does with a document.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"mmc4/match"
	"mmc4/schemas"

	"github.com/neurosnap/sentences/data"
)

var matchRows = []Row{
	assignRow("scipy", 20, 3), assignRow("scipy", 200, 3), assignRow("lapjv", 20, 1), assignRow("lapjv", 200, 1),
	{Name: "sentences.punkt", Input: "400 texts of 30 sentences", Peer: "NLTK", Open: openSentences},
	{Name: "match.mmc4script", Input: "400 documents of 5..60 sentences and 1..12 images, jsonl to MMC4 jsonl", Peer: "MMC4's Python",
		Bar: 20, Open: openScript},
}

// similarities are like CLIP's: every image and every sentence has a level, the rest is noise.
func similarities(rng *rand.Rand, images, sentences int) [][]float32 {
	levels := make([]float64, sentences)
	for j := range levels {
		levels[j] = 0.04 * rng.NormFloat64()
	}
	rows := make([][]float32, images)
	for i := range rows {
		own := 0.18 + 0.03*rng.NormFloat64()
		rows[i] = make([]float32, sentences)
		for j := range rows[i] {
			rows[i][j] = float32(own + levels[j] + 0.03*rng.NormFloat64())
		}
	}
	return rows
}

func assignRow(solver string, n int, bar float64) Row {
	count := max(2, 4000/n)
	return Row{
		Name: fmt.Sprintf("assign.%s-%d", solver, n), Input: fmt.Sprintf("%d matrices of %d x %d similarities", count, n, n), Peer: solver, Bar: bar,
		Open: func(_ context.Context, lab *Lab) (*Contest, error) {
			rng := lab.Rand("assign")
			var lines bytes.Buffer
			sims := make([][][]float32, count)
			encode := json.NewEncoder(&lines)
			for i := range sims {
				sims[i] = similarities(rng, n, n)
				if err := encode.Encode(sims[i]); err != nil {
					return nil, err
				}
			}
			path, err := lab.Write("matrices.jsonl", lines.Bytes())
			if err != nil {
				return nil, err
			}
			peer, err := lab.Python("assign_peer.py", args{"solver": solver, "matrices": path})
			if err != nil {
				return nil, err
			}
			answers := make([][]int, count)
			var s match.Solver
			ours := func() (err error) {
				for i, sim := range sims {
					if answers[i], err = s.Assign(answers[i], sim); err != nil {
						return err
					}
				}
				return nil
			}
			agree := func() (string, error) {
				var theirs [][]int
				if err := peer.OutputJSON(lab, &theirs); err != nil {
					return "", err
				}
				if err := ours(); err != nil {
					return "", err
				}
				return sameAssignments(sims, answers, theirs)
			}
			return &Contest{Unit: "1/s", Work: float64(count), Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
		},
	}
}

// sameAssignments compares sums: several assignments may be equally good, and lapjv solves in float32.
func sameAssignments(sims [][][]float32, ours, theirs [][]int) (string, error) {
	if len(theirs) != len(ours) {
		return "", fmt.Errorf("outputs differ: %d assignments, the peer has %d", len(ours), len(theirs))
	}
	equal, worst := 0, 0.0
	for k, sim := range sims {
		a, b := sum(sim, ours[k]), sum(sim, theirs[k])
		if slices.Equal(ours[k], theirs[k]) {
			equal++
		}
		worst = max(worst, math.Abs(a-b))
		if !(b-a <= 1e-6) || !(a-b <= 1e-4) {
			return "", fmt.Errorf("outputs differ: matrix %d: our sum of similarities is %v, the peer's %v", k, a, b)
		}
	}
	return fmt.Sprintf("%d of %d assignments equal, sums within %.1g", equal, len(ours), worst), nil
}

func sum(sim [][]float32, answer []int) (s float64) {
	for i, j := range answer {
		s += float64(sim[i][j])
	}
	return s
}

// english writes Punkt's parameters for NLTK.
func english(lab *Lab) (string, error) {
	parameters, err := data.Asset("data/english.json")
	if err != nil {
		return "", err
	}
	return lab.Write("english.json", parameters)
}

func openSentences(_ context.Context, lab *Lab) (*Contest, error) {
	p := newProse(lab.Rand("sentences"))
	texts := make([]string, 400)
	size := 0
	for i := range texts {
		texts[i] = p.text(30)
		size += len(texts[i])
	}
	encoded, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	path, err := lab.Write("texts.json", encoded)
	if err != nil {
		return nil, err
	}
	parameters, err := english(lab)
	if err != nil {
		return nil, err
	}
	peer, err := lab.Python("punkt_peer.py", args{"english": parameters, "texts": path})
	if err != nil {
		return nil, err
	}
	var split []string
	ours := func() error {
		for _, text := range texts {
			split = match.AppendSentences(split[:0], text)
		}
		return nil
	}
	agree := func() (string, error) {
		var theirs [][]string
		if err := peer.OutputJSON(lab, &theirs); err != nil {
			return "", err
		}
		n := 0
		for i, text := range texts {
			if i >= len(theirs) || !slices.Equal(match.Sentences(text), theirs[i]) {
				return "", fmt.Errorf("outputs differ: text %d", i)
			}
			n += len(theirs[i])
		}
		return fmt.Sprintf("%d sentences equal", n), nil
	}
	return &Contest{Unit: "MB/s", Work: float64(size) / 1e6, Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
}

// scriptDocument is a line of the script's input.
type scriptDocument struct {
	URL              string        `json:"url"`
	Text             string        `json:"text"`
	ImageInfo        []scriptImage `json:"image_info"`
	SimilarityMatrix [][]float32   `json:"similarity_matrix"`
	Duplicate        int32         `json:"could_have_url_duplicate"`
}

type scriptImage struct {
	ImageName string `json:"image_name"`
	RawURL    string `json:"raw_url"`
}

func openScript(_ context.Context, lab *Lab) (*Contest, error) {
	p := newProse(lab.Rand("script"))
	var lines bytes.Buffer
	encode := json.NewEncoder(&lines)
	const documents = 400
	for i := range documents {
		d := scriptDocument{URL: fmt.Sprintf("https://www.example.test/%s/%d", p.word(), i), Text: p.text(5 + p.IntN(56))}
		for k := range 1 + p.IntN(12) {
			d.ImageInfo = append(d.ImageInfo, scriptImage{fmt.Sprintf("%016x.jpg", p.Uint64()), fmt.Sprintf("https://img.example.test/%s/%d.jpg", p.word(), k)})
		}
		d.SimilarityMatrix = similarities(p.Rand, len(d.ImageInfo), len(match.Sentences(d.Text)))
		if err := encode.Encode(d); err != nil {
			return nil, err
		}
	}
	in, err := lab.Write("documents.jsonl", lines.Bytes())
	if err != nil {
		return nil, err
	}
	parameters, err := english(lab)
	if err != nil {
		return nil, err
	}
	peer, err := lab.Python("mmc4_script_peer.py", args{"english": parameters, "documents": in, "out": lab.Path("theirs.jsonl")})
	if err != nil {
		return nil, err
	}
	out := lab.Path("ours.jsonl")
	ours := func() error { return matchFile(in, out) }
	agree := func() (string, error) {
		theirs, err := peer.Output(lab)
		if err != nil {
			return "", err
		}
		if err := ours(); err != nil {
			return "", err
		}
		mine, err := os.ReadFile(out)
		if err != nil {
			return "", err
		}
		return sameDocuments(mine, theirs)
	}
	return &Contest{Unit: "docs/s", Work: documents, Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
}

// matchFile splits, assigns and writes the documents of a file.
func matchFile(in, out string) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	g, err := os.Create(out)
	if err != nil {
		return err
	}
	defer g.Close()
	w := schemas.NewJSONLWriter(g)
	var s match.Solver
	var answer []int
	var sentences []string
	for d, err := range schemas.ReadUnsplitJSONL(f, in) {
		if err != nil {
			return err
		}
		if answer, err = s.Assign(answer, d.SimilarityMatrix); err != nil {
			return err
		}
		sentences = match.AppendSentences(sentences[:0], d.Text)
		d.TextList = sentences
		for i, j := range answer {
			d.ImageInfo[i].MatchedTextIndex, d.ImageInfo[i].MatchedSim = int32(j), d.SimilarityMatrix[i][j]
		}
		if err := w.Write(&d.Document); err != nil {
			return err
		}
	}
	return w.Flush()
}

// sameDocuments compares the lines of two files: all but the assignments must be equal, and those equally good.
func sameDocuments(ours, theirs []byte) (string, error) {
	a, b := bytes.Split(bytes.TrimSpace(ours), []byte("\n")), bytes.Split(bytes.TrimSpace(theirs), []byte("\n"))
	if len(a) != len(b) {
		return "", fmt.Errorf("outputs differ: %d documents, the peer has %d", len(a), len(b))
	}
	sims := make([][][]float32, len(a))
	mine, peers := make([][]int, len(a)), make([][]int, len(a))
	sentences := 0
	for k := range a {
		var x, y struct {
			URL       string   `json:"url"`
			TextList  []string `json:"text_list"`
			ImageInfo []struct {
				ImageName string `json:"image_name"`
				RawURL    string `json:"raw_url"`
				Matched   int    `json:"matched_text_index"`
			} `json:"image_info"`
			Matrix [][]float32 `json:"similarity_matrix"`
		}
		if err := json.Unmarshal(a[k], &x); err != nil {
			return "", err
		}
		if err := json.Unmarshal(b[k], &y); err != nil {
			return "", err
		}
		sims[k] = x.Matrix
		if x.URL != y.URL || !slices.Equal(x.TextList, y.TextList) || !slices.EqualFunc(x.Matrix, y.Matrix, slices.Equal) || len(x.ImageInfo) != len(y.ImageInfo) {
			return "", fmt.Errorf("outputs differ: document %d", k)
		}
		for i := range x.ImageInfo {
			mine[k], peers[k] = append(mine[k], x.ImageInfo[i].Matched), append(peers[k], y.ImageInfo[i].Matched)
			x.ImageInfo[i].Matched, y.ImageInfo[i].Matched = 0, 0
		}
		if !slices.Equal(x.ImageInfo, y.ImageInfo) {
			return "", fmt.Errorf("outputs differ: images of document %d", k)
		}
		sentences += len(x.TextList)
	}
	words, err := sameAssignments(sims, mine, peers)
	return fmt.Sprintf("%d sentences equal, %s", sentences, words), err
}
