package storage

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.json", "a.json", true},
		{"*.json", "d/a.json", false},
		{"**/*.json", "a.json", true},
		{"**/*.json", "d/e/a.json", true},
		{"d/**", "d/e/a.json", true},
		{"d/**", "d", true},
		{"**/**/a", "x/y/a", true},
		{"d/*/a?.[ab]", "d/e/a1.b", true},
		{"d/*/a?.[ab]", "d/e/a1.c", false},
		{"c4-train.0000[0-3]-of-*", "c4-train.00002-of-00512", true},
		{"", "", true},
	} {
		if got, err := match(c.pattern, c.name); got != c.want || err != nil {
			t.Errorf("match(%q, %q) = %v, %v", c.pattern, c.name, got, err)
		}
	}
}

func TestRoot(t *testing.T) {
	for location, want := range map[string][2]string{
		"https://a.test/b/c%20d.png": {"https://a.test", "b/c d.png"}, "http://sa.test:80/b%": {"http://sa.test:80", "b%"},
		"s3://bucket/b/c%20d.png":      {"s3://bucket", "b/c%20d.png"}, // keys are plain
		"https://a.test/b?signature=1": {}, "https://a.test/": {}, "https://a.test": {}, "a/b": {}, "/a/b": {},
	} {
		root, name, ok := Root(location)
		if got := [2]string{root, name}; got != want || ok != (want != [2]string{}) {
			t.Errorf("%s: %q, %v", location, got, ok)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("**/a*[", "x/a")
	f.Add("**/**/**/**/**/*", "a/b/c/d/e/f/g")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 60 || len(name) > 60 || strings.Count(pattern, "**") > 4 {
			return
		}
		ok, _ := match(pattern, name)
		if !hasWildcards(pattern) && !strings.Contains(pattern, `\`) && ok != (pattern == name) {
			t.Errorf("match(%q, %q) = %v", pattern, name, ok)
		}
	})
}

func TestGlob(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"c4/a.json.gz", "c4/b.json.gz", "c4/notes.txt", "wat/x/1.wat.gz", "wat/y/2.wat.gz", "wat/y/z/3.wat.gz", "odd/a[1].gz", "odd/.mmc4-unfinished/x.gz"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		os.MkdirAll(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	for pattern, want := range map[string][]string{
		"c4/*.json.gz":     {"c4/a.json.gz", "c4/b.json.gz"},
		"c4/a.json.gz":     {"c4/a.json.gz"},
		"c4/[b-z].json.gz": {"c4/b.json.gz"},
		"wat/*/*.wat.gz":   {"wat/x/1.wat.gz", "wat/y/2.wat.gz"},
		"wat/**/*.wat.gz":  {"wat/x/1.wat.gz", "wat/y/2.wat.gz", "wat/y/z/3.wat.gz"},
		"wat/y/**":         {"wat/y/2.wat.gz", "wat/y/z/3.wat.gz"},
		"none/*":           nil,
		"odd/a[1].gz":      {"odd/a[1].gz"},
		"**/*.gz":          {"c4/a.json.gz", "c4/b.json.gz", "odd/a[1].gz", "wat/x/1.wat.gz", "wat/y/2.wat.gz", "wat/y/z/3.wat.gz"},
		"./c4/../c4/a*":    {"c4/a.json.gz"},
	} {
		for _, relative := range []bool{false, true} {
			full := dir + "/" + pattern
			if relative {
				t.Chdir(dir)
				full = pattern
			}
			refs, err := Glob(ctx, full, Options{})
			if err != nil {
				t.Errorf("%s: %v", full, err)
			}
			var got []string
			for _, r := range refs {
				got = append(got, strings.TrimPrefix(r.Location(), dir+"/"))
				if r.Size != int64(len(got[len(got)-1])) {
					t.Errorf("%s: size %d", r.Location(), r.Size)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", full, got, want)
			}
		}
	}
	if _, err := Glob(ctx, dir+"/c4/missing.gz", Options{}); !errors.Is(err, ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
	for _, bad := range []string{"", dir + "/c4/[a", "ftp://host/x", "s3://", dir + "/c4/"} {
		if refs, err := Glob(ctx, bad, Options{}); err == nil {
			t.Errorf("%q gives %v", bad, refs)
		}
	}
}

func TestGlobHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/some dir/list.gz" || r.URL.RawQuery != "sig=a%2Fb" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte("12345"))
	}))
	defer server.Close()
	ctx := context.Background()
	refs, err := Glob(ctx, server.URL+"/some%20dir/list.gz?sig=a%2Fb", Options{})
	if err != nil || len(refs) != 1 || refs[0].Size != 5 || refs[0].Name != "list.gz" {
		t.Fatalf("got %+v, %v", refs, err)
	}
	if _, err := Glob(ctx, server.URL+"/other.gz", Options{}); !errors.Is(err, ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}
