package eval

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"mmc4/configs"
	"mmc4/eval/sampling"
	"mmc4/eval/task"
)

// CompatUpstream is the value of Config.Compat that reproduces open_flamingo 2.0.
const CompatUpstream = "open_flamingo-2.0"

// Config is an evaluation's file.
type Config struct {
	Model  ModelFiles   `yaml:"model" json:"model"`
	Device string       `yaml:"device" json:"device"` // auto, ref, cpu, cuda
	DType  string       `yaml:"dtype" json:"dtype"`   // fp32, bf16, int8
	Tasks  []TaskConfig `yaml:"tasks" json:"tasks"`

	Shots   []int    `yaml:"shots" json:"shots"`
	Seeds   []uint64 `yaml:"seeds" json:"seeds"`     // one trial each
	Samples int      `yaml:"samples" json:"samples"` // test examples of each task; 0: all
	Pool    int      `yaml:"pool" json:"pool"`       // training examples to draw from; 0: all (2048 under compat)

	Demonstrations string `yaml:"demonstrations" json:"demonstrations"` // random, fixed or rices
	RICES          RICES  `yaml:"rices" json:"rices"`

	Batch    int    `yaml:"batch" json:"batch"`
	Compat   string `yaml:"compat" json:"compat"` // open_flamingo-2.0: its order of randomness, its classification, its VQA scorer
	Wording  string `yaml:"wording" json:"wording"`
	Ensemble int    `yaml:"ensemble" json:"ensemble"` // orders of the demonstrations that a classification is averaged over
	Out      string `yaml:"out" json:"-"`
}

// ModelFiles say where a model is: a folder, or its parts.
type ModelFiles struct {
	Dir       string `yaml:"dir" json:"dir"`             // holds what is not named below under its usual name
	Config    string `yaml:"config" json:"config"`       // flamingo.json
	Vision    string `yaml:"vision" json:"vision"`       // the tower's weights
	LM        string `yaml:"lm" json:"lm"`               // the language model's weights
	Flamingo  string `yaml:"flamingo" json:"flamingo"`   // what was trained
	Tokenizer string `yaml:"tokenizer" json:"tokenizer"` // a folder or file
}

// UnmarshalYAML takes a folder's path, or the parts.
func (m *ModelFiles) UnmarshalYAML(data []byte) error {
	if err := yaml.Unmarshal(data, &m.Dir); err == nil {
		return nil
	}
	type parts ModelFiles
	return yaml.UnmarshalWithOptions(data, (*parts)(m), yaml.Strict())
}

// RICES says how demonstrations like the query are found.
type RICES struct {
	CLIP  string `yaml:"clip" json:"clip"` // folder of a CLIP model
	Cache string `yaml:"cache" json:"-"`   // folder of features; default OUT/features
}

// TaskConfig is a task to run, and what to change about it.
type TaskConfig struct {
	Task     string      `yaml:"task" json:"task"` // a name (coco, vqav2, ...) or a task file
	Data     string      `yaml:"data" json:"data"` // folder with annotations and pictures
	Images   string      `yaml:"images" json:"images"`
	Train    *task.Split `yaml:"train" json:"train,omitempty"`
	Test     *task.Split `yaml:"test" json:"test,omitempty"`
	Decoding *Decoding   `yaml:"decoding" json:"decoding,omitempty"`
	// ServerQuestions is a questions file whose every question must stand in the submission; those not asked are filled
	// with an empty answer, as the VQA server wants it.
	ServerQuestions string `yaml:"server_questions" json:"server_questions"`
}

// Decoding is what to change about how a task's answers are generated; what is left out stays.
type Decoding struct {
	MaxNewTokens  *int     `yaml:"max_new_tokens" json:"max_new_tokens,omitempty"`
	Beams         *int     `yaml:"beams" json:"beams,omitempty"`
	LengthPenalty *float64 `yaml:"length_penalty" json:"length_penalty,omitempty"`
}

func (d *Decoding) change(to *task.Decoding) {
	if d.MaxNewTokens != nil {
		to.MaxNewTokens = *d.MaxNewTokens
	}
	if d.Beams != nil {
		to.Beams = *d.Beams
	}
	if d.LengthPenalty != nil {
		to.LengthPenalty = *d.LengthPenalty
	}
}

// LoadConfig reads a config and fills in what it leaves out. Relative paths in it start from its own folder.
func LoadConfig(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	c, err := ParseConfig(path, data)
	if err != nil {
		return nil, err
	}
	c.resolve(filepath.Dir(path))
	return c, nil
}

// ParseConfig reads a config's text; name is for errors.
func ParseConfig(name string, data []byte) (*Config, error) {
	c := &Config{}
	if err := configs.Decode(name, data, c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUsage, name, err)
	}
	return c, nil
}

