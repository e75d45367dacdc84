package task

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"mmc4/configs"
	"mmc4/eval/metric/caption"
	"mmc4/eval/metric/okvqa"
	"mmc4/eval/metric/vqa"
)

// Task is one task file.
type Task struct {
	Name   string `yaml:"name"`
	Title  string `yaml:"title"`  // for people; the name when empty
	Kind   string `yaml:"kind"`   // caption, answer or class
	Metric string `yaml:"metric"` // cider, bleu, rouge, vqa, auc, top1
	Format string `yaml:"format"` // of the data: karpathy, vqa, textvqa, vizwiz, memes, folder, lines

	Train Split `yaml:"train"`
	Test  Split `yaml:"test"`

	Prompt   Prompt            `yaml:"prompt"`
	Variants map[string]Prompt `yaml:"variants"` // other wordings, chosen by name

	Postprocess []string `yaml:"postprocess"` // caption, unquote, answer, strip, stem
	Decoding    Decoding `yaml:"decoding"`

	Classes    []string `yaml:"classes"`     // of kind class: what is ranked
	ClassNames string   `yaml:"class_names"` // or a file with one a line
	Positive   string   `yaml:"positive"`    // the class that AUC is about

	Submission string `yaml:"submission"` // vqa or vizwiz: the form a test server takes
}

// Split is where the examples of a set are. Paths are relative to the data folder.
type Split struct {
	Annotations string `yaml:"annotations"`
	Questions   string `yaml:"questions"` // VQA keeps them apart
	Split       string `yaml:"split"`     // of a Karpathy file
	Synsets     string `yaml:"synsets"`   // ImageNet's flat validation set: the WNIDs of the numbers in its annotations
	Images      string `yaml:"images"`    // a path with fields of the example: "val/{image_id:012}.jpg"; format folder: a folder
}

// Prompt is how an example is put into words.
type Prompt struct {
	Demonstration string `yaml:"demonstration"`
	Query         string `yaml:"query"`
	Between       string `yaml:"between"` // after every demonstration
}

// Decoding is how answers are generated.
type Decoding struct {
	MaxNewTokens  int     `yaml:"max_new_tokens" json:"max_new_tokens"`
	Beams         int     `yaml:"beams" json:"beams"`
	LengthPenalty float64 `yaml:"length_penalty" json:"length_penalty"`
}

// Names lists the tasks that come with the program.
func Names() []string {
	entries, _ := fs.ReadDir(configs.Tasks, "tasks")
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Load reads a task that comes with the program, by name, or any task file.
func Load(name string) (*Task, error) {
	if slices.Contains(Names(), name) {
		data, err := configs.Tasks.ReadFile("tasks/" + name + ".yaml")
		if err != nil {
			return nil, err
		}
		return Parse(name, data)
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("task %q is neither a file nor one of %s", name, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// Parse reads a task file; name is for errors. A key that does not exist is refused by name.
func Parse(name string, data []byte) (*Task, error) {
	var t Task
	if err := configs.Decode(name, data, &t); err != nil {
		return nil, err
	}
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &t, nil
}

var (
	kinds   = []string{"caption", "answer", "class"}
	metrics = []string{"cider", "bleu", "rouge", "vqa", "auc", "top1"}
	formIDs = []string{"karpathy", "vqa", "textvqa", "vizwiz", "memes", "folder", "lines"}
	steps   = map[string]func(string) string{
		"caption": caption.Postprocess,
		"unquote": caption.Unquote,
		"answer":  vqa.Postprocess,
		"strip":   strings.TrimSpace,
		"stem":    stem,
	}
)

// stem is OK-VQA's; Validate has seen that there is a stemmer.
func stem(answer string) string {
	s, err := okvqa.Shared()
	if err != nil {
		return answer
	}
	return s.Stem(answer)
}

// Validate names the first thing that is missing or makes no sense.
func (t *Task) Validate() error {
	one := func(key, value string, of []string) error {
		if !slices.Contains(of, value) {
			return fmt.Errorf("%s: %q is none of %s", key, value, strings.Join(of, ", "))
		}
		return nil
	}
	if t.Name == "" {
		return errors.New("name: missing")
	}
	if t.Title == "" {
		t.Title = t.Name
	}
	err := errors.Join(one("kind", t.Kind, kinds), one("metric", t.Metric, metrics), one("format", t.Format, formIDs))
	if err != nil {
		return err
	}
	if t.Submission != "" {
		if err := one("submission", t.Submission, []string{"vqa", "vizwiz"}); err != nil {
			return err
		}
	}
	for _, step := range t.Postprocess {
		if steps[step] == nil {
			return fmt.Errorf("postprocess: %q is none of answer, caption, stem, strip, unquote", step)
		}
		if step == "stem" {
			if _, err := okvqa.Shared(); err != nil {
				return fmt.Errorf("postprocess: stem: %w", err)
			}
		}
	}
	prompts := map[string]Prompt{"prompt": t.Prompt}
	for name, p := range t.Variants {
		prompts["variants: "+name] = p
	}
	for name, p := range prompts {
		if p.Demonstration == "" || p.Query == "" {
			return fmt.Errorf("%s: demonstration and query are needed", name)
		}
		for _, text := range []string{p.Demonstration, p.Query} {
			if _, err := parseTemplate(text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if t.Kind == "class" {
		if len(t.Classes) == 0 && t.ClassNames == "" {
			return errors.New("classes: a task of kind class needs classes or class_names")
		}
		return nil
	}
	if t.Metric == "auc" {
		return fmt.Errorf("metric: auc ranks classes, so kind must be class, not %s", t.Kind)
	}
	if t.Decoding.MaxNewTokens < 1 {
		return errors.New("decoding: max_new_tokens must be at least 1")
	}
	if t.Decoding.Beams < 1 {
		t.Decoding.Beams = 1
	}
	return nil
}

// Wording is the prompt of a name, "" for the usual one.
func (t *Task) Wording(variant string) (Prompt, error) {
	if variant == "" {
		return t.Prompt, nil
	}
	p, ok := t.Variants[variant]
	if !ok {
		return p, fmt.Errorf("task %s has no wording %q", t.Name, variant)
	}
	return p, nil
}

// Clean turns what a model generated into a prediction.
func (t *Task) Clean(generated string) string {
	for _, step := range t.Postprocess {
		generated = steps[step](generated)
	}
	return generated
}
