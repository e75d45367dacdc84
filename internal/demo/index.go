package demo

// The crawl's two indexes, as Common Crawl publishes them: CDXJ in gzip blocks with cluster.idx, and the Parquet table.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// cdxBlock is the number of lines in a gzip block; Common Crawl has 3,000.
const cdxBlock = 40

func writeIndexes(dir string, captures []*capture) error {
	sorted := slices.Clone(captures)
	slices.SortStableFunc(sorted, func(a, b *capture) int {
		if c := strings.Compare(surt(a.url), surt(b.url)); c != 0 {
			return c
		}
		return a.when.Compare(b.when)
	})
	if err := writeCDX(dir, sorted); err != nil {
		return err
	}
	for _, subset := range []string{"warc", "crawldiagnostics"} {
		if err := writeTable(dir, subset, sorted); err != nil {
			return err
		}
	}
	return nil
}

func writeCDX(dir string, sorted []*capture) error {
	folder := filepath.Join(dir, "cc-index", "collections", crawlName, "indexes")
	files := map[string]*bytes.Buffer{}
	var names []string
	var cluster bytes.Buffer
	for at := 0; at < len(sorted); at += cdxBlock {
		block := sorted[at:min(at+cdxBlock, len(sorted))]
		var text bytes.Buffer
		for _, c := range block {
			text.WriteString(surt(c.url) + " " + c.when.Format("20060102150405") + " ")
			line, err := json.Marshal(cdxFields(c))
			if err != nil {
				return err
			}
			text.Write(append(line, '\n'))
		}
		name := fmt.Sprintf("cdx-%05d.gz", at/cdxBlock/6)
		if files[name] == nil {
			files[name] = &bytes.Buffer{}
			names = append(names, name)
		}
		packed := gzipped(text.Bytes())
		fmt.Fprintf(&cluster, "%s %s\t%s\t%d\t%d\t%d\n", surt(block[0].url), block[0].when.Format("20060102150405"), name, files[name].Len(), len(packed), at/cdxBlock+1)
		files[name].Write(packed)
	}
	var paths []string
	for _, name := range names {
		if err := writeFile(filepath.Join(folder, name), files[name].Bytes()); err != nil {
			return err
		}
		paths = append(paths, "cc-index/collections/"+crawlName+"/indexes/"+name)
	}
	paths = append(paths, "cc-index/collections/"+crawlName+"/indexes/cluster.idx")
	if err := writeFile(filepath.Join(dir, "crawl-data", crawlName, "cc-index.paths.gz"), gzipped(lines(paths))); err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, "cluster.idx"), cluster.Bytes())
}

// cdxLine is the JSON part of a CDXJ line, in Common Crawl's order.
type cdxLine struct {
	URL       string `json:"url"`
	MIME      string `json:"mime"`
	Detected  string `json:"mime-detected"`
	Status    string `json:"status"`
	Digest    string `json:"digest"`
	Length    string `json:"length"`
	Offset    string `json:"offset"`
	Filename  string `json:"filename"`
	Charset   string `json:"charset,omitempty"`
	Languages string `json:"languages,omitempty"`
	Redirect  string `json:"redirect,omitempty"`
}

func cdxFields(c *capture) cdxLine {
	l := cdxLine{URL: c.url, MIME: "text/html", Detected: "text/html", Status: strconv.Itoa(c.status), Digest: c.digest,
		Length: strconv.FormatInt(c.length, 10), Offset: strconv.FormatInt(c.offset, 10), Filename: c.filename, Redirect: c.location}
	if c.page != nil {
		l.Charset, l.Languages = "UTF-8", "eng"
	}
	return l
}

