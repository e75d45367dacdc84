package eval

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
)

// Size of a chart, and the room around its plot.
const (
	chartWidth, chartHeight                              = 760, 320
	chartLeft, chartRight, chartTop, chartBottom float64 = 45, 250, 12, 34
)

// colours of the published series; ours is drawn in black, or white on dark.
var chartColours = []string{"#3572b0", "#d1742f", "#4f9a4f", "#b04848", "#8465a8", "#7f6b5b", "#c76aa5", "#808080"}

// curve is one line of a chart.
type curve struct {
	name   string
	values map[int]float64
	spread map[int]float64 // standard deviation, ours only
}

// chart draws a task's scores by shots beside what is published for the same way of choosing demonstrations.
func chart(line *TaskResult, random bool) template.HTML {
	ours := curve{name: "this run", values: map[int]float64{}, spread: map[int]float64{}}
	for _, cell := range line.Series {
		if cell.Mean != nil {
			ours.values[cell.Shots], ours.spread[cell.Shots] = float64(*cell.Mean), float64(*cell.Std)
		}
	}
	curves := []curve{ours}
	for _, p := range PublishedSeries[line.Name] {
		if p.Random == random {
			curves = append(curves, curve{name: p.Name, values: p.Values})
		}
	}
	var shots []int
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for s, v := range c.values {
			if !slices.Contains(shots, s) {
				shots = append(shots, s)
			}
			low, high = min(low, v-c.spread[s]), max(high, v+c.spread[s])
		}
	}
	if len(shots) == 0 {
		return ""
	}
	slices.Sort(shots)
	step := niceStep(high - low)
	low, high = step*math.Floor(low/step), step*math.Ceil(high/step)
	if low == high {
		high += step
	}
	x := func(s int) float64 {
		if len(shots) == 1 {
			return chartLeft + (chartWidth-chartLeft-chartRight)/2
		}
		i := slices.Index(shots, s) // 0, 4, 8, 16, 32 stand at equal distances, as in the papers
		return chartLeft + (chartWidth-chartLeft-chartRight)*float64(i)/float64(len(shots)-1)
	}
	y := func(v float64) float64 {
		return chartTop + (chartHeight-chartTop-chartBottom)*(high-v)/(high-low)
	}

	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" width="%d" role="img" aria-label="%s by shots">`, chartWidth, chartHeight, chartWidth, html.EscapeString(line.Metric))
	for v := low; v <= high+step/2; v += step {
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#8888" stroke-width=".5"/>`, chartLeft, chartWidth-chartRight, y(v), y(v))
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end">%g</text>`, chartLeft-7, y(v)+4, math.Round(v*100)/100)
	}
	for _, s := range shots {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%d</text>`, x(s), float64(chartHeight)-chartBottom+18, s)
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">shots</text>`, (chartLeft+chartWidth-chartRight)/2, float64(chartHeight)-2)
	for i := len(curves) - 1; i >= 0; i-- { // ours on top
		c := curves[i]
		colour, width := "currentColor", 2.8
		if i > 0 {
			colour, width = chartColours[(i-1)%len(chartColours)], 1.3
		}
		var points []string
		for _, s := range shots {
			v, ok := c.values[s]
			if !ok {
				continue
			}
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(s), y(v)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"><title>%s, %d shots: %.1f</title></circle>`, x(s), y(v), width+1, colour, html.EscapeString(c.name), s, v)
			if d := c.spread[s]; d > 0 {
				fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>`, x(s), x(s), y(v-d), y(v+d), colour)
			}
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f"/>`, strings.Join(points, " "), colour, width)
		legend := chartTop + 8 + 19*float64(i)
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>`, chartWidth-chartRight+16, chartWidth-chartRight+34, legend, legend, colour, width)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`, chartWidth-chartRight+40, legend+4, html.EscapeString(c.name))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// niceStep is a round distance that divides a range into four to ten parts.
func niceStep(span float64) float64 {
	if span <= 0 {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, f := range []float64{5, 2} {
		if span/(step*f) >= 4 {
			return step * f
		}
	}
	return step
}
