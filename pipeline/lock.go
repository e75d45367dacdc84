package pipeline

// The run's lock. A whole build has it alone, slices share it. In a folder it is flock(2), which dies with the process;
// on a remote store it is a lease (lease.go).

import (
	"context"
	"io/fs"
	"strings"
)

const lockName = "work/lock"

var errPermission = fs.ErrPermission

// localPath is the path of a run that is a folder, "" for a remote one.
func localPath(location string) string {
	if rest, ok := strings.CutPrefix(location, "file://"); ok {
		return rest
	}
	if strings.Contains(location, "://") {
		return ""
	}
	return location
}

// lock takes the run. shared is for slices. The lock is kept until unlock is called or the process ends; when a lease is
// lost, cancel is called.
func (r *run) lock(ctx context.Context, shared bool, cancel context.CancelCauseFunc) (unlock func(), err error) {
	if r.local != "" {
		return lockFile(r.local, shared)
	}
	if shared {
		return func() {}, nil // slices do each other no harm, and a remote run has no way to keep a build out cheaply
	}
	return takeLease(ctx, r.store, cancel)
}
