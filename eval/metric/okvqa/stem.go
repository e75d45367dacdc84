package okvqa

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"mmc4/eval/metric/vqa"
)

// Stemmer stems answers.
type Stemmer struct {
	tagger *tagger
	verbs  *verbs
}

// Open reads the tagger's weights (averaged_perceptron_tagger_eng, the form in JSON) and WordNet from a folder of NLTK's
// data, from folders or zip files as NLTK's downloader leaves them.
func Open(dir string) (*Stemmer, error) {
	const weights = "averaged_perceptron_tagger_eng"
	t, err := readTagger(part(dir, "taggers", weights), weights)
	if err != nil {
		return nil, missing(dir, weights, err)
	}
	v, err := readVerbs(part(dir, "corpora", "wordnet"))
	if err != nil {
		return nil, missing(dir, "wordnet", err)
	}
	return &Stemmer{t, v}, nil
}

func missing(dir, what string, err error) error {
	return fmt.Errorf("NLTK's data in %s: %w: python -m nltk.downloader -d %s %s gets it", dir, err, dir, what)
}

// part reads a file of a part of the data: from its folder, else from its zip file, which holds the folder.
func part(dir, kind, name string) func(file string) ([]byte, error) {
	return func(file string) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(dir, kind, name, file))
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
		archive, zipErr := zip.OpenReader(filepath.Join(dir, kind, name+".zip"))
		if zipErr != nil {
			return nil, err
		}
		defer archive.Close()
		return fs.ReadFile(archive, name+"/"+file)
	}
}

// Shared is the stemmer of the folder that the environment variable NLTK_DATA names, else nltk_data in the home folder.
var Shared = sync.OnceValues(func() (*Stemmer, error) {
	dir := os.Getenv("NLTK_DATA")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, errors.New("NLTK_DATA does not say where NLTK's data are")
		}
		dir = filepath.Join(home, "nltk_data")
	}
	return Open(dir)
})

// Stem stems the words of an answer and puts single spaces between them.
func (s *Stemmer) Stem(answer string) string {
	tokens := words(answer)
	for i, tag := range s.tagger.tag(tokens) {
		w := tokens[i]
		if stem, ok := manual[w]; ok {
			tokens[i] = stem
		} else if strings.HasSuffix(w, "ing") {
			tokens[i] = s.verbs.lemma(w)
		} else if strings.HasPrefix(tag, "NNS") || strings.HasPrefix(tag, "NNPS") {
			tokens[i] = singular(w)
		}
	}
	return strings.Join(tokens, " ")
}

// Postprocess cuts an answer out of what a model generated and stems it.
func (s *Stemmer) Postprocess(generated string) string { return s.Stem(vqa.Postprocess(generated)) }
