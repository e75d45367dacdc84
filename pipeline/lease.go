package pipeline

// The lock of a remote run: a chain of leases, RUN/work/lease-NNNNNN, made by exclusive creation. The newest counts. Its
// holder writes a sign of life into it every few seconds; when that stops, the next build makes the next lease. A holder
// that finds a newer lease than its own has lost the run and stops.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mmc4/internal/storage"
)

const (
	leasePrefix = "work/lease-"
	leaseBeat   = 10 * time.Second
	leaseDeath  = 60 * time.Second // without a sign of life for this long, the holder is dead
)

type lease struct {
	Holder string    `json:"holder"`
	Alive  time.Time `json:"alive"` // zero: given back
}

func leaseName(n int) string { return fmt.Sprintf("%s%06d", leasePrefix, n) }

// newestLease is the number of the newest lease, 0 for none.
func newestLease(ctx context.Context, store storage.Store) (n int, err error) {
	for info, err := range store.List(ctx, leasePrefix) {
		if err != nil {
			return 0, fmt.Errorf("looking for the run's lease: %w", err)
		}
		var found int
		if _, err := fmt.Sscanf(info.Name, leasePrefix+"%d", &found); err == nil {
			n = max(n, found)
		}
	}
	return n, nil
}

// takeLease makes this process the holder of the run and keeps it so until the returned function is called.
func takeLease(ctx context.Context, store storage.Store, lost context.CancelCauseFunc) (func(), error) {
	n, err := newestLease(ctx, store)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		var l lease
		data, err := storage.ReadFile(ctx, store, leaseName(n))
		if err == nil {
			err = json.Unmarshal(data, &l)
		}
		if err != nil {
			return nil, fmt.Errorf("the run's lease: %w", err)
		}
		if quiet := time.Since(l.Alive); quiet < leaseDeath {
			return nil, refused("%s is in use by %s (last sign of life %s ago). If it is dead, the run is free %s from now.",
				store.Location(""), l.Holder, quiet.Round(time.Second), (leaseDeath - quiet).Round(time.Second))
		}
	}
	n++
	alive := func() []byte {
		data, _ := json.Marshal(lease{me(), time.Now().UTC()})
		return data
	}
	if err := createExclusive(ctx, store, leaseName(n), alive()); err != nil {
		if errors.Is(err, storage.ErrExist) {
			return nil, refused("%s was taken by another build this very moment", store.Location(""))
		}
		return nil, fmt.Errorf("taking the run's lease: %w", err)
	}
	if n > 1 {
		store.Remove(ctx, leaseName(n-1)) // only tidiness: the newest counts
	}
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		beat := time.NewTicker(leaseBeat)
		defer beat.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ctx.Done():
				return
			case <-beat.C:
				if newest, err := newestLease(ctx, store); err == nil && newest > n {
					lost(refused("another build took over %s: this one gave no sign of life for too long", store.Location("")))
					return
				}
				storage.WriteFile(ctx, store, leaseName(n), alive()) // a failure shows as silence
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		free, _ := json.Marshal(lease{Holder: me()})
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseBeat)
		defer cancel()
		storage.WriteFile(ctx, store, leaseName(n), free) // else it dies of silence
	}, nil
}
