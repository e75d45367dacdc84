package score

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"mmc4/eval/formats"
	"mmc4/eval/metric/vqa"
)

// Problems are the examples that were not scored, by cause, and the ones that were but look wrong.
type Problems struct {
	Missing   []formats.ID `json:"missing"`   // a reference without a prediction: left out
	Unknown   []formats.ID `json:"unknown"`   // a prediction without a reference: left out
	Duplicate []formats.ID `json:"duplicate"` // predictions that contradict each other: all left out
	Repeated  []formats.ID `json:"repeated"`  // the same prediction again: counted once
	Empty     []formats.ID `json:"empty"`     // an empty prediction: scored as it stands
	Bad       []string     `json:"bad"`       // records that could not be used
}

// LeftOut is how many examples could not be scored.
func (p *Problems) LeftOut() int {
	return len(p.Missing) + len(p.Unknown) + len(p.Duplicate) + len(p.Bad)
}

// String counts the problems and names the first of each kind.
func (p Problems) String() string {
	var parts []string
	say := func(what string, ids []formats.ID) {
		if len(ids) == 0 {
			return
		}
		names := make([]string, 0, 5)
		for _, id := range ids[:min(5, len(ids))] {
			names = append(names, string(id))
		}
		more := ""
		if len(ids) > len(names) {
			more = ", ..."
		}
		parts = append(parts, fmt.Sprintf("%d %s (%s%s)", len(ids), what, strings.Join(names, ", "), more))
	}
	say("references without a prediction, left out", p.Missing)
	say("predictions without a reference, left out", p.Unknown)
	say("ids with contradicting predictions, left out", p.Duplicate)
	say("predictions repeated, counted once", p.Repeated)
	say("empty predictions, scored as empty", p.Empty)
	if n := len(p.Bad); n > 0 {
		parts = append(parts, fmt.Sprintf("%d broken records, left out (%s)", n, strings.Join(p.Bad[:min(3, n)], "; ")))
	}
	return strings.Join(parts, "\n")
}

type paired struct {
	prediction *formats.Prediction
	reference  *formats.Reference
}

// pair brings predictions and references with the same id together, in the order of the references. A prediction that lacks what one of
// the metrics needs is a broken record.
func pair(predictions []formats.Prediction, references []formats.Reference, metrics []string) ([]paired, Problems) {
	var problems Problems
	needScore := slices.Contains(metrics, "auc")
	needText := slices.ContainsFunc(metrics, func(m string) bool { return m != "auc" })
	known := make(map[formats.ID]bool, len(references))
	for i := range references {
		known[references[i].ID] = true
	}
	byID := make(map[formats.ID]*formats.Prediction, len(predictions))
	contradicted, broken := map[formats.ID]bool{}, map[formats.ID]bool{}
	bad := func(p *formats.Prediction, why string) {
		problems.Bad = append(problems.Bad, why)
		broken[p.ID] = true
	}
	for i := range predictions {
		p := &predictions[i]
		first, seen := byID[p.ID]
		switch {
		case p.Bad != "":
			bad(p, p.Bad)
		case !known[p.ID]:
			problems.Unknown = append(problems.Unknown, p.ID)
		case needText && p.NoText:
			bad(p, fmt.Sprintf("id %s has a score only, no caption, answer, prediction or label", p.ID))
		case needScore && p.NoScore:
			bad(p, fmt.Sprintf("id %s has neither score nor proba, which auc needs", p.ID))
		case !seen:
			byID[p.ID] = p
		case first.Text == p.Text && first.Score == p.Score:
			problems.Repeated = append(problems.Repeated, p.ID)
		case !contradicted[p.ID]:
			contradicted[p.ID] = true
			problems.Duplicate = append(problems.Duplicate, p.ID)
		}
	}
	pairs := make([]paired, 0, len(references))
	for i := range references {
		r := &references[i]
		p := byID[r.ID]
		switch {
		case p == nil && broken[r.ID]: // named already
		case p == nil:
			problems.Missing = append(problems.Missing, r.ID)
		case contradicted[r.ID]:
		default:
			if needText && p.Text == "" {
				problems.Empty = append(problems.Empty, r.ID)
			}
			pairs = append(pairs, paired{p, r})
		}
	}
	return pairs, problems
}

// each runs f for 0..n-1 on all processors, with a normaliser of its own for each goroutine.
func each(n int, f func(i int, normaliser *vqa.Normaliser)) {
	workers := min(runtime.GOMAXPROCS(0), n/128+1)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			normaliser := vqa.NewNormaliser()
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				f(i, normaliser)
			}
		}()
	}
	wg.Wait()
}
