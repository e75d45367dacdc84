// Command mmc4 builds Multimodal-C4 from Common Crawl, trains Flamingo-style models on it and measures them.
//
// One file a verb. A verb turns flags into one call of a package below and prints what comes back; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// program is the command line. Kong reads the grammar from the tags: the flags of a verb stand in its file, beside the
// code that uses them.
type program struct {
	Build      buildCmd      `cmd:"" help:"Build an interleaved corpus from C4 documents and a crawl."`
	Demo       demoVerb      `cmd:"" help:"Build from a little web that the program draws itself; train on it."`
	Verify     verifyCmd     `cmd:"" help:"Check a finished run: files, rows, rules, books."`
	Explain    explainCmd    `cmd:"" help:"Say where a run's documents and images went, and what to do."`
	Report     reportCmd     `cmd:"" help:"Write a run's report.html anew."`
	Train      trainCmd      `cmd:"" help:"Train a Flamingo, a CLIP, a language model or a linear head."`
	Eval       evalCmd       `cmd:"" help:"Measure a model on the in-context benchmark; score files of predictions."`
	Golden     goldenCmd     `cmd:"" help:"Check this build and device against results of the reference programs."`
	Bench      benchCmd      `cmd:"" help:"Measure this program against its peers."`
	Doctor     doctorCmd     `cmd:"" help:"Say what this machine offers, and what to do about what it lacks."`
	Embed      embedCmd      `cmd:"" help:"Turn pictures or sentences into CLIP features."`
	Generate   generateCmd   `cmd:"" help:"Continue a text with a language model."`
	FetchModel fetchModelCmd `cmd:"" help:"Bring a model from the Hugging Face hub into a folder."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	GPU        gpuVerbs      `embed:""`
}

// common are the flags every verb has.
type common struct {
	JSON bool `name:"json" help:"One JSON object a line on stdout; words for people go to stderr."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exited is how kong leaves after it has printed a help page.
type exited int

// run is main without the process: it returns the exit code.
func run(args []string, stdout, stderr *os.File) (code int) {
	defer func() {
		if p := recover(); p != nil {
			done, ok := p.(exited)
			if !ok {
				panic(p)
			}
			code = int(done)
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "--version": // which many would try first
		args = append([]string{"version"}, args[1:]...)
	}
	parser, err := kong.New(grammar(args[0]),
		kong.Name("mmc4"),
		kong.Description("Rebuild Multimodal-C4, train a Flamingo on it, measure it."),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&output{out: stdout, err: stderr}),
	)
	if err != nil {
		return report(stderr, err)
	}
	command, err := parser.Parse(spread(args))
	if err != nil {
		fmt.Fprintf(stderr, "mmc4: %v\nRun \"%s --help\" for what can be said.\n", err, asked(err))
		return exitUsage
	}
	err = command.Run()
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "mmc4: interrupted; what was committed is kept, the same command goes on")
		return exitInterrupted
	}
	return report(stderr, err)
}

// grammar is the program, or of it only the verb that is asked for: reading the tags of all verbs would be a good part of what
// starting takes.
func grammar(verb string) any {
	all := reflect.TypeFor[program]()
	for field := range all.Fields() {
		if _, isVerb := field.Tag.Lookup("cmd"); isVerb && strings.EqualFold(field.Name, verb) {
			return reflect.New(reflect.StructOf([]reflect.StructField{field})).Interface()
		}
	}
	return new(program)
}

// asked is the command that wrong usage was of, as far as it was understood.
func asked(err error) string {
	var wrong *kong.ParseError
	name := "mmc4"
	if errors.As(err, &wrong) {
		for _, part := range wrong.Context.Path {
			if part.Command != nil {
				name += " " + part.Command.Name
			}
		}
	}
	return name
}

// lists are the flags that take several values, as a shell leaves them when it has expanded a wildcard:
// --c4 a b c is --c4 a --c4 b --c4 c.
var lists = map[string]bool{"--c4": true, "--wat": true, "--index": true, "--pairs": true}

// spread repeats such a flag before each of its values.
func spread(args []string) (out []string) {
	list, values := "", 0
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "-"):
			name, _, hasValue := strings.Cut(arg, "=")
			list, values = "", 0
			if lists[name] {
				list = name
				if hasValue {
					values = 1
				}
			}
		case list != "":
			if values++; values > 1 {
				out = append(out, list)
			}
		}
		out = append(out, arg)
	}
	return out
}