// tableRow is a row of Common Crawl's columnar index.
type tableRow struct {
	SURT             string    `parquet:"url_surtkey"`
	URL              string    `parquet:"url"`
	HostName         string    `parquet:"url_host_name,dict"`
	TLD              *string   `parquet:"url_host_tld,optional,dict"`
	SecondLast       *string   `parquet:"url_host_2nd_last_part,optional,dict"`
	ThirdLast        *string   `parquet:"url_host_3rd_last_part,optional,dict"`
	FourthLast       *string   `parquet:"url_host_4th_last_part,optional,dict"`
	FifthLast        *string   `parquet:"url_host_5th_last_part,optional,dict"`
	RegistrySuffix   *string   `parquet:"url_host_registry_suffix,optional,dict"`
	RegisteredDomain *string   `parquet:"url_host_registered_domain,optional,dict"`
	PrivateSuffix    *string   `parquet:"url_host_private_suffix,optional,dict"`
	PrivateDomain    *string   `parquet:"url_host_private_domain,optional,dict"`
	Reversed         *string   `parquet:"url_host_name_reversed,optional,dict"`
	Protocol         string    `parquet:"url_protocol,dict"`
	Port             *int32    `parquet:"url_port,optional"`
	Path             string    `parquet:"url_path"`
	Query            *string   `parquet:"url_query,optional"`
	FetchTime        time.Time `parquet:"fetch_time,timestamp(millisecond)"`
	FetchStatus      int16     `parquet:"fetch_status"`
	FetchRedirect    *string   `parquet:"fetch_redirect,optional"`
	Digest           *string   `parquet:"content_digest,optional"`
	MIMEType         *string   `parquet:"content_mime_type,optional,dict"`
	MIMEDetected     *string   `parquet:"content_mime_detected,optional,dict"`
	Charset          *string   `parquet:"content_charset,optional,dict"`
	Languages        *string   `parquet:"content_languages,optional,dict"`
	Truncated        *string   `parquet:"content_truncated,optional"`
	Filename         string    `parquet:"warc_filename,dict"`
	Offset           int32     `parquet:"warc_record_offset"`
	Length           int32     `parquet:"warc_record_length"`
	Segment          string    `parquet:"warc_segment,dict"`
}

func writeTable(dir, subset string, sorted []*capture) error {
	var rows []tableRow
	for _, c := range sorted {
		if strings.Contains(c.filename, "/"+subset+"/") {
			row, err := newTableRow(c)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[tableRow](&out, parquet.Compression(&parquet.Gzip), parquet.MaxRowsPerRowGroup(64), parquet.CreatedBy("mmc4 demo", "", ""))
	if _, err := w.Write(rows); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "cc-index", "table", "cc-main", "warc", "crawl="+crawlName, "subset="+subset, "part-00000-demo.c000.gz.parquet"), out.Bytes())
}

func newTableRow(c *capture) (tableRow, error) {
	u, err := url.Parse(c.url)
	if err != nil {
		return tableRow{}, err
	}
	parts := strings.Split(u.Hostname(), ".")
	slices.Reverse(parts)
	part := func(i int) *string {
		if i >= len(parts) {
			return nil
		}
		return &parts[i]
	}
	registered, reversed, mime := parts[1]+"."+parts[0], strings.Join(parts, "."), "text/html"
	row := tableRow{SURT: surt(c.url), URL: c.url, HostName: u.Hostname(), TLD: part(0), SecondLast: part(1), ThirdLast: part(2), FourthLast: part(3), FifthLast: part(4),
		RegistrySuffix: part(0), RegisteredDomain: &registered, PrivateSuffix: part(0), PrivateDomain: &registered, Reversed: &reversed,
		Protocol: u.Scheme, Path: u.Path, FetchTime: c.when, FetchStatus: int16(c.status), Digest: &c.digest, MIMEType: &mime, MIMEDetected: &mime,
		Filename: c.filename, Offset: int32(c.offset), Length: int32(c.length), Segment: strings.Split(c.filename, "/")[3]}
	if u.RawQuery != "" {
		row.Query = &u.RawQuery
	}
	if c.location != "" {
		row.FetchRedirect = &c.location
	}
	if c.page != nil {
		charset, language := "UTF-8", "eng"
		row.Charset, row.Languages = &charset, &language
	}
	return row, nil
}
