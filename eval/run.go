package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mmc4/eval/formats"
	"mmc4/eval/pictures"
	"mmc4/eval/sampling"
	"mmc4/eval/task"
)

// Options are what a run is told beside its config.
type Options struct {
	Slice, Slices int    // this process's share of the batches, 1-based; 0 of 0: all of them
	Model         string // names the model's files; another model does not go on with a folder's predictions
	// Open makes the model, once everything else has been read and something is left to compute.
	Open func(ctx context.Context, images func(name string) ([]byte, error)) (Model, error)
	// Features gives unit features of pictures of a place, for RICES.
	Features func(ctx context.Context, location string, place pictures.Place, images []string) ([][]float32, error)
	// Progress is told how many of how many batches are done; may be nil.
	Progress func(done, all int, what string)
}

// trial is one task with one number of shots and one seed.
type trial struct {
	task   int
	shots  int
	seed   uint64
	plan   sampling.Plan
	shared map[string]bool // lists of demonstrations that several examples are shown
}

// job is one task of the run.
type job struct {
	config *TaskConfig
	task   *task.Task
	data   *task.Data
	prompt task.Prompt
	place  int // of its pictures
}

// runner is a run in progress.
type runner struct {
	config *Config
	o      Options
	jobs   []job
	trials []trial
	units  []unit
	// evaluation names what is run: see hash
	evaluation string
	model      Model
	places     []string // folders, buckets, tars with pictures
	stores     pictures.Places
}

// Run runs an evaluation, or goes on with it, and writes its results to config.Out. With Slices it computes its share
// only; once all shares are there, a run without Slices takes them over and writes the results. After ErrPartial the
// results are as good as after none.
func Run(ctx context.Context, config *Config, o Options) (*Results, error) {
	r := &runner{config: config, o: o}
	defer r.stores.Close()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	r.evaluation = r.hash()
	if err := os.MkdirAll(config.Out, 0o755); err != nil {
		return nil, err
	}
	records, err := r.compute(ctx)
	if err != nil || o.Slices > 1 {
		return nil, err
	}
	results, err := r.score(records)
	if err != nil {
		return nil, err
	}
	if err := r.write(results, records); err != nil {
		return nil, err
	}
	if results.Failed > 0 {
		return results, fmt.Errorf("%w: %d of %d: %s", ErrPartial, results.Failed, results.Asked, results.failures(5))
	}
	return results, nil
}

// prepare reads tasks and data and plans all trials.
func (r *runner) prepare(ctx context.Context) error {
	names := map[string]bool{}
	for i := range r.config.Tasks {
		c := &r.config.Tasks[i]
		t, err := c.load()
		if err != nil {
			return err
		}
		if names[t.Name] {
			return fmt.Errorf("%w: task %s is there twice", ErrUsage, t.Name)
		}
		names[t.Name] = true
		prompt, err := t.Wording(r.config.Wording)
		if err != nil && t.Kind == "answer" { // only questions were ever worded in another way
			return fmt.Errorf("%w: %w", ErrUsage, err)
		} else if err != nil {
			prompt = t.Prompt
		}
		j := job{config: c, task: t, prompt: prompt}
		if j.place = slices.Index(r.places, j.images()); j.place < 0 { // tasks with the same pictures share what is made of them
			j.place, r.places = len(r.places), append(r.places, j.images())
		}
		place, err := r.stores.Open(ctx, j.images())
		if err != nil {
			return err
		}
		if j.data, err = t.Read(ctx, c.Data, place); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w; the task's file says what has to lie in %s", ErrUsage, err, c.Data)
		} else if err != nil {
			return err
		}
		r.jobs = append(r.jobs, j)
	}
	for i := range r.jobs {
		for _, shots := range r.config.Shots {
			for _, seed := range r.config.Seeds {
				plan, err := r.plan(ctx, &r.jobs[i], r.config.options(shots, seed))
				if errors.Is(err, sampling.ErrTooFew) {
					err = fmt.Errorf("%w: %w", ErrUsage, err)
				}
				if err != nil {
					return fmt.Errorf("task %s, %d shots: %w", r.jobs[i].task.Name, shots, err)
				}
				r.trials = append(r.trials, trial{i, shots, seed, plan, repeated(plan.Demonstrations)})
				for first := 0; first < len(plan.Test); first += r.config.Batch {
					r.units = append(r.units, unit{i, shots, seed, first, min(r.config.Batch, len(plan.Test)-first)})
				}
			}
		}
	}
	return nil
}

