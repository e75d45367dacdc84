package pipeline

// The end of a build: counts, funnel, manifest, cleaning up.

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// finish sums up. When all phases are complete it writes the manifest.
func (r *run) finish(ctx context.Context) (Summary, error) {
	if r.cfg.Slices > 0 {
		if err := r.journal.refresh(ctx, ""); err != nil {
			return Summary{}, err
		}
	}
	m, err := r.manifest(ctx)
	if err != nil {
		return Summary{}, err
	}
	s := r.summaryOf(m)
	for _, p := range r.phases {
		if !r.complete(p) {
			s.Complete = false
		}
	}
	if !s.Complete {
		return s, problemsOf(s)
	}
	if r.cfg.Finish != nil {
		out, err := r.cfg.Finish(ctx, r.store, m)
		if err != nil {
			return s, err
		}
		m.Put(out)
	}
	if err := m.Write(ctx, r.store); err != nil {
		return s, err
	}
	if r.cfg.Clean {
		if err := r.clean(ctx); err != nil {
			return s, err
		}
	}
	return s, problemsOf(s)
}

func problemsOf(s Summary) error {
	if len(s.Problems) > 0 {
		return partial(s.Problems)
	}
	return nil
}

func (r *run) summaryOf(m *Manifest) Summary {
	return Summary{Complete: true, Run: r.store.Location(""), Documents: m.Counts["documents.kept"], Images: m.Counts["images.kept"], Pairs: m.Counts["pairs.kept"], OverPairs: m.OverPairs(),
		Counts: m.Counts, Funnel: m.Funnel, Off: m.Off, Problems: m.Problems, Stages: r.spent}
}

// manifest gathers what the journal says.
func (r *run) manifest(ctx context.Context) (*Manifest, error) {
	m := &Manifest{Format: 1, Program: Program{"mmc4", r.plan.Version, runtime.Version()}, Inputs: r.plan.Inputs, Problems: []Problem{},
		Config: r.plan.Settings, ConfigHash: r.plan.Hash, Off: []string{}, Counts: map[string]int64{}, Outputs: []Output{}}
	for _, p := range r.phases {
		for i := range p.tasks(r) {
			e := r.journal.get(p.name, i)
			if e == nil {
				continue
			}
			for name, n := range e.Counts {
				m.Counts[name] += n
			}
			m.Problems = append(m.Problems, e.Problems...)
			for _, a := range e.Outputs {
				if !isWork(a.Name) {
					m.Outputs = append(m.Outputs, Output{a.Name, a.Size, a.SHA256, a.Rows})
				}
			}
		}
	}
	slices.SortFunc(m.Outputs, func(a, b Output) int { return strings.Compare(a.Name, b.Name) })
	m.Outputs = slices.CompactFunc(m.Outputs, func(a, b Output) bool { return a.Name == b.Name })
	if len(r.cfg.Pairs) > 0 {
		m.Funnel = pairsFunnel(m.Counts)
		m.Off = append(m.Off, r.cfg.Settings.Pairs.off()...)
		return m, r.addProfiles(ctx, m)
	}
	if r.plan.NSFW == "" {
		m.Off = append(m.Off, schemas.RuleNSFW+": no weights were given (--nsfw)")
	}
	if r.plan.Faces == "" {
		m.Off = append(m.Off, schemas.RuleFace+": no weights were given (--faces)")
	}
	if r.cfg.Settings.Candidates == "all" && len(r.cfg.WAT) > 0 {
		m.Off = append(m.Off, allByWAT)
	}
	m.Funnel = funnel(m.Counts)
	return m, r.addProfiles(ctx, m)
}

// addProfiles puts the stages' profiles together: the newest of each counts, older ones are listed.
func (r *run) addProfiles(ctx context.Context, m *Manifest) error {
	for _, stage := range []string{"inspect", "embed", "pack"} {
		all, err := r.profiles(ctx, stage)
		if err != nil {
			return err
		}
		for i, p := range all {
			if i < len(all)-1 {
				m.ProfileChanges = append(m.ProfileChanges, p)
				continue
			}
			if stage != "embed" {
				p.Clip, p.Device = m.Profile.Clip, m.Profile.Device
			}
			m.Profile = p
		}
	}
	return nil
}

// funnel puts the counts of rejects in the order of the rules.
func funnel(counts map[string]int64) []FunnelStep {
	var out []FunnelStep
	documents := counts["documents.lines"]
	for _, rule := range schemas.DocumentRules {
		left := counts["rejects."+rule]
		if rule == schemas.RuleBadRecord {
			left -= counts["pages.bad"] // records of the crawl, not documents
		}
		out = append(out, FunnelStep{rule, "documents", documents, left})
		documents -= left
	}
	images := counts["candidates.found"] - counts["candidates.repeated"]
	for _, rule := range schemas.ImageRules {
		left := counts["rejects."+rule]
		out = append(out, FunnelStep{rule, "images", images, left})
		images -= left
	}
	return out
}

// alreadyDone recognises a run that is complete and has no work folder any more.
func (r *run) alreadyDone(ctx context.Context) (bool, Summary, error) {
	if _, err := r.store.Stat(ctx, planName); !errors.Is(err, storage.ErrNotExist) {
		return false, Summary{}, err
	}
	m, err := ReadManifest(ctx, r.store)
	if errors.Is(err, storage.ErrNotExist) {
		return false, Summary{}, nil
	}
	if err != nil {
		return false, Summary{}, err
	}
	now, err := makePlan(ctx, r.cfg)
	if err != nil {
		return false, Summary{}, err
	}
	then := plan{Format: workFormat, Inputs: m.Inputs, Settings: m.Config, Parts: now.Parts, NSFW: m.Profile.NSFW, Faces: m.Profile.Faces}
	if found := then.compare(now); len(found) > 0 {
		return false, Summary{}, refused("%s is complete, and was made with another configuration:\n  %s\nChoose another --out.",
			r.store.Location(""), inWords(found))
	}
	if r.cfg.Embedder != nil && m.Profile.Clip != "" {
		if err := r.sameCLIP(m.Profile.Clip, r.cfg.Embedder.Fingerprint()); err != nil {
			return false, Summary{}, err
		}
	}
	if err := r.nothingDeleted(ctx, m); err != nil {
		return false, Summary{}, err
	}
	r.note("the run is complete already")
	s := r.summaryOf(m)
	if r.cfg.Clean {
		if err := r.clean(ctx); err != nil {
			return true, s, err
		}
	}
	return true, s, problemsOf(s)
}

// clean removes RUN/work, the plan first: without it a run with a manifest is complete, whatever else is left.
func (r *run) clean(ctx context.Context) error {
	names := []string{planName}
	for info, err := range r.store.List(ctx, "work/") {
		if err != nil {
			return err
		}
		names = append(names, info.Name)
	}
	for _, name := range names {
		if err := r.store.Remove(ctx, name); err != nil {
			return err
		}
	}
	if r.local != "" {
		return os.RemoveAll(filepath.Join(r.local, "work"))
	}
	return nil
}
