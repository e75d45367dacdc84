package gpu

// Records to a page.

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Render reads every record of a folder and writes them as one page of Markdown, newest record first.
func Render(folder string, w io.Writer) error {
	paths, err := filepath.Glob(filepath.Join(folder, "gpu-*.json"))
	if err != nil {
		return err
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	var page strings.Builder
	page.WriteString("# Measured on GPUs\n\nWritten by `make gpu-results` from the records beside it, which `make gpu-kit`'s gpu-check.sh makes (docs/cuda.md).\n")
	if len(paths) == 0 {
		page.WriteString("\nThere is no record yet: no GPU was to be had. Nothing is known about this program on hardware, and nothing about its speed there.\n")
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		lines, err := ReadRecord(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(&page, "\n## %s\n", strings.TrimSuffix(filepath.Base(path), ".json"))
		for _, phase := range Phases {
			writePhase(&page, phase, lines)
		}
	}
	_, err = io.WriteString(w, page.String())
	return err
}

// writePhase writes what a phase found: what the machine is, counts, and a table of what has figures or failed.
func writePhase(page *strings.Builder, phase string, all []Line) {
	var lines []Line
	counts := map[string]int{}
	for _, l := range all {
		if l.Phase != phase {
			continue
		}
		if l.Check == "machine" {
			if len(lines) == 0 {
				fmt.Fprintf(page, "\n### %s\n\n%s\n", phase, cell(l.Note+l.Why))
			}
			continue
		}
		counts[l.Outcome]++
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(page, "\n%d checks ok, %d failed, %d skipped.\n", counts[OK], counts[Failed], counts[Skipped])
	page.WriteString("\n| check | outcome | figure | bar | reach | all figures | note |\n|---|---|---|---|---|---|---|\n")
	for _, l := range lines {
		if (phase == "ops" || phase == "models") && l.Outcome == OK {
			continue // many, and all alike
		}
		figure := "-"
		if v, ok := l.Figures[l.Of]; ok {
			figure = fmt.Sprintf("%s %.3g", l.Of, v)
		}
		var figures []string
		for name, v := range l.Figures {
			if name != l.Of {
				figures = append(figures, fmt.Sprintf("%s %.4g", name, v))
			}
		}
		slices.Sort(figures)
		fmt.Fprintf(page, "| %s | %s | %s | %s | %s | %s | %s |\n", cell(l.Check), l.Outcome, figure, orDash(l.Bar), orDash(l.Reach), strings.Join(figures, ", "),
			cell(strings.TrimSpace(l.Note+" "+l.Why)))
	}
}

func orDash(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g", v)
}

// cell keeps a text within a cell of a table.
func cell(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "|", "/")), " ")
	if len(s) > 300 {
		s = s[:300] + " ..."
	}
	return s
}