func (r *runner) plan(ctx context.Context, j *job, o sampling.Options) (sampling.Plan, error) {
	rices := r.config.Demonstrations == "rices"
	var plan sampling.Plan
	var err error
	if r.config.Compat != "" {
		plan, err = sampling.Upstream(len(j.data.Test), len(j.data.Train), o, !rices)
	} else {
		ids := make([]string, len(j.data.Test))
		for i := range ids {
			ids[i] = string(j.data.Test[i].ID)
		}
		plan, err = sampling.Independent(ids, len(j.data.Train), o)
	}
	if err != nil || !rices {
		return plan, err
	}
	if r.o.Features == nil {
		return plan, errors.New("no CLIP model for RICES")
	}
	names := func(samples []task.Sample) []string {
		out := make([]string, len(samples))
		for i := range samples {
			out[i] = samples[i].Image
		}
		return out
	}
	if o.Shots > len(j.data.Train) {
		return plan, fmt.Errorf("%w: %d", sampling.ErrTooFew, len(j.data.Train))
	}
	place, err := r.stores.Open(ctx, j.images())
	if err != nil {
		return plan, err
	}
	training, err := r.o.Features(ctx, j.images(), place, names(j.data.Train))
	if err != nil {
		return plan, err
	}
	asked := make([]string, len(plan.Test))
	for k, i := range plan.Test {
		asked[k] = j.data.Test[i].Image
	}
	queries, err := r.o.Features(ctx, j.images(), place, asked)
	if err != nil {
		return plan, err
	}
	plan.Demonstrations = make([][]int, len(queries))
	for k, q := range queries {
		plan.Demonstrations[k] = sampling.Nearest(q, training, sampling.Effective(o.Shots))
	}
	return plan, nil
}

// repeated are the lists that are there several times.
func repeated(lists [][]int) map[string]bool {
	seen := map[string]bool{}
	for _, list := range lists {
		key := fmt.Sprint(list)
		_, again := seen[key]
		seen[key] = again
	}
	maps.DeleteFunc(seen, func(_ string, again bool) bool { return !again })
	return seen
}

// images is where the job's pictures are.
func (j *job) images() string {
	if j.config.Images != "" {
		return j.config.Images
	}
	return j.config.Data
}

// sizes are the numbers of records of units.
func sizes(units []unit) []int {
	out := make([]int, len(units))
	for i, u := range units {
		out[i] = u.size
	}
	return out
}

// share is a slice's part of the units.
func share(units []unit, slice, slices int) []unit {
	var out []unit
	for i := slice - 1; i < len(units); i += slices {
		out = append(out, units[i])
	}
	return out
}

// compute asks what has not been asked yet and returns the records of all units of this process.
func (r *runner) compute(ctx context.Context) ([][]Record, error) {
	units, name, h := r.units, "predictions.jsonl", header{Evaluation: r.evaluation}
	var done map[unit][]Record
	if r.o.Slices > 1 {
		units = share(units, r.o.Slice, r.o.Slices)
		name = fmt.Sprintf("predictions-%d-of-%d.jsonl", r.o.Slice, r.o.Slices)
		h.Slice = fmt.Sprintf("%d/%d", r.o.Slice, r.o.Slices)
	} else {
		var err error
		if done, err = r.fromSlices(); err != nil {
			return nil, err
		}
	}
	j, err := openJournal(filepath.Join(r.config.Out, name), h, sizes(units))
	if err != nil {
		return nil, err
	}
	defer j.close()
	for i := len(j.records); i < len(units); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		u := units[i]
		records, ok := done[u]
		if !ok {
			if records, err = r.ask(ctx, u); err != nil {
				return nil, err
			}
		}
		if err := j.add(records); err != nil {
			return nil, err
		}
		if r.o.Progress != nil {
			r.o.Progress(i+1, len(units), fmt.Sprintf("%s, %d shots", r.jobs[u.task].task.Title, u.shots))
		}
	}
	return j.records, nil
}

// fromSlices collects what slices of this evaluation have computed.
func (r *runner) fromSlices() (map[unit][]Record, error) {
	paths, err := filepath.Glob(filepath.Join(r.config.Out, "predictions-*-of-*.jsonl"))
	if err != nil {
		return nil, err
	}
	done := map[unit][]Record{}
	for _, path := range paths {
		var slice, slices int
		if n, _ := fmt.Sscanf(filepath.Base(path), "predictions-%d-of-%d.jsonl", &slice, &slices); n != 2 || slice < 1 || slice > slices {
			continue
		}
		units := share(r.units, slice, slices)
		j, err := openJournal(path, header{r.evaluation, fmt.Sprintf("%d/%d", slice, slices)}, sizes(units))
		if err != nil {
			return nil, err
		}
		for i, records := range j.records {
			done[units[i]] = records
		}
		j.close()
	}
	return done, nil
}

// trialOf finds the plan of a unit.
func (r *runner) trialOf(u unit) *trial {
	i := slices.IndexFunc(r.trials, func(t trial) bool { return t.task == u.task && t.shots == u.shots && t.seed == u.seed })
	return &r.trials[i]
}

