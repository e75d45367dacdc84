package main

// The scripts of deploy/: what can be checked without a cluster, and the bash loop for real.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"mmc4/internal/demo"
	"mmc4/internal/storage"
	"mmc4/pipeline"
)

const mainEnv = "MMC4_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestSlicesScript builds the demo's web with one process, then with deploy/slices.sh: five slices, of which one of every
// stage is killed twice where it lives long enough. The product must be the same.
func TestSlicesScript(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "mmc4")
	// The second slice of every stage dies by SIGKILL at its first two attempts.
	wrapper := fmt.Sprintf(`#!/usr/bin/env bash
export %s=1
case "$*" in
*"--slice 2/5")
    deaths=%s/deaths-$(echo "$*" | sed 's/.*--stage \([a-z]*\).*/\1/')
    echo x >>"$deaths"
    case $(wc -l <"$deaths") in
    1) %[3]s "$@" & sleep 0.05; kill -KILL $!; wait $! ;;
    2) %[3]s "$@" & sleep 0.15; kill -KILL $!; wait $! ;;
    *) exec %[3]s "$@" ;;
    esac ;;
*) exec %[3]s "$@" ;;
esac
`, mainEnv, dir, os.Args[0])
	if err := os.WriteFile(program, []byte(wrapper), 0o777); err != nil {
		t.Fatal(err)
	}
	sliced := filepath.Join(dir, "sliced")
	var words strings.Builder
	_, err := demo.Run(t.Context(), demo.RunOptions{Dir: filepath.Join(dir, "demo"), Seed: 5, Pages: 24}, func(ctx context.Context, b demo.Build) error {
		arguments := []string{"build", "--clip", "demo", "--workers", "1", "--contact", b.Contact}
		for flag, values := range map[string][]string{"--c4": b.C4, "--wat": b.WAT, "--connect-to": b.ConnectTo} {
			for _, v := range values {
				arguments = append(arguments, flag, v)
			}
		}
		whole := exec.CommandContext(ctx, os.Args[0], append(arguments, "--out", b.Out)...)
		whole.Env = append(os.Environ(), mainEnv+"=1")
		if out, err := whole.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		script := exec.CommandContext(ctx, "bash", append([]string{"../../deploy/slices.sh", "5", program}, append(arguments, "--out", sliced)...)...)
		if out, err := script.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return sameFiles(t, b.Out, sliced, "docs", "rejects")
	}, &words)
	if err != nil {
		t.Fatal(err)
	}
	twice := 0 // a stage may be through before it is killed
	for _, stage := range pipeline.Stages {
		if tried, err := os.ReadFile(filepath.Join(dir, "deaths-"+stage)); err == nil && strings.Count(string(tried), "x") == 3 {
			twice++
		}
	}
	if twice == 0 {
		t.Error("no slice died twice")
	}
	t.Logf("of %d stages a slice was killed twice", twice)
}

// sameFiles compares all files in some folders of two runs.
func sameFiles(t *testing.T, a, b string, folders ...string) error {
	for _, folder := range folders {
		files := [2]map[string]string{{}, {}}
		for i, run := range []string{a, b} {
			store := storage.NewFolder(run)
			for info, err := range store.List(t.Context(), folder+"/") {
				if err != nil {
					return err
				}
				data, err := storage.ReadFile(t.Context(), store, info.Name)
				if err != nil {
					return err
				}
				files[i][info.Name] = string(data)
			}
		}
		if len(files[0]) == 0 || !reflect.DeepEqual(files[0], files[1]) {
			t.Errorf("%s: the two runs differ", folder)
		}
	}
	return nil
}

