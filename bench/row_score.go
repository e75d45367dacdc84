package bench

// Scoring files of captions and answers: whole commands against pycocoevalcap, by the clock, as its tokenizer is a Java
// program; CIDEr alone, and VQA accuracy, by CPU time.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mmc4/eval/formats"
	"mmc4/eval/metric/caption"
	"mmc4/eval/score"
)

const (
	scoredImages    = 5000
	scoredQuestions = 30000
)

var scoreRows = []Row{
	{Name: "score.captions", Input: "5000 images with 5 captions each, tokenised and scored: CIDEr, BLEU, ROUGE-L; whole commands, by the clock",
		Peer: "pycocoevalcap", Bar: 100, Open: openCaptions},
	{Name: "score.cider", Input: "CIDEr of the same captions, tokenised before", Peer: "pycocoevalcap", Bar: 50, Open: openCIDEr},
	{Name: "score.vqa", Input: "30000 questions with 10 answers each, from files", Peer: "open_flamingo", Bar: 30, Open: openVQA},
}

// program is a command run from its start to its end, measured by the clock.
type program struct {
	version string
	argv    []string
}

func (p program) output() ([]byte, error) {
	var said tail
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(p.argv, " "), err, said.String())
	}
	return out, nil
}

func (p program) Run(times int) (time.Duration, error) {
	start := time.Now()
	for range times {
		if _, err := p.output(); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func (p program) Version() string { return p.version }
func (program) Close() error      { return nil }

// captionFiles writes COCO annotations and a result file. The captions of an image share most of their words.
func captionFiles(lab *Lab) (predictions, references string, err error) {
	type line struct {
		Image   int    `json:"image_id"`
		ID      int    `json:"id"`
		Caption string `json:"caption"`
	}
	p := newProse(lab.Rand("captions"))
	var annotations, results []line
	for i := range scoredImages {
		about := make([]string, 8+p.IntN(7))
		for k := range about {
			about[k] = p.word()
		}
		for k := range 6 {
			l := line{Image: 37*i + 9, ID: 6*i + k, Caption: p.caption(about)}
			if k == 0 {
				results = append(results, l)
			} else {
				annotations = append(annotations, l)
			}
		}
	}
	if references, err = writeJSON(lab, "references.json", map[string]any{"annotations": annotations}); err != nil {
		return "", "", err
	}
	predictions, err = writeJSON(lab, "predictions.json", results)
	return predictions, references, err
}

// caption says what it is about in most of the words, sometimes with punctuation, a number or an 's.
func (p *prose) caption(about []string) string {
	var words []string
	for _, word := range about {
		switch p.IntN(12) {
		case 0:
			continue
		case 1, 2, 3:
			word = p.word()
		}
		switch p.IntN(40) {
		case 0:
			word += ","
		case 1:
			word += pick(p.Rand, []string{"'s", " 2", "-" + p.word(), " \"" + p.word() + "\""})
		}
		words = append(words, word)
	}
	return capital(strings.Join(append(words, p.word()), " ")) + pick(p.Rand, []string{".", ".", ".", " .", ""})
}

func writeJSON(lab *Lab, name string, value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return lab.Write(name, data)
}

func openCaptions(_ context.Context, lab *Lab) (*Contest, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return nil, Unavailable{"pycocoevalcap's tokenizer needs java on the path"}
	}
	predictions, references, err := captionFiles(lab)
	if err != nil {
		return nil, err
	}
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours := program{argv: []string{executable, "eval", "score", "--json", "--metric", "cider,bleu,rouge", predictions, references}}
	theirs := program{argv: []string{filepath.Join(lab.Peers, "bin", "python"), filepath.Join(lab.Dir, "scripts", "peers", "caption_peer.py"), predictions, references}}
	var peer struct {
		Version string             `json:"version"`
		Scores  map[string]float64 `json:"scores"`
	}
	probe, err := lab.Python("caption_peer.py", args{})
	if err != nil {
		return nil, err
	}
	theirs.version = probe.Version()
	if err := probe.Close(); err != nil {
		return nil, err
	}
	agree := func() (string, error) {
		out, err := theirs.output()
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(out, &peer); err != nil {
			return "", err
		}
		if out, err = ours.output(); err != nil {
			return "", err
		}
		worst, compared := 0.0, 0
		for line := range bytes.Lines(out) {
			var v struct {
				Metric string  `json:"metric"`
				Value  float64 `json:"value"`
			}
			if err := json.Unmarshal(line, &v); err != nil {
				return "", err
			}
			if want, ok := peer.Scores[v.Metric]; ok {
				worst = max(worst, math.Abs(v.Value-want))
				compared++
			}
		}
		return scoresAgree(compared, len(peer.Scores), worst)
	}
	return &Contest{Unit: "commands/s", Work: 1, Ours: ours, Theirs: theirs, Agree: agree}, nil
}

// scoresAgree judges scores in percent, of which so many were compared.
func scoresAgree(compared, all int, worst float64) (string, error) {
	if compared != all || !(worst <= 1e-7) {
		return "", fmt.Errorf("outputs differ: %d of %d scores compared, the worst differs by %g of 100", compared, all, worst)
	}
	return fmt.Sprintf("%d scores equal within %.1g of 100", compared, worst), nil
}

func openCIDEr(_ context.Context, lab *Lab) (*Contest, error) {
	predictions, references, err := captionFiles(lab)
	if err != nil {
		return nil, err
	}
	said, err := formats.ReadPredictions(predictions)
	if err != nil {
		return nil, err
	}
	meant, err := formats.ReadReferences(references)
	if err != nil {
		return nil, err
	}
	hypotheses, lists := make([]string, len(said)), make([][]string, len(said))
	for i := range said {
		hypotheses[i], lists[i] = said[i].Text, meant[i].Captions
	}
	items := caption.Tokenise(hypotheses, lists)
	path, err := writeJSON(lab, "tokens.json", items)
	if err != nil {
		return nil, err
	}
	peer, err := lab.Python("cider_peer.py", args{"tokens": path})
	if err != nil {
		return nil, err
	}
	var scores caption.Scores
	ours := func() error {
		corpus, err := caption.NewCorpus(items)
		if err == nil {
			scores = corpus.CIDEr()
		}
		return err
	}
	agree := func() (string, error) {
		var theirs []float64
		if err := peer.OutputJSON(lab, &theirs); err != nil {
			return "", err
		}
		if err := ours(); err != nil {
			return "", err
		}
		worst := 0.0
		for i, want := range theirs {
			if i < len(scores.PerImage) {
				worst = max(worst, 100*math.Abs(scores.PerImage[i]-want))
			}
		}
		return scoresAgree(len(scores.PerImage), len(theirs), worst)
	}
	return &Contest{Unit: "images/s", Work: scoredImages, Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
}

// vqaFiles writes VQA questions, annotations and answers. Ten people mostly agree; a third of the predictions are one
// of their answers.
func vqaFiles(lab *Lab) (results, questions, annotations string, err error) {
	type answer struct {
		Answer     string `json:"answer"`
		Confidence string `json:"answer_confidence"`
		ID         int    `json:"answer_id"`
	}
	p := newProse(lab.Rand("vqa"))
	say := func() string {
		switch p.IntN(6) {
		case 0, 1:
			return pick(p.Rand, []string{"yes", "no"})
		case 2:
			return pick(p.Rand, []string{"2", "one", "3.5", "1,000", "it's", "dont know", "T-shirt", "the left"})
		case 3:
			return p.word() + " " + p.word()
		}
		return p.word()
	}
	var asked, meant, said []map[string]any
	for i := range scoredQuestions {
		choices := []string{say(), say(), say()}
		people := make([]answer, 10)
		for k := range people {
			people[k] = answer{choices[p.IntN(6)/2*p.IntN(2)], pick(p.Rand, []string{"yes", "maybe", "no"}), k + 1}
		}
		image, question, kind := 1000+i/3, 1000*i+p.IntN(1000), pick(p.Rand, []string{"yes/no", "number", "other"})
		asked = append(asked, map[string]any{"image_id": image, "question": "What is the " + p.word() + " " + p.word() + "?", "question_id": question})
		meant = append(meant, map[string]any{"question_type": "what is the", "multiple_choice_answer": choices[0], "answers": people,
			"image_id": image, "answer_type": kind, "question_id": question})
		predicted := say()
		if p.IntN(3) == 0 {
			predicted = choices[0]
		}
		said = append(said, map[string]any{"question_id": question, "answer": predicted})
	}
	if results, err = writeJSON(lab, "answers.json", said); err != nil {
		return
	}
	if questions, err = writeJSON(lab, "questions.json", map[string]any{"questions": asked, "data_type": "mscoco", "data_subtype": "val2014", "task_type": "Open-Ended", "info": map[string]any{}, "license": map[string]any{}}); err != nil {
		return
	}
	annotations, err = writeJSON(lab, "annotations.json", map[string]any{"annotations": meant, "data_type": "mscoco", "data_subtype": "val2014", "info": map[string]any{}, "license": map[string]any{}})
	return
}

func openVQA(ctx context.Context, lab *Lab) (*Contest, error) {
	results, questions, annotations, err := vqaFiles(lab)
	if err != nil {
		return nil, err
	}
	module := filepath.Join(lab.Peers, "open_flamingo", "open_flamingo", "eval", "vqa_metric.py")
	if _, err := os.Stat(module); err != nil {
		return nil, Unavailable{fmt.Sprintf("no %s: run `make peers`, or say --peers DIR", module)}
	}
	peer, err := lab.Python("vqa_peer.py", args{"module": module, "results": results, "questions": questions, "annotations": annotations})
	if err != nil {
		return nil, err
	}
	var report *score.Report
	ours := func() (err error) {
		report, err = score.Files(ctx, results, annotations, score.Options{Metrics: []string{"vqa"}, Seed: 1})
		return err
	}
	agree := func() (string, error) {
		var theirs map[string]float64 // by question, and "overall"
		if err := peer.OutputJSON(lab, &theirs); err != nil {
			return "", err
		}
		if err := ours(); err != nil {
			return "", err
		}
		worst, compared := math.Abs(report.Values[0].Value-theirs["overall"]), 1
		for _, e := range report.Examples() {
			if want, ok := theirs[string(e.ID)]; ok {
				worst = max(worst, math.Abs(e.Scores["VQA"]-want))
				compared++
			}
		}
		return scoresAgree(compared, len(theirs), worst)
	}
	return &Contest{Unit: "questions/s", Work: scoredQuestions, Ours: self{run: ours}, Theirs: peer, Agree: agree}, nil
}
