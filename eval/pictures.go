package eval

import (
	"context"
	"sync"

	"mmc4/internal/storage"
)

// pictures are the folders, buckets and addresses that pictures are read from, each opened once.
type pictures struct {
	mu   sync.Mutex
	open map[string]storage.Store
}

// read reads a picture below a folder, s3:// or https:// location.
func (p *pictures) read(root, name string) ([]byte, error) {
	p.mu.Lock()
	s, ok := p.open[root]
	if !ok {
		var err error
		if s, err = storage.Open(context.Background(), root, storage.Options{}); err != nil {
			p.mu.Unlock()
			return nil, err
		}
		if p.open == nil {
			p.open = map[string]storage.Store{}
		}
		p.open[root] = s
	}
	p.mu.Unlock()
	return storage.ReadFile(context.Background(), s, name)
}