// TestDeploy looks at the templates and at what run.sh and submit.sh make of them, with kubectl, sbatch and aws that only
// write down what they were told.
func TestDeploy(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	deploy, err := filepath.Abs("../../deploy")
	if err != nil {
		t.Fatal(err)
	}
	stages := strings.Join(pipeline.Stages, " ")
	for _, script := range []string{"slices.sh", "slurm/submit.sh", "kubernetes/run.sh", "aws-batch/submit.sh"} {
		if text, err := os.ReadFile(filepath.Join(deploy, script)); err != nil || !strings.Contains(string(text), "${STAGES:-"+stages+"}") {
			t.Errorf("%s does not run the stages %s: %v", script, stages, err)
		}
	}
	bin := t.TempDir()
	for name, text := range map[string]string{
		"sbatch":  `echo "$@" >>"$0.log"; echo "$#;cluster"`,
		"aws":     `printf '%s\n' "$@" >>"$0.log"; echo job-1`,
		"kubectl": `[ "$1" = apply ] && cat >>"$0.log" && echo --- >>"$0.log"; case "$*" in *Failed*) exec sleep 60;; esac`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	run := func(script string, arguments ...string) string {
		c := exec.Command("bash", append([]string{filepath.Join(deploy, script)}, arguments...)...)
		c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		log, _ := os.ReadFile(filepath.Join(bin, map[string]string{"slurm/submit.sh": "sbatch", "kubernetes/run.sh": "kubectl", "aws-batch/submit.sh": "aws"}[script]+".log"))
		return string(log)
	}
	lines := strings.Split(strings.TrimSpace(run("slurm/submit.sh", "8", "--c4", "x")), "\n")
	if len(lines) != len(pipeline.Stages) || strings.Contains(lines[0], "--dependency") {
		t.Errorf("%q", lines)
	}
	for i, line := range lines {
		if !strings.Contains(line, "--array=1-8") || !strings.Contains(line, "STAGE="+pipeline.Stages[i]+" ") || i > 0 && !strings.Contains(line, "--dependency=afterok:") {
			t.Error(line)
		}
	}
	checkJobs(t, run("kubernetes/run.sh", "7"))
	checkBatch(t, deploy, run("aws-batch/submit.sh", "queue", "9", "--c4", `s3://b/"c4"/*.gz`))
}

func checkJobs(t *testing.T, applied string) {
	documents := strings.Split(strings.TrimSuffix(applied, "---\n"), "---\n")
	if len(documents) != len(pipeline.Stages) {
		t.Fatalf("%d jobs", len(documents))
	}
	for i, text := range documents {
		var job struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct{ Name string }
			Spec       struct {
				CompletionMode           string `yaml:"completionMode"`
				Completions, Parallelism int
				Template                 struct {
					Spec struct {
						RestartPolicy string `yaml:"restartPolicy"`
						Containers    []struct {
							Env []struct{ Name, Value string }
						}
					}
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &job); err != nil {
			t.Fatal(err)
		}
		s := job.Spec
		env := s.Template.Spec.Containers[0].Env
		if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Metadata.Name != "mmc4-"+pipeline.Stages[i] || s.CompletionMode != "Indexed" ||
			s.Completions != 7 || s.Parallelism != 7 || s.Template.Spec.RestartPolicy != "Never" || env[0].Value != pipeline.Stages[i] || env[1].Value != "7" {
			t.Errorf("%+v", job)
		}
	}
}

func checkBatch(t *testing.T, deploy, told string) {
	data, err := os.ReadFile(filepath.Join(deploy, "aws-batch", "job-definition.json"))
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Name       string `json:"jobDefinitionName"`
		Parameters map[string]string
	}
	if err := json.Unmarshal(data, &definition); err != nil || definition.Name != "mmc4-stage" {
		t.Fatal(err)
	}
	jobs := 0
	for line := range strings.Lines(told) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var p map[string]string
		if err := json.Unmarshal([]byte(line), &p); err != nil || p["stage"] != pipeline.Stages[jobs] || p["slices"] != "9" || p["arguments"] != `--c4 s3://b/"c4"/*.gz` {
			t.Errorf("%s: %v", line, err)
		}
		for name := range p {
			if definition.Parameters[name] == "" {
				t.Errorf("the job definition has no parameter %s", name)
			}
		}
		jobs++
	}
	if jobs != len(pipeline.Stages) || strings.Count(told, "jobId=job-1") != jobs-1 || strings.Count(told, "size=9") != jobs {
		t.Errorf("%d jobs in\n%s", jobs, told)
	}
}
