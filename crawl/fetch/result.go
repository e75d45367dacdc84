package fetch

// What became of a URL.

import (
	"strconv"
	"time"
)

// Outcome is one word of the contract; docs/fetch.md says what each means.
type Outcome string

// The outcomes. http_NNN is made by HTTP.
const (
	OK              Outcome = "ok"
	OptOut          Outcome = "opt_out"
	Robots          Outcome = "robots"
	Timeout         Outcome = "timeout"
	TooLarge        Outcome = "too_large"
	TooManyPixels   Outcome = "too_many_pixels" // never given by the fetcher
	NotImage        Outcome = "not_image"
	DecodeError     Outcome = "decode_error" // never given by the fetcher
	Truncated       Outcome = "truncated"
	Empty           Outcome = "empty"
	RedirectLoop    Outcome = "redirect_loop"
	RedirectRefused Outcome = "redirect_refused"
	ProtocolError   Outcome = "protocol_error"
	Reset           Outcome = "reset"
	TLS             Outcome = "tls"
	DNS             Outcome = "dns"
	Connect         Outcome = "connect"
)

// HTTP is the outcome of an answer that is neither a picture nor a redirect: http_404, ...
func HTTP(status int) Outcome { return Outcome("http_" + strconv.Itoa(status)) }

// Result is what became of one URL. Strings are "" and numbers 0 where nothing is known.
type Result struct {
	URL          string // as it was given
	Outcome      Outcome
	HTTPStatus   int       // of the last answer, to this URL or to one it redirects to
	Attempts     int       // how often the URL was tried (a try can end before a request: robots, dns, ...); 0 when its host was given up
	FinalURL     string    // the URL that was asked last, after redirects; WHATWG-serialised, without fragment
	MediaType    string    // of a picture by its first bytes, else what the header says
	Size         int64     // of the body, unpacked, as far as it came; of one that was refused by its length, that length
	ETag         string    // as the server gave it
	LastModified string    // Last-Modified, as the server gave it
	FetchedAt    time.Time // UTC, when the outcome was known
	Detail       string    // why, for people
	Body         []byte    // the bytes of an ok, else nil

	viaProxy bool // a proxy was asked
}
