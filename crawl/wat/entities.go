package wat

// The entity trap: until CC-MAIN-2019-26 the writer of the WATs left HTML entities in attribute values
// (commoncrawl/ia-web-commons, issue 14). Whether a file is of that age is told by the crawl's name in its path, by the date
// in the file's own name, or by its warcinfo record.

import (
	"regexp"
	"strings"

	"mmc4/crawl/warc"
)

// Entities says whether the values hold HTML entities that must be undone.
type Entities int

// By the crawl's name in the file's path, the date in its name, or its warcinfo; never; always.
const (
	EntitiesByCrawl Entities = iota
	EntitiesKeep
	EntitiesUnescape
)

var (
	crawlName = regexp.MustCompile(`CC-MAIN-(\d{4}-\d{2})(?:/|$)`)
	fileDate  = regexp.MustCompile(`CC-MAIN-(\d{8})\d{6}-`)
	writer    = regexp.MustCompile(`(?m)^Software-Info:.*-(\d{8})\d{6}\s*$`)
)

const (
	firstClean     = "2019-26"    // the first crawl without entities
	firstCleanDate = "20190601"   // between the captures of 2019-22 (to 27 May) and 2019-26 (from 15 June)
	firstCleanWAT  = "2019-06-15" // by when 2019-22 was extracted
)

// keepsEntities decides by the path; known is false when it does not tell.
func keepsEntities(name string) (old, known bool) {
	if m := crawlName.FindAllStringSubmatch(name, -1); m != nil {
		return m[len(m)-1][1] < firstClean, true
	}
	if m := fileDate.FindStringSubmatch(name); m != nil {
		return m[1] < firstCleanDate, true
	}
	return false, false
}

// keepsEntitiesByInfo decides by the first record of the file.
func keepsEntitiesByInfo(rec *warc.Record) bool {
	if rec.Type != "warcinfo" {
		return false
	}
	if old, known := keepsEntities(rec.Header.Get("WARC-Filename")); known {
		return old
	}
	if m := writer.FindSubmatch(rec.Block); m != nil {
		return string(m[1]) < firstCleanDate
	}
	date := rec.Header.Get("WARC-Date")
	return strings.HasPrefix(date, "20") && date < firstCleanWAT
}
