package pipeline

// What a build is told: inputs and place, settings that change what comes out, and means that do not.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime"
	"time"

	"mmc4/crawl/fetch"
	"mmc4/dedup"
	"mmc4/internal/storage"
)

// Config is everything that Build needs to know. The fields of the first two groups, and Settings but for its Network,
// belong to the run: a run that was begun with others is refused.
type Config struct {
	// Inputs: paths, s3:// or https:// locations with wildcards; a .paths or .paths.gz file is a list of names below
	// WARCBase, a line each.
	C4       []string
	WAT      []string
	Index    []string // instead of WAT: parts of a columnar or CDXJ index, whose WARC files lie below WARCBase
	Pairs    []string // lists of image URLs and captions, instead of C4 and a crawl
	WARCBase string
	Out      string // the run: a folder or an s3:// prefix
	From     string // an earlier run of the same inputs whose work is taken over as far as the settings allow; "" = none

	Settings Settings
	NSFW     string // weights of an NSFW head; "" = the rule is off
	Faces    string // weights of a face probe; "" = the rule is off

	// Embedder is needed by the embed stage; ClipName is what the user typed to get it.
	Embedder Embedder
	ClipName string

	Workers int    // tasks at a time; 0 = the number of CPUs
	Memory  int64  // bytes to stay within, model weights on top; 0 = 2 GiB
	Scratch string // folder for what is spilled; "" = the run's own folder if it is local, else the system's
	Version string // of the program

	Stage  string // "" = all; else one stage, whose forerunners must be complete
	Slice  int    // 1..Slices
	Slices int    // 0 = no slices

	Offline            bool // never ask the network; outcomes that were recorded are used
	Clean              bool // remove RUN/work when the run is complete
	AllowProfileChange bool

	// Finish writes one more file when all tables are complete: a report. The manifest, which is written after it and
	// names it, is given as it stands; Clean has not yet removed what a report may want to look at. May be nil.
	Finish func(ctx context.Context, run storage.Store, m *Manifest) (Output, error)

	Fetch   fetch.Options   // connections: contact, proxy, connect-to. Limits come from Settings
	Storage storage.Options // how remote stores are reached
}

// Settings are the keys of a configuration file and of --set.
type Settings struct {
	Profile    string            `yaml:"profile" json:"profile"` // the name of where the limits come from
	Dedup      dedup.DedupLimits `yaml:"dedup" json:"dedup"`
	Match      dedup.MatchLimits `yaml:"match" json:"match"`
	Candidates string            `yaml:"candidates" json:"candidates"` // src or all
	Images     string            `yaml:"images" json:"images"`         // bytes, files or none
	Resize     string            `yaml:"resize" json:"resize"`         // mmc4 (800), none, or the longest side in pixels
	Parts      int               `yaml:"parts" json:"parts"`           // files of each table; 0 = the number of C4 files
	Partitions int               `yaml:"partitions" json:"partitions"` // of the shuffles by page, host and hash
	MaxPixels  int64             `yaml:"max_pixels" json:"max_pixels"`
	Fetch      FetchLimits       `yaml:"fetch" json:"fetch"`
	Pairs      PairSettings      `yaml:"pairs" json:"pairs,omitzero"`
	Network    NetworkSettings   `yaml:"network" json:"-"`
}

// FetchLimits are the limits that outcomes speak of.
type FetchLimits struct {
	MaxBytes  int64 `yaml:"max_bytes" json:"max_bytes"`
	Redirects int   `yaml:"redirects" json:"redirects"`
	Attempts  int   `yaml:"attempts" json:"attempts"`
}

// NetworkSettings are manners and patience. They may be changed between two sessions of a run. Seconds.
type NetworkSettings struct {
	PerHost     int     `yaml:"per_host"`
	PerHostRate float64 `yaml:"per_host_rate"`
	Connections int     `yaml:"connections"`
	DNS         float64 `yaml:"dns_timeout"`
	Connect     float64 `yaml:"connect_timeout"`
	TLS         float64 `yaml:"tls_timeout"`
	FirstByte   float64 `yaml:"first_byte_timeout"`
	Stall       float64 `yaml:"stall_timeout"`
	Total       float64 `yaml:"total_timeout"`
}

// DefaultSettings are those of profile mmc4 and of the contract.
func DefaultSettings() Settings {
	p := dedup.MMC4()
	return Settings{
		Profile: p.Name, Dedup: p.Dedup, Match: p.Match,
		Candidates: "src", Images: "bytes", Resize: "mmc4", Partitions: 16, MaxPixels: 100_000_000,
		Fetch: FetchLimits{MaxBytes: 20 << 20, Redirects: 5, Attempts: 3},
		Network: NetworkSettings{PerHost: 2, PerHostRate: 10, Connections: 256, DNS: 5, Connect: 5, TLS: 5, FirstByte: 10,
			Stall: 10, Total: 60},
	}
}

// canonical is the JSON form of what belongs to the run, and its hash.
func (s *Settings) canonical() (json.RawMessage, string) {
	data, err := json.Marshal(s)
	if err != nil {
		data = []byte("{}") // cannot be: the fields are plain values
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

// limits is the profile as package dedup takes it.
func (s *Settings) limits() *dedup.Profile {
	return &dedup.Profile{Name: s.Profile, Dedup: s.Dedup, Match: s.Match}
}

// longestSide is the limit of --resize, 0 for none.
func (s *Settings) longestSide() int {
	side, _ := resizeSide(s.Resize)
	return side
}

func (c *Config) setDefaults() {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Memory <= 0 {
		c.Memory = 2 << 30
	}
	if len(c.Pairs) > 0 && (c.Embedder != nil || c.ClipName != "") {
		c.Settings.Pairs.Score = true
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Storage.UserAgent == "" {
		f := c.Fetch
		f.Version = c.Version
		c.Storage.UserAgent = f.UserAgent()
	}
}

// fetchOptions joins the connections of Config with the limits and manners of Settings.
func (c *Config) fetchOptions(memory int64) fetch.Options {
	o, n := c.Fetch, c.Settings.Network
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	o.Version = c.Version
	o.MaxBytes, o.Redirects, o.Attempts = c.Settings.Fetch.MaxBytes, c.Settings.Fetch.Redirects, c.Settings.Fetch.Attempts
	if o.Redirects == 0 {
		o.Redirects = -1
	}
	o.PerHost, o.PerHostRate, o.Connections = n.PerHost, n.PerHostRate, n.Connections
	o.DNSTimeout, o.ConnectTimeout, o.TLSTimeout = seconds(n.DNS), seconds(n.Connect), seconds(n.TLS)
	o.FirstByteTimeout, o.StallTimeout, o.TotalTimeout = seconds(n.FirstByte), seconds(n.Stall), seconds(n.Total)
	o.Memory = max(memory, 2*o.MaxBytes)
	return o
}
