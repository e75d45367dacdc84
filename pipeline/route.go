package pipeline

// Routes: the ways to find the documents' pages. A route is phases before the join, whose output "join" holds captures
// (emitCapture), and phases after it. By WAT the captures come with their candidates and nothing comes after; a route whose
// captures are only places in WARC files reads them after the join and puts what it finds through (*task).page.

// route is a way to find pages. Everything after the candidates is the same for all.
type route struct {
	before []*phase // with the output "join"
	after  []*phase // with the outputs "located", "uses" and "rejects"
}

var byWAT = route{before: []*phase{locateWAT}}

// routes are all that there are. The phases of a route that a run does not take have no tasks there.
var routes []route

func init() { routes = []route{byWAT, byIndex} } // not where it is declared: their phases ask for them

// phases is the table of all phases of a build by a route.
func phases(r route) []*phase {
	out := append([]*phase{locateDocuments}, r.before...)
	out = append(append(out, locateJoin), r.after...)
	return append(out, fetchImages, inspectImages, countPages, countCorpus, countVerdict, embedImages, embedSentences, matchDocuments, packParts)
}

// capturing names where the join finds documents and captures.
func capturing() []from {
	out := []from{{locateDocuments.name, "join"}}
	for _, r := range routes {
		for _, p := range r.before {
			out = append(out, from{p.name, "join"})
		}
	}
	return out
}

// locating names where the documents that have their pages are found.
func locating() []from {
	out := []from{{locateJoin.name, "located"}}
	for _, r := range routes {
		for _, p := range r.after {
			out = append(out, from{p.name, "located"})
		}
	}
	return out
}

// using names where the uses of images are found.
func using() []from {
	out := []from{{locateJoin.name, "uses"}, {locatePairs.name, "uses"}}
	for _, r := range routes {
		for _, p := range r.after {
			out = append(out, from{p.name, "uses"})
		}
	}
	return out
}

// rejecting names where the rejects of a run are found, in the order of its phases.
func (r *run) rejecting() []from {
	var out []from
	for _, p := range r.phases {
		if p.stage != "pack" {
			out = append(out, from{p.name, "rejects"})
		}
	}
	return out
}
