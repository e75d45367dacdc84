package demo

// `mmc4 demo`: write the web, serve it, build from it, and say how that went.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// Build is what a build of the drawn web is given; the fields are the flags of `mmc4 build`.
type Build struct {
	C4        []string // --c4
	WAT       []string // --wat
	Out       string   // --out
	ConnectTo []string // --connect-to
	Contact   string   // --contact
}

// RunOptions says what `mmc4 demo` does.
type RunOptions struct {
	Dir   string // where web/ and run/ are written; made if it is not there
	Run   string // where the run is written instead: a folder or s3://
	Seed  uint64
	Pages int
}

// marker is a file by which a folder is known as a demo's, so that only such a folder is ever emptied.
const marker = "mmc4-demo"

// Result is what a demo found.
type Result struct {
	Dir     string      `json:"dir"`
	Report  string      `json:"report"` // RUN/report.html
	Score   Score       `json:"score"`
	Rules   []RuleCount `json:"rules"`
	Seconds float64     `json:"seconds"`
}

// Run writes the web to DIR/web, serves it on loopback, calls build, which must finish a run in DIR/run or o.Run, and prints the
// funnel and the accuracy to out. An older demo in DIR is replaced; any other non-empty folder is refused.
func Run(ctx context.Context, o RunOptions, build func(context.Context, Build) error, out io.Writer) (*Result, error) {
	began := time.Now()
	if err := prepare(o.Dir); err != nil {
		return nil, err
	}
	webDir, runDir := filepath.Join(o.Dir, "web"), o.Run
	if runDir == "" {
		runDir = filepath.Join(o.Dir, "run")
	}
	truth, err := Write(webDir, Options{Seed: o.Seed, Pages: o.Pages})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "drew a web of %d documents in %.1f s: %s\n", len(truth.Documents), time.Since(began).Seconds(), webDir)
	server, err := Serve(ctx, webDir)
	if err != nil {
		return nil, err
	}
	err = build(ctx, Build{
		C4:  []string{filepath.Join(webDir, "c4", "*.json.gz")},
		WAT: []string{filepath.Join(webDir, "crawl-data", crawlName, "segments", "*", "wat", "*.wat.gz")},
		Out: runDir, ConnectTo: server.ConnectTo(), Contact: "demo@example.org",
	})
	if err = errors.Join(err, server.Close()); err != nil {
		return nil, err
	}
	docs, err := readTable[schemas.Document](ctx, runDir, "docs", schemas.Without("image_info.bytes"))
	if err != nil {
		return nil, err
	}
	rejects, err := readTable[schemas.Reject](ctx, runDir, "rejects")
	if err != nil {
		return nil, err
	}
	result := &Result{Dir: o.Dir, Report: runDir + "/report.html", Score: Accuracy(docs, truth), Rules: Rules(rejects, truth)}
	result.Seconds = time.Since(began).Seconds()
	result.print(out, docs, rejects)
	return result, nil
}

// prepare makes the folder, or empties it of an older demo.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("preparing the demo: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("preparing the demo: %w", err)
	}
	sign := filepath.Join(dir, marker)
	if _, err := os.Stat(sign); len(entries) > 0 && err != nil {
		return fmt.Errorf("%s holds something else than a demo; name another folder or empty it", dir)
	}
	for _, part := range []string{"web", "run"} {
		if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
			return fmt.Errorf("removing the older demo: %w", err)
		}
	}
	return writeFile(sign, []byte("This folder is written anew by every `mmc4 demo`.\n"))
}

// readTable reads all rows of RUN/table/*.parquet.
func readTable[T any](ctx context.Context, runDir, table string, projections ...schemas.Projection) ([]T, error) {
	refs, err := storage.Glob(ctx, runDir+"/"+table+"/*.parquet", storage.Options{})
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		return nil, fmt.Errorf("the run in %s has no %s", runDir, table)
	}
	var rows []T
	for _, ref := range refs {
		if rows, err = appendRows(ctx, rows, ref, projections); err != nil {
			return nil, fmt.Errorf("reading %s: %w", ref.Location(), err)
		}
	}
	return rows, nil
}

func appendRows[T any](ctx context.Context, rows []T, ref storage.Ref, projections []schemas.Projection) (_ []T, err error) {
	f, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := schemas.NewReader[T](f, f.Info().Size, projections...)
	if err != nil {
		return nil, err
	}
	for row, err := range r.All() {
		if err != nil {
			return nil, err
		}
		rows = append(rows, *row)
	}
	return rows, r.Close()
}

// print tells the funnel and the accuracy.
func (r *Result) print(out io.Writer, docs []schemas.Document, rejects []schemas.Reject) {
	kept, left := 0, map[string]int{}
	for _, d := range docs {
		kept += len(d.ImageInfo)
	}
	for _, reject := range rejects {
		left[reject.Rule]++
	}
	planted := map[string]RuleCount{}
	for _, c := range r.Rules {
		planted[c.Rule] = c
	}
	fmt.Fprintf(out, "\ndocuments\n")
	total := len(docs)
	for _, rule := range schemas.DocumentRules {
		total += left[rule]
	}
	fmt.Fprintf(out, "  %-24s%6d\n", "read", total)
	for _, rule := range schemas.DocumentRules {
		fmt.Fprintf(out, "  %-24s%6d\n", "- "+rule, left[rule])
	}
	fmt.Fprintf(out, "  %-24s%6d\n\nimages\n", "kept", len(docs))
	total = kept
	for _, rule := range schemas.ImageRules {
		total += left[rule]
	}
	fmt.Fprintf(out, "  %-24s%6d\n", "found", total)
	for _, rule := range schemas.ImageRules {
		if c, ok := planted[rule]; ok {
			fmt.Fprintf(out, "  %-24s%6d   %d of %d planted ones\n", "- "+rule, left[rule], c.Right, c.Planted)
		} else if left[rule] > 0 {
			fmt.Fprintf(out, "  %-24s%6d\n", "- "+rule, left[rule])
		}
	}
	s := r.Score
	fmt.Fprintf(out, "  %-24s%6d\n\n", "kept", kept)
	fmt.Fprintf(out, "pictures at a sentence that shows them, within %d documents (%d pictures; %d were left out):\n", s.Documents, s.Images, s.Missing)
	fmt.Fprintf(out, "  %-24s%5.1f %%\n  %-24s%5.1f %%\n  %-24s%5.1f %%\n", "assignment", 100*s.P1, "arg-max", 100*s.ArgMax, "chance", 100*s.Chance)
	fmt.Fprintf(out, "\n%.0f s in all. Open %s\n", r.Seconds, r.Report)
}
