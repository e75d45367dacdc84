package storage

// A store in a bucket of S3 or of a server that speaks like it.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

type s3Store struct {
	client         *s3.Client // tries a request once
	patient        *s3.Client // tries a request again by the policy; for writing
	bucket, prefix string     // prefix is "" or ends with /
}

func newS3(ctx context.Context, location string, o Options) (*s3Store, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if bucket == "" {
		return nil, fmt.Errorf("storage %s: no bucket: want s3://bucket/prefix", location)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix = path.Clean(prefix) + "/"
	}
	load := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}), // errors say what is wrong
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(tune)),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired), // ranges carry none
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Anonymous {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	if o.UserAgent != "" {
		load = append(load, config.WithAppID("mmc4"))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("storage %s: %w", location, err)
	}
	cfg.Region = cmp.Or(cfg.Region, "us-east-1")
	elsewhere := o.Endpoint != "" || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	server := func(s *s3.Options) {
		if o.Endpoint != "" {
			s.BaseEndpoint = aws.String(o.Endpoint)
		}
		s.UsePathStyle = o.PathStyle || elsewhere
		s.Retryer = aws.NopRetryer{} // Retry tries reads again
	}
	return &s3Store{
		client: s3.NewFromConfig(cfg, server), patient: s3.NewFromConfig(cfg, server, o.retry().withDefaults().inSDK),
		bucket: bucket, prefix: prefix,
	}, nil
}

// inSDK makes the SDK repeat requests by our policy, without its own quota of repetitions.
func (p RetryPolicy) inSDK(o *s3.Options) {
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts = p.Attempts
		r.RateLimiter = ratelimit.None
		r.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) { return p.wait(attempt), nil })
	})
}

func (s *s3Store) Location(name string) string { return "s3://" + s.bucket + "/" + s.prefix + name }

func (s *s3Store) key(name string) *string { return aws.String(s.prefix + name) }

func (s *s3Store) Stat(ctx context.Context, name string) (Info, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return Info{}, failed(s, "stat", name, err)
	}
	head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.key(name)})
	if err != nil {
		return Info{}, failed(s, "stat", name, plain(err))
	}
	return Info{name, aws.ToInt64(head.ContentLength), aws.ToTime(head.LastModified), aws.ToString(head.ETag)}, nil
}

func (s *s3Store) Open(ctx context.Context, name string) (Object, error) {
	info, err := s.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	return &s3Object{ctx, s, info}, nil
}

func (s *s3Store) Remove(ctx context.Context, name string) error {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return failed(s, "remove", name, err)
	}
	_, err := s.patient.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.key(name)})
	if err = plain(err); errors.Is(err, ErrNotExist) {
		return nil
	}
	return failed(s, "remove", name, err)
}

func (s *s3Store) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: s.key(prefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Info{}, failed(s, "list", prefix, plain(err)))
				return
			}
			for _, o := range page.Contents {
				name := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
				if checkName(name) != nil {
					continue // a folder's mark, or what this program cannot name
				}
				if !yield(Info{name, aws.ToInt64(o.Size), aws.ToTime(o.LastModified), aws.ToString(o.ETag)}, nil) {
					return
				}
			}
		}
	}
}

type s3Object struct {
	ctx   context.Context
	store *s3Store
	info  Info
}

func (o *s3Object) Info() Info   { return o.info }
func (o *s3Object) Close() error { return nil }

func (o *s3Object) ReadAt(b []byte, off int64) (int, error) {
	if off >= o.info.Size {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	want := b[:min(int64(len(b)), o.info.Size-off)]
	in := &s3.GetObjectInput{
		Bucket: &o.store.bucket, Key: o.store.key(o.info.Name),
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(want))-1)),
	}
	if o.info.ETag != "" {
		in.IfMatch = &o.info.ETag
	}
	answer, err := o.store.client.GetObject(o.ctx, in)
	if err != nil {
		if err = plain(err); statusOf(err) == 412 {
			err = errChanged
		}
		return 0, failed(o.store, "read", o.info.Name, err)
	}
	defer answer.Body.Close()
	if tag := aws.ToString(answer.ETag); tag != o.info.ETag {
		return 0, failed(o.store, "read", o.info.Name, errChanged)
	}
	n, err := io.ReadFull(answer.Body, want)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && len(want) < len(b) {
		return n, io.EOF
	}
	return n, failed(o.store, "read", o.info.Name, err)
}

const howCredentials = "they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from AWS_PROFILE, or from the machine's role"

// plain turns the SDK's errors into this package's.
func plain(err error) error {
	if err == nil {
		return nil
	}
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 { // no answer came
		var request *url.Error
		switch {
		case strings.Contains(err.Error(), "get credentials"):
			return fmt.Errorf("no credentials: %s (%w)", howCredentials, err)
		case errors.As(err, &request):
			return fmt.Errorf("no answer (the variable AWS_ENDPOINT_URL says which server is asked, AWS_REGION where): %w", request)
		}
		return err
	}
	text := fmt.Sprint(answer.HTTPStatusCode())
	var api smithy.APIError
	if errors.As(err, &api) {
		text = strings.TrimSpace(text + " " + api.ErrorCode() + " " + api.ErrorMessage())
		if code := api.ErrorCode(); code == "NoSuchBucket" {
			return &StatusError{Code: 404, Text: text}
		}
	}
	switch answer.HTTPStatusCode() {
	case 404:
		return ErrNotExist
	case 301:
		text += ": the bucket is in another region; the variable AWS_REGION says which is asked"
	case 401, 403:
		text += ": it is refused to whoever the credentials are of; " + howCredentials
	case 200, 206: // an error in the middle of an answer
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	return &StatusError{Code: answer.HTTPStatusCode(), Text: text}
}
