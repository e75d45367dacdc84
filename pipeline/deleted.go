package pipeline

// Files of the product that somebody deleted after their task was done. Reads the journal, or the manifest where the work was removed, and the
// listings of RUN/docs and the like. While the work is there their tasks are done again, to the same bytes; without it they are named.

import (
	"context"
	"path"
	"strings"

	"mmc4/internal/storage"
)

// productNames are the names in a run's folders of the product, such as docs and rejects; a folder is listed when it is first asked for.
type productNames struct {
	store   storage.Store
	folders map[string]map[string]bool
}

// has tells whether a file of a table is there. Pictures that are files of their own count as there: of them a run may have
// millions, too many to list at every start (`mmc4 verify` looks).
func (p *productNames) has(ctx context.Context, name string) (bool, error) {
	folder, _, _ := strings.Cut(name, "/")
	if folder == "files" {
		return true, nil
	}
	if p.folders[folder] == nil {
		names := map[string]bool{}
		for info, err := range p.store.List(ctx, folder+"/") {
			if err != nil {
				return false, err
			}
			names[info.Name] = true
		}
		p.folders[folder] = names
	}
	return p.folders[folder][name], nil
}

// redoDeleted takes tasks out of the journal whose files of the product are gone.
func (r *run) redoDeleted(ctx context.Context) error {
	there := productNames{r.store, map[string]map[string]bool{}}
	for _, p := range r.phases {
		for i := range p.tasks(r) {
			e := r.journal.get(p.name, i)
			if e == nil {
				continue
			}
			for _, a := range e.Outputs {
				if isWork(a.Name) {
					continue
				}
				found, err := there.has(ctx, a.Name)
				if err != nil {
					return err
				}
				if found {
					continue
				}
				r.note("%s is gone: it is made anew", r.store.Location(a.Name))
				if err := r.journal.forget(ctx, p.name, i); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// nothingDeleted refuses a complete run without work that lacks a file of its manifest.
func (r *run) nothingDeleted(ctx context.Context, m *Manifest) error {
	there := productNames{r.store, map[string]map[string]bool{}}
	for _, o := range m.Outputs {
		if path.Dir(o.Name) == "." { // report.html: `mmc4 report` makes it
			continue
		}
		found, err := there.has(ctx, o.Name)
		if err != nil {
			return err
		}
		if !found {
			return refused("%s is gone, though the manifest of %s names it, and nothing can be made anew: the run's work was removed (--clean).\nPut the file back, or build into another --out.",
				r.store.Location(o.Name), r.store.Location(""))
		}
	}
	return nil
}
