package bench

// Pairs: a list of URLs and captions to WebDataset, from a server in this process: fetch, decode, shrink, encode. Both sides are
// commands on one core. What a command needs to start is taken off: it runs over a short list and a long one, and the difference counts.

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mmc4/internal/imaging"
)

const (
	pairsFew      = 100
	pairsMany     = 700
	pairsPictures = 90 // so many different ones are served
	pairsSide     = 256
	pairsQuality  = 90
)

var pairsRows = []Row{pairsRow("lanczos"), pairsRow("area")}

func pairsRow(interpolation string) Row {
	return Row{Name: "pairs." + interpolation, Peer: "img2dataset", Bar: 1.5,
		Input: "JPEGs of 500 to 1024 pixels over HTTP to WebDataset, longer side 256, quality 90; the peer shrinks by " + interpolation,
		Open:  func(ctx context.Context, lab *Lab) (*Contest, error) { return openPairs(ctx, lab, interpolation) }}
}

func openPairs(ctx context.Context, lab *Lab, interpolation string) (*Contest, error) {
	peer := filepath.Join(lab.Peers, "img2dataset", "bin", "img2dataset")
	if _, err := os.Stat(peer); err != nil {
		return nil, Unavailable{fmt.Sprintf("no %s: run `make peers`, or say --peers DIR", peer)}
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, filepath.Join(filepath.Dir(peer), "python"), "-c", "from importlib.metadata import version; print(version('img2dataset'))").Output()
	if err != nil {
		return nil, fmt.Errorf("the peer's version: %w", err)
	}
	pictures, err := drawPictures(lab.Rand("pairs"), pairsPictures)
	if err != nil {
		return nil, err
	}
	server, host, err := servePictures(pictures)
	if err != nil {
		return nil, err
	}
	for _, n := range []int{pairsFew, pairsMany} {
		if _, err := lab.Write(fmt.Sprintf("pairs-%d.csv", n), pairList(host, n)); err != nil {
			return nil, err
		}
	}
	ours := &command{ctx: ctx, lab: lab, out: "ours", make: func(list, out string) *exec.Cmd {
		return exec.CommandContext(ctx, program, "build", "--pairs", list, "--out", out, "--resize", strconv.Itoa(pairsSide), "--workers", "1",
			"--set", "pairs.form=webdataset", "--set", "network.per_host=32", "--set", "network.per_host_rate=100000", "--connect-to", host+":"+host,
			"--contact", "bench@example.org")
	}}
	theirs := &command{ctx: ctx, lab: lab, out: "theirs", version: "img2dataset " + strings.TrimSpace(string(version)), make: func(list, out string) *exec.Cmd {
		return exec.CommandContext(ctx, peer, "--url_list", list, "--input_format", "csv", "--url_col", "url", "--caption_col", "caption",
			"--output_format", "webdataset", "--output_folder", out, "--processes_count", "1", "--thread_count", "32", "--image_size", strconv.Itoa(pairsSide),
			"--resize_mode", "keep_ratio_largest", "--resize_only_if_bigger", "True", "--encode_quality", strconv.Itoa(pairsQuality),
			"--downscale_interpolation", interpolation, "--number_sample_per_shard", "10000", "--enable_wandb", "False")
	}}
	ours.close = server.Close
	agree := func() (string, error) {
		if _, err := ours.run(pairsMany); err != nil {
			return "", err
		}
		if _, err := theirs.run(pairsMany); err != nil {
			return "", err
		}
		return samePairs(filepath.Join(ours.folder(), "webdataset"), theirs.folder())
	}
	return &Contest{Unit: "img/s", Work: pairsMany - pairsFew, Ours: ours, Theirs: theirs, Agree: agree}, nil
}

// drawPictures makes JPEGs of what photographs have: areas that pass into each other, and noise.
func drawPictures(rng *rand.Rand, n int) (files [][]byte, err error) {
	sizes := [][2]int{{640, 480}, {800, 600}, {1024, 768}, {500, 700}}
	for range n {
		size := sizes[rng.IntN(len(sizes))]
		areas := imaging.NewRGB(size[0]/40, size[1]/40)
		for i := range areas.Pix {
			areas.Pix[i] = uint8(rng.IntN(256))
		}
		m := imaging.Resize(areas, size[0], size[1], imaging.Bicubic, nil)
		for i := 0; i < len(m.Pix); i += 3 {
			noise := rng.IntN(25) - 12
			for k := range 3 {
				m.Pix[i+k] = uint8(min(max(int(m.Pix[i+k])+noise, 0), 255))
			}
		}
		var b bytes.Buffer
		if err := imaging.EncodeJPEG(&b, m, 85); err != nil {
			return nil, err
		}
		files = append(files, b.Bytes())
	}
	return files, nil
}

