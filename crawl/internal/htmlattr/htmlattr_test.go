package htmlattr

import "testing"

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a&amp;b": "a&b", "a&ampb": "a&ampb", "a&amp=b": "a&amp=b", "&copy=1": "&copy=1", "&copy;": "©", "&copy 1": "© 1",
		`"&#34;'`: `""'`, "&#128;": "€", "&#x110000;": "\ufffd", "a\r\nb\rc": "a\nb\nc", "&amp;amp;": "&amp;", "&": "&", "&#": "&#", "&notit;": "&notit;", ">&gt;<": ">><",
	} {
		if got := Unescape(in); got != want {
			t.Errorf("Unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"a&amp;b&#038;c & d&", "&lt;&gt;&quot;&nbsp;x&#39;", "&#;&#1;&#x41;&amp", "&copy;&notit;&ampx;", "&#0000065;\r", "\x00&amp;\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := Unescape(s); got != reference(s) {
			t.Errorf("%q: %q, want %q", s, got, reference(s))
		}
	})
}
