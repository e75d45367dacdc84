package mini

// ImageNet as it is downloaded: a tar of tars to train on, and a flat tar to validate with, whose classes stand in a list of numbers.

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mmc4/internal/imaging"
)

// WriteImageNet writes ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar, ILSVRC2012_validation_ground_truth.txt, map_clsloc.txt (the
// WNIDs of the numbers, which are not in the order of the WNIDs) and classnames.txt below root: the pictures of Write's imagenet.
func WriteImageNet(root string) error {
	numbers := [3]int{3, 1, 2} // by class
	names := [3]string{"red thing", "green thing", "blue thing"}
	wnid := func(class int) string { return fmt.Sprintf("n%08d", class) }
	var train [3]bundle
	var val bundle
	var truth, synsets, classnames bytes.Buffer
	for i := range Training + Tests {
		var b bytes.Buffer
		if err := imaging.EncodeJPEG(&b, shapeOf(i).draw(i), 90); err != nil {
			return err
		}
		if i < Training {
			train[i%3].add(fmt.Sprintf("%s_%d.JPEG", wnid(i%3), i), b.Bytes())
			continue
		}
		val.add(fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", i-Training+1), b.Bytes())
		fmt.Fprintln(&truth, numbers[i%3])
	}
	var all bundle
	for class := range train {
		all.add(wnid(class)+".tar", train[class].close())
		fmt.Fprintf(&synsets, "%s %d %s\n", wnid(class), numbers[class], names[class][:3])
		fmt.Fprintln(&classnames, names[class])
	}
	err := os.MkdirAll(root, 0o755)
	for name, data := range map[string][]byte{"ILSVRC2012_img_train.tar": all.close(), "ILSVRC2012_img_val.tar": val.close(),
		"ILSVRC2012_validation_ground_truth.txt": truth.Bytes(), "map_clsloc.txt": synsets.Bytes(), "classnames.txt": classnames.Bytes()} {
		err = errors.Join(err, os.WriteFile(filepath.Join(root, name), data, 0o644))
	}
	return err
}

// bundle is a tar in memory.
type bundle struct {
	data bytes.Buffer
	w    *tar.Writer
}

// add writes a member; a tar in memory does not fail.
func (b *bundle) add(name string, data []byte) {
	if b.w == nil {
		b.w = tar.NewWriter(&b.data)
	}
	b.w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, Typeflag: tar.TypeReg})
	b.w.Write(data)
}

func (b *bundle) close() []byte {
	b.w.Close()
	return b.data.Bytes()
}