// servePictures answers /N.jpg on loopback.
func servePictures(pictures [][]byte) (*http.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".jpg"))
		if err != nil || n < 0 {
			http.NotFound(w, r) // robots.txt
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(pictures[n%len(pictures)])
	})}
	go s.Serve(l)
	return s, l.Addr().String(), nil
}

func pairList(host string, n int) []byte {
	var b bytes.Buffer
	b.WriteString("url,caption\n")
	for i := range n {
		fmt.Fprintf(&b, "http://%s/%d.jpg,caption number %d\n", host, i, i)
	}
	return b.Bytes()
}

// command is a side that is a command over the lists.
type command struct {
	ctx     context.Context
	lab     *Lab
	out     string
	version string
	make    func(list, out string) *exec.Cmd
	close   func() error
}

func (c *command) folder() string { return c.lab.Path(c.out) }

// run runs the command over n pairs into an empty folder and gives its CPU time, that of its own children too.
func (c *command) run(n int) (time.Duration, error) {
	if err := os.RemoveAll(c.folder()); err != nil {
		return 0, err
	}
	cmd := c.make(c.lab.Path(fmt.Sprintf("pairs-%d.csv", n)), c.folder())
	said := &tail{}
	cmd.Env, cmd.Stdout, cmd.Stderr = append(peerEnv(), "GOMAXPROCS=1", "NO_ALBUMENTATIONS_UPDATE=1"), said, said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, said)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// Run is the time for the long list less that for the short one.
func (c *command) Run(times int) (sum time.Duration, err error) {
	for range times {
		long, err := c.run(pairsMany)
		if err != nil {
			return 0, err
		}
		short, err := c.run(pairsFew)
		if err != nil {
			return 0, err
		}
		sum += long - short
	}
	return sum, nil
}

func (c *command) Version() string { return c.version }

func (c *command) Close() error {
	if c.close == nil {
		return nil
	}
	return c.close()
}

// packedPair is what two programs must agree on.
type packedPair struct {
	width, height int
	caption       string
	tables        string // of quantisation: the quality
}

// samePairs compares the pairs in the tars of two folders.
func samePairs(mine, peers string) (string, error) {
	ours, err := packedPairs(mine)
	if err != nil {
		return "", err
	}
	theirs, err := packedPairs(peers)
	if err != nil {
		return "", err
	}
	if len(ours) != pairsMany || len(theirs) != len(ours) {
		return "", fmt.Errorf("outputs differ: %d pairs, the peer has %d, asked for %d", len(ours), len(theirs), pairsMany)
	}
	for url, p := range ours {
		if q, ok := theirs[url]; !ok || p != q {
			return "", fmt.Errorf("outputs differ: %s is %dx%d %q, the peer's %dx%d %q, the same quality: %t", url, p.width, p.height, p.caption, q.width,
				q.height, q.caption, p.tables == q.tables)
		}
	}
	return fmt.Sprintf("%d of %d pairs with the same size, caption and quantisation tables", len(ours), pairsMany), nil
}

// packedPairs reads all tars of a folder, by URL.
func packedPairs(folder string) (map[string]packedPair, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.tar"))
	if err != nil {
		return nil, err
	}
	out := map[string]packedPair{}
	for _, name := range names {
		if err := readPairs(name, out); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

func readPairs(name string, out map[string]packedPair) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	pairs, urls := map[string]packedPair{}, map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		key, ending, _ := strings.Cut(h.Name, ".")
		p := pairs[key]
		switch ending {
		case "jpg":
			c, err := imaging.Probe(data)
			if err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			p.width, p.height, p.tables = c.Width, c.Height, quantisation(data)
		case "txt":
			p.caption = string(data)
		case "json":
			var about struct{ URL string }
			if err := json.Unmarshal(data, &about); err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
			urls[key] = about.URL
		}
		pairs[key] = p
	}
	for key, p := range pairs {
		out[cmp.Or(urls[key], key)] = p
	}
	return nil
}

// quantisation gives the bodies of a JPEG's DQT segments, one after another: one or several tables a segment say the same.
func quantisation(data []byte) string {
	var tables []byte
	for pos := 2; pos+4 <= len(data) && data[pos] == 0xFF && data[pos+1] != 0xDA; {
		size := int(data[pos+2])<<8 | int(data[pos+3])
		if data[pos+1] == 0xDB && pos+2+size <= len(data) {
			tables = append(tables, data[pos+4:pos+2+size]...)
		}
		pos += 2 + size
	}
	return string(tables)
}
