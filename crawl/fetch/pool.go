package fetch

// Connections: at most PerHost to a host and Connections in all, idle ones included. A connection carries one request
// at a time. (net/http makes, reads and writes them, HTTP/2 included; which there are is decided here, because its own
// pool knows no bound over all hosts and repeats requests by itself.)

import (
	"container/list"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mmc4/crawl/weburl"
)

// idleLimit is shorter than the keep-alive time of common servers, so that they rarely close on us as we ask.
const idleLimit = 4 * time.Second

// turnLimit is how long a connection may keep others from being made while its host has more to ask for.
const turnLimit = 10 * time.Second

type conn struct {
	*http.ClientConn
	host   *host
	origin string
	made   time.Time
	used   bool          // has carried a request before
	wrote  atomic.Bool   // the header of the present request was written
	since  time.Time     // idle since
	idle   *list.Element // in pool.idle
}

// pool is guarded by the engine's lock.
type pool struct {
	open int
	idle list.List // of *conn, longest idle first
	reap *time.Timer
}

// takeConn gives an idle connection of a host or makes one. fresh wants a new one.
func (e *engine) takeConn(ctx context.Context, h *host, u *weburl.URL, fresh bool) (*conn, error) {
	key := origin(u)
	var dead []*conn
	e.mu.Lock()
	for _, c := range slices.Backward(slices.Clone(h.idle)) {
		if c.origin != key {
			continue
		}
		e.unlist(c)
		if !fresh && c.Err() == nil {
			e.mu.Unlock()
			closeAll(dead)
			c.used = true
			return c, nil
		}
		dead = append(dead, e.drop(c))
	}
	if h.open >= e.opt.PerHost && len(h.idle) > 0 {
		c := h.idle[0]
		e.unlist(c)
		dead = append(dead, e.drop(c))
	}
	if e.pool.open >= e.opt.Connections {
		if c := e.victim(); c != nil {
			e.unlist(c)
			dead = append(dead, e.drop(c))
		}
	}
	e.pool.open++
	h.open++
	e.mu.Unlock()
	closeAll(dead)

	cc, err := e.transportFor(u).NewClientConn(ctx, u.Scheme, address(u))
	c := &conn{ClientConn: cc, host: h, origin: key, made: time.Now()}
	if err != nil {
		e.mu.Lock()
		e.drop(c)
		e.mu.Unlock()
		return nil, err
	}
	return c, nil
}

// room tells whether one more connection can be had.
func (e *engine) room(now time.Time) bool {
	if e.pool.open < e.opt.Connections {
		return true
	}
	c := e.victim()
	return c != nil && (c.host.queue.len() == 0 || now.Sub(c.made) > turnLimit)
}

// victim is the idle connection to close for another: one whose host does not need it, else the oldest.
func (e *engine) victim() (oldest *conn) {
	for el := e.pool.idle.Front(); el != nil; el = el.Next() {
		c := el.Value.(*conn)
		if c.host.queue.len() == 0 {
			return c
		}
		if oldest == nil || c.made.Before(oldest.made) {
			oldest = c
		}
	}
	return oldest
}

// lost tells whether a used connection was gone before the request was sent: then nobody was asked, and asking over
// another one is no second attempt. (net/http can close a connection a moment after it let it go.)
func (c *conn) lost(err error) bool {
	return !c.wrote.Load() || strings.Contains(err.Error(), "readLoop exiting")
}

// giveConn takes a connection back; keep says that it can carry another request.
func (e *engine) giveConn(c *conn, keep bool) {
	e.mu.Lock()
	if keep && c.Err() == nil {
		c.since = time.Now()
		c.idle = e.pool.idle.PushBack(c)
		c.host.idle = append(c.host.idle, c)
		if e.pool.idle.Len() == 1 {
			e.pool.reap.Reset(idleLimit)
		}
		e.mu.Unlock()
		return
	}
	e.drop(c)
	e.mu.Unlock()
	_ = c.Close() // it is given up; nothing follows from an error
}

func (e *engine) unlist(c *conn) {
	e.pool.idle.Remove(c.idle)
	for i, other := range c.host.idle {
		if other == c {
			c.host.idle = append(c.host.idle[:i], c.host.idle[i+1:]...)
			break
		}
	}
	e.arrange(c.host)
}

func (e *engine) drop(c *conn) *conn {
	e.pool.open--
	c.host.open--
	return c
}

// reapIdle closes what has been idle for too long, or all.
func (e *engine) reapIdle(all bool) {
	var dead []*conn
	e.mu.Lock()
	for el := e.pool.idle.Front(); el != nil; el = e.pool.idle.Front() {
		c := el.Value.(*conn)
		if left := idleLimit - time.Since(c.since); left > 0 && !all {
			e.pool.reap.Reset(left)
			break
		}
		e.unlist(c)
		dead = append(dead, e.drop(c))
	}
	e.pump()
	e.mu.Unlock()
	closeAll(dead)
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
