package weburl

// SURT is the key under which Common Crawl's indexes sort a URL: "com,example)/path?query".
func SURT(url string) string { return "" }
