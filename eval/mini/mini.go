// Package mini writes miniature data sets in the official formats of the eight tasks: drawn shapes, and sentences and
// questions about them. Tests run whole evaluations on them; so can anybody who wants to see one without the real data.
package mini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"mmc4/internal/imaging"
)

// Sizes of every set that Write writes.
const (
	Training = 12
	Tests    = 6
)

// shape is what a picture shows.
type shape struct{ colour, form, ground string }

var (
	colours = map[string][3]uint8{"red": {200, 30, 30}, "green": {30, 150, 50}, "blue": {30, 60, 190}}
	grounds = map[string][3]uint8{"white": {250, 250, 250}, "black": {15, 15, 15}, "yellow": {240, 220, 80}}
)

// shapeOf is what picture i of any set shows.
func shapeOf(i int) shape {
	return shape{[]string{"red", "green", "blue"}[i%3], []string{"circle", "square"}[i/3%2], []string{"white", "black", "yellow"}[i/6%3]}
}

func (s shape) captions() []string {
	return []string{
		fmt.Sprintf("A %s %s on a %s ground.", s.colour, s.form, s.ground),
		fmt.Sprintf("There is one %s %s.", s.colour, s.form),
		fmt.Sprintf("a %s background with a %s %s in the middle", s.ground, s.colour, s.form),
		fmt.Sprintf("The drawing shows a %s, painted %s.", s.form, s.colour),
		fmt.Sprintf("%s %s, %s ground", s.colour, s.form, s.ground),
	}
}

// question is what is asked of picture i, and what ten people answer; two of them differ.
func (s shape) question(i int) (text string, answers [10]string) {
	right, wrong := s.colour, "purple"
	text = "What colour is the " + s.form + "?"
	if i%2 == 1 {
		text, right, wrong = "What shape is it?", s.form, "a star"
	}
	for k := range answers {
		answers[k] = right
	}
	answers[3], answers[7] = wrong, wrong
	return text, answers
}

// draw draws a shape, each picture's a little off the middle in its own way.
func (s shape) draw(i int) *imaging.RGB {
	const w, h = 56, 48
	m := imaging.NewRGB(w, h)
	centreX, centreY := w/2+i*7%11-5, h/2+i*5%9-4
	for y := range h {
		for x := range w {
			dx, dy := x-centreX, y-centreY
			inside := dx*dx+dy*dy < 17*17
			if s.form == "square" {
				inside = max(dx, -dx) < 14 && max(dy, -dy) < 14
			}
			c := grounds[s.ground]
			if inside {
				c = colours[s.colour]
			}
			copy(m.Pix[3*(y*w+x):], c[:])
		}
	}
	return m
}

// writer writes files below a folder and keeps the first error.
type writer struct {
	root            string
	training, tests int
	err             error
}

