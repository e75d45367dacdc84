package pipeline

// The numeric profile: what the last bits of a run depend on beside inputs and configuration. Each stage that computes
// with pictures or features records it before its first task, and compares afterwards.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
)

// currentProfile is that of this process.
func (r *run) currentProfile(stage string) NumericProfile {
	p := NumericProfile{Arch: runtime.GOARCH, Decoders: map[string]string{}}
	for _, d := range imaging.Decoders() {
		if d.Missing != "" {
			continue
		}
		for _, f := range d.Formats {
			p.Decoders[string(f)] = strings.TrimSpace(d.Name + " " + d.Version)
		}
	}
	if stage == "embed" && r.cfg.Embedder != nil {
		p.Clip = r.cfg.Embedder.Fingerprint()
		if on, ok := r.cfg.Embedder.(interface{ Profile() string }); ok {
			p.Device = on.Profile()
		}
	}
	p.NSFW, p.Faces = r.plan.NSFW, r.plan.Faces
	return p
}

func profileName(stage string, n int) string {
	return fmt.Sprintf("work/profile/%s-%03d.json", stage, n)
}

// profiles reads the profiles under which a stage was computed, the newest last.
func (r *run) profiles(ctx context.Context, stage string) ([]NumericProfile, error) {
	var out []NumericProfile
	for n := 0; ; n++ {
		data, err := storage.ReadFile(ctx, r.store, profileName(stage, n))
		if errors.Is(err, storage.ErrNotExist) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var p NumericProfile
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, fmt.Errorf("%s: %w", r.store.Location(profileName(stage, n)), err)
		}
		out = append(out, p)
	}
}

// settleProfile makes this process's profile the stage's, or compares it with the one the stage was begun under.
func (r *run) settleProfile(ctx context.Context, stage string) error {
	now := r.currentProfile(stage)
	for {
		before, err := r.profiles(ctx, stage)
		if err != nil {
			return err
		}
		if n := len(before); n > 0 {
			if err := r.sameCLIP(before[n-1].Clip, now.Clip); err != nil {
				return err
			}
			changes := before[n-1].changes(now)
			if len(changes) == 0 {
				return nil
			}
			if !r.cfg.AllowProfileChange {
				return refused("stage %s of %s was begun under another numeric profile:\n  %s\nGo on where the old one is to be had, or type --allow-profile-change: the run then mixes the two, and its manifest says so.",
					stage, r.store.Location(""), strings.Join(changes, "\n  "))
			}
			r.note("stage %s goes on under another numeric profile: %s", stage, strings.Join(changes, "; "))
		}
		data, err := json.Marshal(now)
		if err != nil {
			return err
		}
		err = createExclusive(ctx, r.store, profileName(stage, len(before)), data)
		if !errors.Is(err, storage.ErrExist) {
			return err
		}
	}
}

// sameCLIP refuses a model that did not make the run's features, even when none are to be made any more.
func (r *run) sameCLIP(was, now string) error {
	if was == now {
		return nil
	}
	return refused("the features in %s were made by another CLIP model or in another --dtype (%s; now %s): they have no meaning beside each other. Use the old one, or choose another --out",
		r.store.Location(""), was, now)
}

// changes tells in what now differs.
func (p NumericProfile) changes(now NumericProfile) []string {
	var out []string
	for _, c := range []struct{ what, was, is string }{{"device", p.Device, now.Device}, {"architecture", p.Arch, now.Arch},
		{"nsfw", p.NSFW, now.NSFW}, {"faces", p.Faces, now.Faces}} {
		if c.was != c.is {
			out = append(out, fmt.Sprintf("%s: was %q, now %q", c.what, c.was, c.is))
		}
	}
	all := maps.Clone(p.Decoders)
	maps.Copy(all, now.Decoders)
	for _, f := range slices.Sorted(maps.Keys(all)) {
		if p.Decoders[f] != now.Decoders[f] {
			out = append(out, fmt.Sprintf("decoder of %s: was %q, now %q", f, p.Decoders[f], now.Decoders[f]))
		}
	}
	return out
}
