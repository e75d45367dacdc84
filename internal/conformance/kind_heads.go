package conformance

import (
	"context"
	"fmt"
	"path/filepath"

	"mmc4/dedup"
	"mmc4/models/weights"
)

func init() {
	register("nsfw.head", checkHead)
	register("face.probe", checkHead)
}

// checkHead scores features with the weights of both files, which must agree.
func checkHead(ctx context.Context, env *Env, c *Case, r *Report) error {
	var file struct{ Config struct{ Layout string } }
	if err := c.Decode(&file); err != nil {
		return err
	}
	tensors, err := c.Tensors()
	if err != nil {
		return err
	}
	defer tensors.Close()
	in, err := tensors.Want("in.features", -1, -1)
	if err != nil {
		return err
	}
	features, err := in.Float32()
	if err != nil {
		return err
	}
	rows := make([][]float32, in.Shape[0])
	for i := range rows {
		rows[i] = features[i*in.Shape[1]:][:in.Shape[1]]
	}
	want, err := tensors.Float32("out.score")
	if err != nil {
		return err
	}
	torch, err := weights.Open(ctx, c.Path("weights.pt"))
	if err != nil {
		return err
	}
	defer torch.Close()
	dump := env.DumpOf(c)
	for _, source := range []struct {
		file   *weights.File
		prefix string
	}{{tensors, "w."}, {torch, ""}} {
		head, err := dedup.ReadHead(source.file, source.prefix)
		if err != nil {
			return err
		}
		r.Equal(filepath.Base(source.file.Path)+": layout", head.Layout, file.Config.Layout)
		got, err := head.Scores(rows)
		if err != nil {
			return err
		}
		r.Close(fmt.Sprintf("out.score (%s)", filepath.Base(source.file.Path)), got, want, c.Tolerance("out.score"))
		if source.file == tensors {
			dump.Float32("out.score", got, len(got))
		}
	}
	return dump.Close()
}
