package gpu

// The demo's web twice: CLIP on the device and on cpu.

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// match is where a picture of a document went.
type match struct {
	sentence   int32
	similarity float32
}

func (r *run) build() {
	r.check("demo web", func(l *Line) error {
		pages := "300"
		if r.tiny() {
			pages = "24"
		}
		var found [2]map[string]match
		for i, device := range []string{r.Device, "cpu"} {
			dir := filepath.Join(r.Dir, "demo-"+fmt.Sprint(i))
			began := time.Now()
			if err := r.child("demo", "--out", dir, "--pages", pages, "--device", device); err != nil {
				return err
			}
			l.Figures[[]string{"ours_s", "cpu_s"}[i]] = time.Since(began).Seconds()
			var err error
			if found[i], err = r.matches(filepath.Join(dir, "run")); err != nil {
				return err
			}
		}
		same, off := 0, 0.0
		for key, m := range found[1] {
			mine, ok := found[0][key]
			if ok && mine.sentence == m.sentence {
				same++
			}
			off = max(off, float64(max(mine.similarity-m.similarity, m.similarity-mine.similarity)))
		}
		l.Figures["pictures"], l.Figures["largest difference of a similarity"] = float64(len(found[1])), off
		l.Of, l.Bar = "same matches", 1
		l.Figures[l.Of] = float64(same) / float64(max(len(found[1]), 1))
		switch {
		case len(found[1]) == 0:
			return errors.New("the run on cpu kept no picture")
		case same < len(found[1]) || len(found[0]) != len(found[1]):
			return fmt.Errorf("%d of %d pictures went to another sentence, or are only there on one of both", max(len(found[0]), len(found[1]))-same, len(found[1]))
		}
		return nil
	})
}

// child runs a verb of this program to its end.
func (r *run) child(args ...string) error {
	said, err := exec.CommandContext(r.ctx, r.Program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mmc4 %s: %w: %s", args[0], err, tail(said))
	}
	return nil
}

// matches reads a finished run's matches, by document and picture.
func (r *run) matches(folder string) (map[string]match, error) {
	refs, err := storage.Glob(r.ctx, filepath.Join(folder, "docs", "*.parquet"), storage.Options{})
	if err != nil {
		return nil, err
	}
	found := map[string]match{}
	for _, ref := range refs {
		object, err := ref.Store.Open(r.ctx, ref.Name)
		if err != nil {
			return nil, err
		}
		defer object.Close()
		rows, err := schemas.NewReader[schemas.Document](object, ref.Size, schemas.Without("image_info.bytes"))
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for d, err := range rows.All() {
			if err != nil {
				return nil, err
			}
			for _, image := range d.ImageInfo {
				found[d.URL+" "+d.Timestamp.String()+" "+image.ImageName] = match{image.MatchedTextIndex, image.MatchedSim}
			}
		}
	}
	return found, nil
}
