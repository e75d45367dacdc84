package report

// Histograms with fixed bins, filled in one pass, and their drawings.

import (
	"fmt"
	"math"
	"strconv"
)

// histogram counts values in bins; two series lie on each other.
type histogram struct {
	edges  []float64 // bin i is [edges[i], edges[i+1]); the first and the last are open
	labels []string  // of bins; empty: the edges
	series [2][]int64
	sum    float64
	n      int64
}

func newHistogram(edges []float64) *histogram {
	h := &histogram{edges: edges}
	for i := range h.series {
		h.series[i] = make([]int64, len(edges)-1)
	}
	return h
}

func even(from, to float64, bins int) *histogram {
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = from + (to-from)*float64(i)/float64(bins)
	}
	return newHistogram(edges)
}

// counts has a bin for each of 1..most, and the last for more.
func counts(most int) *histogram {
	h := even(1, float64(most+1), most)
	for i := range most {
		h.labels = append(h.labels, strconv.Itoa(i+1))
	}
	h.labels[most-1] += "+"
	return h
}

// doubling has the bins 1, 2, 3-4, 5-8, ...
func doubling(bins int) *histogram {
	edges := []float64{1, 2}
	labels := []string{"1"}
	for i := 1; i < bins; i++ {
		from, to := edges[i], 2*(edges[i]-1)
		edges = append(edges, to+1)
		if from == to {
			labels = append(labels, number(from))
		} else {
			labels = append(labels, number(from)+"-"+number(to))
		}
	}
	h := newHistogram(edges)
	h.labels = labels
	return h
}

func (h *histogram) add(v float64, series int) {
	if math.IsNaN(v) {
		return
	}
	bins := len(h.series[0])
	i := 0
	for i < bins-1 && v >= h.edges[i+1] {
		i++
	}
	h.series[series][i]++
	if series == 0 {
		h.sum += v
		h.n++
	}
}

// chart is a histogram drawn into 372 x 162 units.
type chart struct {
	Title, Note string
	Bars        []bar
	Ticks       []tick
	Grid        []tick
	Limit       *tick
	Other       bool // there is a second series
	Empty       bool
}

type bar struct {
	X, Y, W, H float64
	Other      bool
	Tip        string
}

type tick struct {
	At    float64
	Label string
}

const (
	chartLeft, chartTop  = 40.0, 12.0
	chartWide, chartHigh = 312.0, 128.0
)

// draw makes the chart; every is how many bins lie between labels.
func (h *histogram) draw(title, note string, every int) *chart {
	c := &chart{Title: title, Note: note}
	most := int64(0)
	for i := range h.series[0] {
		most = max(most, h.series[0][i]+h.series[1][i])
		c.Other = c.Other || h.series[1][i] > 0
	}
	if most == 0 {
		c.Empty = true
		return c
	}
	step := niceStep(float64(most) / 3)
	top := step * math.Ceil(float64(most)/step)
	for v := 0.0; v <= top; v += step {
		c.Grid = append(c.Grid, tick{round2(chartTop + chartHigh*(1-v/top)), thousands(int64(v))})
	}
	bins := len(h.series[0])
	wide := chartWide / float64(bins)
	for i := range bins {
		y := chartTop + chartHigh
		for s := range h.series {
			n := h.series[s][i]
			if n == 0 {
				continue
			}
			high := chartHigh * float64(n) / top
			y -= high
			c.Bars = append(c.Bars, bar{round2(chartLeft + float64(i)*wide + 0.5), round2(y), round2(wide - 1), round2(high), s == 1,
				fmt.Sprintf("%s: %s", h.label(i), thousands(n))})
		}
		if len(h.labels) > 0 && i%every == 0 {
			c.Ticks = append(c.Ticks, tick{round2(chartLeft + (float64(i)+0.5)*wide), h.labels[i]})
		}
	}
	if len(h.labels) == 0 {
		for i := 0; i <= bins; i += every {
			c.Ticks = append(c.Ticks, tick{round2(chartLeft + float64(i)*wide), number(h.edges[i])})
		}
	}
	return c
}

// at is the place of a value on a chart of evenly wide bins.
func (h *histogram) at(v float64) float64 {
	from, to := h.edges[0], h.edges[len(h.edges)-1]
	return round2(chartLeft + chartWide*min(1, max(0, (v-from)/(to-from))))
}

func (h *histogram) label(i int) string {
	if len(h.labels) > 0 {
		return h.labels[i]
	}
	switch i {
	case len(h.series[0]) - 1:
		return number(h.edges[i]) + " and more"
	}
	return number(h.edges[i]) + " to " + number(h.edges[i+1])
}

// niceStep is the next of 1, 2, 5, 10, ...
func niceStep(v float64) float64 {
	if v <= 1 {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5, 10} {
		if v <= f*p {
			return f * p
		}
	}
	return 10 * p
}

func round2(v float64) float64 { return math.Round(v*100) / 100 }

// charts are the distributions of a run.
func (g *gathering) charts() []*chart {
	mean := func(h *histogram, unit string) string {
		if h.n == 0 {
			return ""
		}
		return fmt.Sprintf("mean %.3g %s", h.sum/float64(h.n), unit)
	}
	s := g.similarities.draw("Best similarity of an image", "largest cosine over the document's sentences", 10)
	limit := g.settings.Match.MinSimilarity
	s.Limit = &tick{g.similarities.at(limit), "limit " + number(limit)}
	if g.manifest.OverPairs() {
		s.Title, s.Note = "Similarity of a pair", "cosine of picture and caption"
		return []*chart{s, g.widths.draw("Width as fetched", mean(g.widths, "pixels"), 5), g.heights.draw("Height as fetched", mean(g.heights, "pixels"), 5),
			g.aspects.draw("Width / height", mean(g.aspects, ""), 5)}
	}
	return []*chart{
		s,
		g.images.draw("Images per document", mean(g.images, "images"), 2),
		g.sentences.draw("Sentences per document", mean(g.sentences, "sentences"), 3),
		g.widths.draw("Width as fetched", mean(g.widths, "pixels"), 5),
		g.heights.draw("Height as fetched", mean(g.heights, "pixels"), 5),
		g.aspects.draw("Width / height", mean(g.aspects, ""), 5),
	}
}
