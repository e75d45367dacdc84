package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"mmc4/crawl/fetch"
	"mmc4/models/clip"
	"mmc4/pipeline"
	page "mmc4/pipeline/report"
)

type buildCmd struct {
	common
	C4       []string `name:"c4" help:"C4 documents: .json, .json.gz or .json.zst; paths, s3:// or https://, with wildcards." placeholder:"GLOB" sep:"none"`
	WAT      []string `name:"wat" help:"WAT files of the crawl, or a .paths.gz listing of them." placeholder:"GLOB" sep:"none"`
	Index    []string `name:"index" help:"Instead of WAT files: parts of the crawl's index (columnar .parquet or cdx-*.gz), or a .paths.gz listing; pages are read from WARC files by ranges." placeholder:"GLOB" sep:"none"`
	Pairs    []string `name:"pairs" help:"Instead of documents: lists of image URLs and captions (.parquet, .jsonl, .csv, .tsv), to be made pair shards." placeholder:"GLOB" sep:"none"`
	WARCBase string   `name:"warc-base" help:"Where the names of a .paths.gz listing, and those of WARC files in an index, begin." placeholder:"URL"`
	Out      string   `help:"The run: a folder or s3://bucket/prefix. An unfinished run goes on." placeholder:"RUN" required:""`
	From     string   `help:"An earlier run of the same inputs: its work is taken over as far as changed settings allow." placeholder:"RUN"`

	CLIP       string `name:"clip" help:"The CLIP model: demo (small, inside the program) or a folder with config, weights and tokenizer." placeholder:"demo|DIR"`
	Profile    string `help:"Rules and limits: mmc4, or a YAML file." default:"mmc4" placeholder:"mmc4|FILE"`
	Candidates string `help:"Which images of a page: src (img@src) or all." placeholder:"src|all"`
	NSFW       string `name:"nsfw" help:"Weights of an NSFW head on CLIP features; without them the rule is off." placeholder:"PATH"`
	Faces      string `help:"Weights of a face probe on CLIP features; without them the rule is off." placeholder:"PATH"`
	Images     string `help:"What becomes of the pictures: bytes (in docs), files (RUN/files) or none." placeholder:"bytes|files|none"`
	Resize     string `help:"Shrink stored pictures: mmc4 (longest side 800), none, or a side in pixels." placeholder:"mmc4|none|N"`
	Parts      int    `help:"Files of each table (the number of C4 files unless told)." placeholder:"N"`

	ConnectTo []string `name:"connect-to" help:"Connect to ADDR:PORT instead of HOST:PORT, as curl does; HOST may be *." placeholder:"HOST:PORT:ADDR:PORT"`
	Proxy     string   `help:"Fetch images through this proxy." placeholder:"URL"`
	Contact   string   `help:"Who runs this: an address or URL for the User-Agent." placeholder:"EMAIL|URL"`
	Offline   bool     `help:"Ask no image server; use the outcomes that were recorded."`

	Stage string `help:"Only this stage; those before it must be complete." placeholder:"NAME"`
	Slice string `help:"Only the I-th of N shares of the stage's tasks." placeholder:"I/N"`
	Clean bool   `help:"Remove RUN/work when the run is complete."`

	AllowProfileChange bool `help:"Go on although the device, instruction set or decoders differ from those the run began with."`

	Config  string   `help:"YAML with any of the keys of --set." placeholder:"FILE" type:"existingfile"`
	Set     []string `help:"One setting, such as match.min_similarity=0.2." placeholder:"KEY=VALUE" sep:"none"`
	Device  string   `help:"Where CLIP runs: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
	DType   string   `name:"dtype" help:"What CLIP computes in: fp32, bf16 or int8. A run keeps to one." default:"fp32" enum:"fp32,bf16,int8"`
	Workers int      `help:"Tasks at a time (the number of CPUs unless told)." placeholder:"N"`
	Memory  string   `help:"What to stay within, model weights on top." default:"2GiB" placeholder:"SIZE"`
}

func (buildCmd) Help() string {
	return `Joins C4 documents with the pages they came from, fetches the pages' images politely, leaves out what the profile's rules say,
scores images against sentences with CLIP, assigns each image its sentence, and writes RUN/docs, RUN/rejects, RUN/images and
RUN/report.html. The same command goes on after an interruption.

Example:
  mmc4 build --c4 'c4/en/*.json.gz' --wat 'crawl-data/*/segments/*/wat/*.wat.gz' --clip ViT-L-14/ \
      --contact you@example.org --out run

With --index instead of --wat it looks the pages up and reads only them; --candidates all then also finds srcset, <picture> and lazy-load:
  mmc4 build --c4 'c4/en/*.json.gz' --index cc-index-table.paths.gz --warc-base https://data.commoncrawl.org/ \
      --candidates all --clip ViT-L-14/ --contact you@example.org --out run

With --pairs it fetches a list of image URLs and captions, and writes RUN/pairs (Parquet) and RUN/webdataset (tars):
  mmc4 build --pairs 'laion/*.parquet' --resize 256 --contact you@example.org --out run`
}

func (c *buildCmd) Run(ctx context.Context, o *output) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if c.CLIP != "" && (c.Stage == "" || c.Stage == "embed") {
		model, dev, err := openCLIP(ctx, c.CLIP, c.Device, clip.Options{DType: dtypes[c.DType]})
		if err != nil {
			return err
		}
		defer dev.Close()
		defer model.Close()
		if cfg.Embedder, err = pipeline.NewEmbedder(model, dev, dtypes[c.DType]); err != nil {
			return err
		}
	}
	return build(ctx, o, c.JSON, cfg)
}

// build runs a build, writes its report and says how it went.
func build(ctx context.Context, o *output, asJSON bool, cfg pipeline.Config) error {
	progress := newProgress(o, asJSON)
	cfg.Finish = page.Write // before --clean removes what it shows of the pictures that were left out
	summary, err := pipeline.Build(ctx, cfg, progress)
	progress.close()
	if err != nil && !errors.Is(err, pipeline.ErrPartial) {
		return err
	}
	if sayErr := o.record(asJSON, summary, inWords(summary)); sayErr != nil {
		return sayErr
	}
	return err
}

// inWords is a summary for people.
func inWords(s pipeline.Summary) string {
	if !s.Complete {
		return fmt.Sprintf("done with this share of %s; the run is complete when all stages are", s.Run)
	}
	words := fmt.Sprintf("%d documents with %d images in %s", s.Documents, s.Images, s.Run)
	if s.OverPairs {
		words = fmt.Sprintf("%d pairs in %s", s.Pairs, s.Run)
	}
	for _, off := range s.Off {
		words += "\noff: " + off
	}
	return words + "\nmmc4 explain " + s.Run + " tells where the others went; " + strings.TrimSuffix(s.Run, "/") + "/report.html shows it"
}

// config turns flags into what the pipeline takes.
func (c *buildCmd) config() (pipeline.Config, error) {
	settings, err := c.settings()
	if err != nil {
		return pipeline.Config{}, err
	}
	cfg := pipeline.Config{
		C4: c.C4, WAT: c.WAT, Index: c.Index, Pairs: c.Pairs, WARCBase: c.WARCBase, Out: c.Out, From: c.From,
		Settings: settings, NSFW: c.NSFW, Faces: c.Faces, ClipName: c.CLIP,
		Workers: c.Workers, Version: version, Stage: c.Stage,
		Offline: c.Offline, Clean: c.Clean, AllowProfileChange: c.AllowProfileChange,
		Fetch: fetch.Options{Contact: c.Contact},
	}
	if cfg.Memory, err = parseSize(c.Memory); err != nil {
		return cfg, usagef("--memory %s: %v", c.Memory, err)
	}
	if c.Slice != "" {
		if n, err := fmt.Sscanf(c.Slice, "%d/%d", &cfg.Slice, &cfg.Slices); n != 2 || err != nil {
			return cfg, usagef("--slice %s: it must be I/N, such as 3/16", c.Slice)
		}
	}
	for _, rule := range c.ConnectTo {
		r, err := fetch.ParseConnectTo(rule)
		if err != nil {
			return cfg, usagef("--connect-to: %v", err)
		}
		cfg.Fetch.ConnectTo = append(cfg.Fetch.ConnectTo, r)
	}
	if c.Proxy != "" {
		if cfg.Fetch.Proxy, err = url.Parse(c.Proxy); err != nil {
			return cfg, usagef("--proxy: %v", err)
		}
	}
	return cfg, nil
}

// settings are the profile's, then the config file's, then --set's, then those with flags of their own.
func (c *buildCmd) settings() (pipeline.Settings, error) {
	s := pipeline.DefaultSettings()
	for _, file := range []string{c.Profile, c.Config} {
		if file == "" || file == s.Profile {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return s, usageError{err}
		}
		if err := s.LoadSettings(data, file); err != nil {
			return s, err
		}
	}
	for _, assignment := range c.Set {
		if err := s.Set(assignment); err != nil {
			return s, err
		}
	}
	for _, f := range []struct {
		flag string
		to   *string
	}{{c.Candidates, &s.Candidates}, {c.Images, &s.Images}, {c.Resize, &s.Resize}} {
		if f.flag != "" {
			*f.to = f.flag
		}
	}
	if c.Parts > 0 {
		s.Parts = c.Parts
	}
	return s, nil
}