func (w *writer) bytes(name string, data []byte) {
	path := filepath.Join(w.root, filepath.FromSlash(name))
	if w.err == nil {
		w.err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if w.err == nil {
		w.err = os.WriteFile(path, data, 0o644)
	}
}

func (w *writer) json(name string, v any) {
	data, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.bytes(name, data)
}

func (w *writer) picture(name string, i int) {
	var b bytes.Buffer
	if err := imaging.EncodeJPEG(&b, shapeOf(i).draw(i), 90); err != nil && w.err == nil {
		w.err = err
	}
	w.bytes(name, b.Bytes())
}

// object is a JSON object.
type object = map[string]any

// Write writes one folder for each task below root: root/coco, root/vqav2, ...
func Write(root string) error { return WriteSized(root, Training, Tests) }

// WriteSized writes sets of other sizes.
func WriteSized(root string, training, tests int) error {
	w := &writer{root: root, training: training, tests: tests}
	w.karpathy("coco", "dataset_coco.json", true)
	w.karpathy("flickr30k", "dataset_flickr30k.json", false)
	w.vqa("vqav2", "v2_OpenEnded_mscoco_%s2014_questions.json", "v2_mscoco_%s2014_annotations.json")
	w.vqa("okvqa", "OpenEnded_mscoco_%s2014_questions.json", "mscoco_%s2014_annotations.json")
	w.textVQA()
	w.vizWiz()
	w.memes()
	w.imageNet()
	return w.err
}

func (w *writer) karpathy(folder, file string, coco bool) {
	var images []object
	for i := range w.training + w.tests {
		split, place := "train", "train2014"
		if i >= w.training {
			split, place = "test", "val2014"
		}
		name := fmt.Sprintf("%d.jpg", 5000+i)
		one := object{"filename": name, "split": split, "imgid": i}
		if coco {
			name = fmt.Sprintf("COCO_%s_%012d.jpg", place, i+1)
			one["filename"], one["filepath"], one["cocoid"] = name, place, i+1
			w.picture(folder+"/"+place+"/"+name, i)
		} else {
			w.picture(folder+"/flickr30k-images/"+name, i)
		}
		var sentences []object
		for k, c := range shapeOf(i).captions() {
			sentences = append(sentences, object{"raw": c, "sentid": 5*i + k})
		}
		one["sentences"] = sentences
		images = append(images, one)
	}
	w.json(folder+"/"+file, object{"images": images, "dataset": folder})
}

func (w *writer) vqa(folder, questionsFile, annotationsFile string) {
	for _, split := range []string{"train", "val"} {
		first, n := 0, w.training
		if split == "val" {
			first, n = w.training, w.tests
		}
		var questions, annotations []object
		for i := first; i < first+n; i++ {
			text, people := shapeOf(i).question(i)
			var answers []object
			for k, a := range people {
				answers = append(answers, object{"answer": a, "answer_confidence": "yes", "answer_id": k + 1})
			}
			id := 1000*(i+1) + 1
			questions = append(questions, object{"question_id": id, "image_id": i + 1, "question": text})
			annotations = append(annotations, object{"question_id": id, "image_id": i + 1, "question_type": "what", "answer_type": "other",
				"multiple_choice_answer": people[0], "answers": answers})
			w.picture(fmt.Sprintf("%s/%s2014/COCO_%s2014_%012d.jpg", folder, split, split, i+1), i)
		}
		w.json(folder+"/"+fmt.Sprintf(questionsFile, split), object{"info": object{}, "task_type": "Open-Ended", "data_type": "mscoco",
			"data_subtype": split + "2014", "license": object{}, "questions": questions})
		w.json(folder+"/"+fmt.Sprintf(annotationsFile, split), object{"info": object{}, "data_type": "mscoco",
			"data_subtype": split + "2014", "license": object{}, "annotations": annotations})
	}
}

func (w *writer) textVQA() {
	for split, first := range map[string]int{"train": 0, "val": w.training} {
		n := w.training
		if first > 0 {
			n = w.tests
		}
		var data []object
		for i := first; i < first+n; i++ {
			text, people := shapeOf(i).question(i)
			id := fmt.Sprintf("%016x", 0xabc0+i)
			data = append(data, object{"question_id": 34000 + i, "image_id": id, "question": text, "answers": people, "set_name": split})
			w.picture("textvqa/train_images/"+id+".jpg", i)
		}
		w.json("textvqa/TextVQA_0.5.1_"+split+".json", object{"dataset_type": split, "dataset_name": "textvqa", "dataset_version": "0.5.1", "data": data})
	}
}

func (w *writer) vizWiz() {
	for split, first := range map[string]int{"train": 0, "val": w.training} {
		n := w.training
		if first > 0 {
			n = w.tests
		}
		var list []object
		for i := first; i < first+n; i++ {
			text, people := shapeOf(i).question(i)
			var answers []object
			for _, a := range people {
				answers = append(answers, object{"answer": a, "answer_confidence": "yes"})
			}
			name := fmt.Sprintf("VizWiz_%s_%08d.jpg", split, i-first)
			list = append(list, object{"image": name, "question": text, "answers": answers, "answer_type": "other", "answerable": 1})
			w.picture("vizwiz/"+split+"/"+name, i)
		}
		w.json("vizwiz/"+split+".json", list)
	}
}

// memes are red shapes (labelled 1) and others; no text in them could offend anybody.
func (w *writer) memes() {
	for split, first := range map[string]int{"train": 0, "dev": w.training} {
		n := w.training
		if first > 0 {
			n = w.tests
		}
		var lines bytes.Buffer
		for i := first; i < first+n; i++ {
			label := 0
			if shapeOf(i).colour == "red" {
				label = 1
			}
			name := fmt.Sprintf("%05d.jpg", 1000+i)
			line, err := json.Marshal(object{"id": 1000 + i, "img": "img/" + name, "label": label, "text": "look at this " + shapeOf(i).form})
			if err != nil {
				w.err = err
			}
			lines.Write(append(line, '\n'))
			w.picture("hatefulmemes/img/"+name, i)
		}
		w.bytes("hatefulmemes/"+split+".jsonl", lines.Bytes())
	}
}

// imageNet has a class for each colour.
func (w *writer) imageNet() {
	w.bytes("imagenet/classnames.txt", []byte("red thing\ngreen thing\nblue thing\n"))
	for i := range w.training + w.tests {
		split := "train"
		if i >= w.training {
			split = "val"
		}
		w.picture(fmt.Sprintf("imagenet/%s/n%08d/%d.JPEG", split, i%3, i), i)
	}
}