// ask runs one batch.
func (r *runner) ask(ctx context.Context, u unit) ([]Record, error) {
	if r.model == nil {
		var err error
		if r.model, err = r.o.Open(ctx, r.openImage); err != nil {
			return nil, err
		}
	}
	j, t := &r.jobs[u.task], r.trialOf(u)
	plan := &t.plan
	records := make([]Record, u.size)
	queries := make([]Query, u.size)
	var images []string
	for k := range records {
		sample := &j.data.Test[plan.Test[u.first+k]]
		records[k] = Record{Task: j.task.Name, Shots: u.shots, Seed: u.seed, ID: sample.ID, Image: sample.Image, Demonstrations: []formats.ID{}}
		shown := j.shown(plan.Demonstrations[u.first+k])
		for _, d := range shown {
			records[k].Demonstrations = append(records[k].Demonstrations, d.ID)
		}
		var err error
		if queries[k], err = j.query(shown, sample, u.shots > 0); err != nil {
			return nil, err
		}
		queries[k].Shared = t.shared[fmt.Sprint(plan.Demonstrations[u.first+k])]
		records[k].Prompt = queries[k].Text
		images = append(images, queries[k].Images...)
	}
	slices.Sort(images)
	unreadable, err := r.model.See(ctx, slices.Compact(images))
	if err != nil {
		return nil, err
	}
	var able []int
	for k := range queries {
		for _, name := range queries[k].Images {
			if err := unreadable[name]; err != nil {
				records[k].Error = fmt.Sprintf("%s: %v", pictureName(name), err)
			}
		}
		if records[k].Error == "" {
			able = append(able, k)
		}
	}
	if len(able) == 0 {
		return records, nil
	}
	if j.task.Kind == "class" {
		return records, r.rank(ctx, j, u, t, records, able)
	}
	asked := make([]Query, len(able))
	for i, k := range able {
		asked[i] = queries[k]
	}
	answers, err := r.model.Generate(ctx, asked, j.task.Decoding)
	if err != nil {
		return nil, err
	}
	for i, k := range able {
		records[k].Generated = answers[i]
		records[k].Prediction = j.task.Clean(answers[i])
	}
	return records, nil
}

// rank classifies, averaging over orders of the demonstrations.
func (r *runner) rank(ctx context.Context, j *job, u unit, t *trial, records []Record, able []int) error {
	plan := &t.plan
	orders := min(r.config.Ensemble, factorial(sampling.Effective(u.shots)))
	for n := range orders {
		queries := make([]Query, len(able))
		for i, k := range able {
			sample := &j.data.Test[plan.Test[u.first+k]]
			shared := t.shared[fmt.Sprint(plan.Demonstrations[u.first+k])]
			id := string(sample.ID)
			if shared {
				id = "" // what several queries are shown is shown to all in the same orders
			}
			drawn := j.shown(plan.Demonstrations[u.first+k])
			shown := make([]*task.Sample, len(drawn))
			for to, from := range sampling.Order(u.seed, id, n, len(drawn)) {
				shown[to] = drawn[from]
			}
			var err error
			if queries[i], err = j.query(shown, sample, u.shots > 0); err != nil {
				return err
			}
			queries[i].Shared = shared
		}
		scores, err := r.model.Rank(ctx, queries, j.data.Classes)
		if err != nil {
			return err
		}
		for i, k := range able {
			if n == 0 {
				records[k].LogProbs = make([]float64, len(j.data.Classes))
			}
			for c, x := range scores[i] {
				records[k].LogProbs[c] += x / float64(orders)
			}
		}
	}
	for _, k := range able {
		best := 0
		for c, x := range records[k].LogProbs {
			if math.IsNaN(x) {
				return fmt.Errorf("task %s, example %s: the model gives class %q no number", j.task.Name, records[k].ID, j.data.Classes[c])
			}
			if x > records[k].LogProbs[best] {
				best = c
			}
		}
		records[k].Prediction = j.data.Classes[best]
	}
	return nil
}

func factorial(n int) int {
	f := 1
	for i := 2; i <= min(n, 10); i++ {
		f *= i
	}
	return f
}

func (j *job) shown(demonstrations []int) []*task.Sample {
	out := make([]*task.Sample, len(demonstrations))
	for i, d := range demonstrations {
		out[i] = &j.data.Train[d]
	}
	return out
}

// query writes the prompt. Places of different tasks may have pictures of the same path, so the place's number stands before it.
func (j *job) query(shown []*task.Sample, sample *task.Sample, pictures bool) (Query, error) {
	text, err := j.prompt.Write(shown, sample, pictures)
	if err != nil {
		return Query{}, fmt.Errorf("task %s: %w", j.task.Name, err)
	}
	q := Query{Text: text}
	if pictures {
		for _, d := range shown {
			q.Images = append(q.Images, fmt.Sprintf("%d:%s", j.place, d.Image))
		}
	}
	q.Images = append(q.Images, fmt.Sprintf("%d:%s", j.place, sample.Image))
	return q, nil
}

// pictureName is the path in an image's name, pictureAt the place's number.
func pictureName(name string) string {
	_, path, _ := strings.Cut(name, ":")
	return path
}

func pictureAt(name string) int {
	number, _, _ := strings.Cut(name, ":")
	n, _ := strconv.Atoi(number)
	return n
}

// openImage reads a picture that a query names.
func (r *runner) openImage(name string) ([]byte, error) {
	place, err := r.stores.Open(context.Background(), r.places[pictureAt(name)])
	if err != nil {
		return nil, err
	}
	data, err := place.Read(context.Background(), pictureName(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such picture")
	}
	return data, err
}