// Validate fills defaults and names the first thing that is wrong.
func (c *Config) Validate() error {
	def := func(s *string, value string, allowed ...string) error {
		if *s == "" {
			*s = value
		}
		if !slices.Contains(allowed, *s) {
			return fmt.Errorf("%q is none of %s", *s, strings.Join(allowed, ", "))
		}
		return nil
	}
	if err := def(&c.DType, "fp32", "fp32", "bf16", "int8"); err != nil {
		return fmt.Errorf("dtype: %w", err)
	}
	if err := def(&c.Demonstrations, "random", "random", "fixed", "rices"); err != nil {
		return fmt.Errorf("demonstrations: %w", err)
	}
	if err := def(&c.Compat, "", "", CompatUpstream); err != nil {
		return fmt.Errorf("compat: %q is not known; there is %s", c.Compat, CompatUpstream)
	}
	device, _, _ := strings.Cut(c.Device, ":")
	if err := def(&device, "auto", "auto", "ref", "cpu", "cuda"); err != nil {
		return fmt.Errorf("device: %w", err)
	}
	c.Device = cmp.Or(c.Device, device)
	if len(c.Shots) == 0 {
		c.Shots = []int{0, 4, 8, 16, 32}
	}
	if len(c.Seeds) == 0 {
		c.Seeds = []uint64{42}
	}
	if c.Batch == 0 {
		c.Batch = 8
	}
	if c.Ensemble == 0 {
		c.Ensemble = 1
	}
	switch {
	case len(c.Tasks) == 0:
		return fmt.Errorf("tasks: name at least one; there are %s, and task files of your own", strings.Join(task.Names(), ", "))
	case c.Batch < 1 || c.Ensemble < 1 || c.Pool < 0 || c.Samples < 0:
		return fmt.Errorf("batch, ensemble, pool and samples cannot be negative")
	case c.Demonstrations == "rices" && c.RICES.CLIP == "":
		return fmt.Errorf("rices: clip: name the folder of a CLIP model")
	case c.Compat != "" && c.Demonstrations == "fixed":
		return fmt.Errorf("demonstrations: fixed: %s draws them for every example", c.Compat)
	case c.Compat != "" && c.Ensemble > 1:
		return fmt.Errorf("ensemble: its shuffles are not reproduced under compat")
	}
	if slices.Min(c.Shots) < 0 {
		return fmt.Errorf("shots: cannot be negative")
	}
	for i, s := range c.Seeds {
		if s > 1<<32-1 {
			return fmt.Errorf("seeds: %d does not fit into 32 bits", s)
		}
		if slices.Contains(c.Seeds[:i], s) { // a trial that is repeated would make the deviation too small
			return fmt.Errorf("seeds: %d is there twice", s)
		}
	}
	for i, n := range c.Shots {
		if slices.Contains(c.Shots[:i], n) {
			return fmt.Errorf("shots: %d is there twice", n)
		}
	}
	for i, t := range c.Tasks {
		if t.Task == "" || t.Data == "" {
			return fmt.Errorf("tasks: number %d needs task and data", i+1)
		}
	}
	return nil
}

func (c *Config) resolve(base string) {
	at := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) && !strings.Contains(*p, "://") {
			*p = filepath.Join(base, *p)
		}
	}
	for _, p := range []*string{&c.Model.Dir, &c.Model.Config, &c.Model.Vision, &c.Model.LM, &c.Model.Flamingo, &c.Model.Tokenizer, &c.RICES.CLIP, &c.RICES.Cache, &c.Out} {
		at(p)
	}
	for i := range c.Tasks {
		t := &c.Tasks[i]
		if !slices.Contains(task.Names(), t.Task) {
			at(&t.Task)
		}
		at(&t.Data)
		at(&t.Images)
	}
}

// hash names what decides the predictions: the config, the model, the tasks' files and the data sets. Device and number type count, the number of
// processes does not.
func (r *runner) hash() string {
	text, _ := json.Marshal(r.config)
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", text, r.o.Model)
	for i := range r.jobs {
		j := &r.jobs[i]
		text, _ := json.Marshal([]any{j.task, j.data})
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// load reads a task with its changes.
func (t *TaskConfig) load() (*task.Task, error) {
	one, err := task.Load(t.Task)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if t.Train != nil {
		one.Train = *t.Train
	}
	if t.Test != nil {
		one.Test = *t.Test
	}
	if t.Decoding != nil {
		t.Decoding.change(&one.Decoding)
	}
	if err := one.Validate(); err != nil {
		return nil, fmt.Errorf("%w: task %s: %w", ErrUsage, one.Name, err)
	}
	return one, nil
}

// options are the sampling options of one trial.
func (c *Config) options(shots int, seed uint64) sampling.Options {
	return sampling.Options{Shots: shots, Seed: seed, Samples: c.Samples, Pool: c.Pool, Fixed: c.Demonstrations == "fixed"}
}
