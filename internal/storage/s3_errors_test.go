package storage

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestS3Errors: what the SDK says becomes what is wrong and where to set it right.
func TestS3Errors(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "who")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	status := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	stat := func(endpoint string) string {
		store, err := Open(t.Context(), "s3://bucket/folder", Options{Endpoint: endpoint, Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Stat(t.Context(), "name")
		if err == nil {
			t.Fatal("no error")
		}
		return err.Error()
	}
	for code, want := range map[int]string{403: "AWS_ACCESS_KEY_ID", 401: "AWS_PROFILE", 301: "AWS_REGION", 404: "not exist"} {
		status = code
		if got := stat(server.URL); !strings.HasPrefix(got, "stat s3://bucket/folder/name: ") || !strings.Contains(got, want) {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
	server.Close()
	if got := stat(server.URL); !strings.Contains(got, "no answer") || !strings.Contains(got, "AWS_ENDPOINT_URL") || strings.Contains(got, "RequestID") {
		t.Error(got)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	if got := stat(server.URL); !strings.Contains(got, "no credentials") || !strings.Contains(got, "AWS_ACCESS_KEY_ID") {
		t.Error(got)
	}
}
