package pipeline

// Stage locate of a run over lists: rows to uses of image URLs.

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"mmc4/crawl/weburl"
	"mmc4/dedup"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

var locatePairs = &phase{stage: "locate", name: "locate.pairs", unit: "rows",
	tasks: func(r *run) int { return len(r.plan.inputsOf("pairs")) }, do: doListPairs}

// doListPairs reads one list. Outputs: "uses" (by host partition; key URL, pairRef; value caption), "rejects".
func doListPairs(ctx context.Context, t *task) error {
	in := t.plan.inputsOf("pairs")[t.index]
	t.declare("uses", t.cfg.Settings.Partitions)
	o, err := storage.OpenFile(ctx, in.Location, t.cfg.Storage)
	if err != nil {
		return t.inputFailed(ctx, in, nil, err)
	}
	defer o.Close()
	columns := schemas.ListColumns{URL: t.cfg.Settings.Pairs.URL, Caption: t.cfg.Settings.Pairs.Caption}
	watched := &inputReader{r: storage.Reader(ctx, o)}
	var rows iter.Seq2[schemas.ListRow, error]
	switch form := schemas.ListForm(in.Location); form {
	case "":
		return t.inputFailed(ctx, in, watched, errors.New("its name ends in none of .parquet, .jsonl, .ndjson, .json, .csv, .tsv (the text forms also with .gz or .zst)"))
	case "parquet":
		rows = schemas.ReadParquetList(&listAt{o, watched}, o.Info().Size, columns)
	default:
		rows = schemas.ReadList(watched, form, columns)
	}
	for row, err := range rows {
		if err != nil {
			return t.inputFailed(ctx, in, watched, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		t.meter.add(1)
		t.count("pairs.rows", 1)
		if err := t.listed(pairRef{uint32(t.index), uint64(row.Row)}, row); err != nil {
			return err
		}
	}
	return nil
}

// listAt notes failures to read in an inputReader, so that they are not taken for damage.
type listAt struct {
	o  storage.Object
	in *inputReader
}

func (l *listAt) ReadAt(b []byte, at int64) (int, error) {
	n, err := l.o.ReadAt(b, at)
	if err != nil && n < len(b) && at+int64(len(b)) <= l.o.Info().Size {
		l.in.err = err
	}
	return n, err
}

// listed puts a row through the rules on rows and URLs.
func (t *task) listed(ref pairRef, row schemas.ListRow) error {
	bad := row.Bad
	if bad == "" && strings.TrimSpace(row.Caption) == "" {
		bad = "no caption"
	}
	href, why := weburl.Resolve("", "", row.URL)
	url := weburl.StripFragment(href)
	if bad != "" {
		return t.rejectPair(ref, url, row.Caption, &dedup.Rejection{Rule: schemas.RuleBadRecord, Detail: fmt.Sprintf("%s row %d: %s", t.listName(ref), row.Row, bad)})
	}
	if rejection := t.cfg.Settings.limits().Candidate(why); rejection != nil {
		return t.rejectPair(ref, row.URL, row.Caption, rejection)
	}
	t.count("pairs.passed", 1)
	var e enc
	e.str(row.Caption)
	return t.emit("uses", t.cfg.Settings.Partitions, t.partition(hostOf(url)), ref.key(urlKey(nil, url)), e.b)
}
