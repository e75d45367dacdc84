package task

// ImageNet: pictures whose class is that of the folder they lie in, and the official validation set, where all lie together and the
// development kit lists their classes.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mmc4/eval/formats"
	"mmc4/eval/pictures"
)

// readFolder reads one folder, or one tar, a class, as ImageNet has them.
func readFolder(ctx context.Context, place pictures.Place, s Split, classes []string) ([]Sample, error) {
	names, err := place.Names(ctx, s.Images)
	if err != nil {
		return nil, err
	}
	root := strings.Trim(path.Clean(s.Images), "/") + "/"
	var out []Sample
	var folders []string
	for _, name := range names {
		folder, file, inside := strings.Cut(strings.TrimPrefix(name, root), "/")
		if !inside || strings.HasPrefix(path.Base(file), ".") {
			continue
		}
		if len(folders) == 0 || folders[len(folders)-1] != folder {
			folders = append(folders, folder)
		}
		id := formats.ID(strconv.Itoa(len(out)))
		one := Sample{ID: id, Image: name, Reference: formats.Reference{ID: id},
			Fields: map[string]string{"folder": strings.TrimSuffix(folder, ".tar"), "filename": path.Base(file)}}
		if k := len(folders) - 1; k < len(classes) {
			one.Fields["class"], one.Reference.Label = classes[k], classes[k]
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no folders or tars of pictures in it", s.Images)
	}
	if len(folders) != len(classes) {
		return nil, fmt.Errorf("%s has %d folders for %d classes", s.Images, len(folders), len(classes))
	}
	return out, nil
}

// readFlat reads pictures that lie together, in the order of their names. A line of the annotations says the class of each: its WNID,
// or its number in the list of synsets, as ILSVRC2012_validation_ground_truth.txt does. Classes are named in the order of their WNIDs.
func readFlat(ctx context.Context, root string, place pictures.Place, s Split, classes []string) ([]Sample, error) {
	names, err := place.Names(ctx, s.Images)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(path.Base(name), ".") })
	wnids, err := readClasses(root, s, len(classes))
	if err != nil {
		return nil, err
	}
	if len(names) != len(wnids) || len(names) == 0 {
		return nil, fmt.Errorf("%s has %d pictures, %s has the classes of %d", s.Images, len(names), s.Annotations, len(wnids))
	}
	order := slices.Compact(sorted(slices.Clone(wnids)))
	if s.Synsets != "" {
		if order, err = readSynsets(root, s, len(classes)); err != nil {
			return nil, err
		}
		order = sorted(order)
	}
	if len(order) != len(classes) {
		return nil, fmt.Errorf("%s has %d classes, %d are named", s.Annotations, len(order), len(classes))
	}
	out := make([]Sample, len(names))
	for i, name := range names {
		id := formats.ID(strconv.Itoa(i))
		k, known := slices.BinarySearch(order, wnids[i])
		if !known {
			return nil, fmt.Errorf("%s: line %d: %s is none of the %d classes of %s", s.Annotations, i+1, wnids[i], len(order), s.Synsets)
		}
		out[i] = Sample{ID: id, Image: name, Reference: formats.Reference{ID: id, Label: classes[k]},
			Fields: map[string]string{"folder": wnids[i], "filename": path.Base(name), "class": classes[k]}}
	}
	return out, nil
}

// readClasses reads the WNID of every picture.
func readClasses(root string, s Split, classes int) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, s.Annotations))
	if err != nil {
		return nil, err
	}
	var synsets, wnids []string
	for line := range strings.Lines(string(text)) {
		class := strings.TrimSpace(line)
		if class == "" {
			continue
		}
		if !isWNID(class) {
			n, err := strconv.Atoi(class)
			if err != nil {
				return nil, fmt.Errorf("%s: line %d: %.40q is neither a WNID (n01440764) nor a number of a synset", s.Annotations, len(wnids)+1, class)
			}
			if synsets == nil {
				if synsets, err = readSynsets(root, s, classes); err != nil {
					return nil, err
				}
			}
			if n < 1 || n > len(synsets) {
				return nil, fmt.Errorf("%s: line %d: there is no synset %d, %s has %d", s.Annotations, len(wnids)+1, n, s.Synsets, len(synsets))
			}
			class = synsets[n-1]
		}
		wnids = append(wnids, class)
	}
	return wnids, nil
}

// readSynsets reads the WNIDs of the classes, by their numbers: a line each that begins with the WNID, in the order of the numbers, or
// with the number behind it, as in map_clsloc.txt. Those behind the classes are the inner nodes of the hierarchy, and left out.
func readSynsets(root string, s Split, classes int) ([]string, error) {
	if s.Synsets == "" {
		return nil, errors.New("synsets: name the file that has the WNIDs of the numbers in " + s.Annotations)
	}
	text, err := os.ReadFile(filepath.Join(root, s.Synsets))
	if err != nil {
		return nil, fmt.Errorf("synsets: %w", err)
	}
	wnids := make([]string, classes)
	line, place := 0, 0
	for one := range strings.Lines(string(text)) {
		line++
		words := strings.Fields(one)
		if len(words) == 0 {
			continue
		}
		if !isWNID(words[0]) {
			return nil, fmt.Errorf("%s: line %d: %.40q is no WNID (n01440764)", s.Synsets, line, words[0])
		}
		place++
		number := place
		if len(words) > 1 {
			if n, err := strconv.Atoi(words[1]); err == nil {
				number = n
			}
		}
		switch {
		case number < 1 || number > classes:
		case wnids[number-1] != "":
			return nil, fmt.Errorf("%s: line %d: number %d is %s already", s.Synsets, line, number, wnids[number-1])
		default:
			wnids[number-1] = words[0]
		}
	}
	if k := slices.Index(wnids, ""); k >= 0 {
		return nil, fmt.Errorf("%s has no synset %d of %d classes", s.Synsets, k+1, classes)
	}
	if twice := repeated(wnids); twice != "" {
		return nil, fmt.Errorf("%s: %s is there twice", s.Synsets, twice)
	}
	return wnids, nil
}

// isWNID tells a name of WordNet's: n and eight digits.
func isWNID(s string) bool {
	return len(s) == 9 && s[0] == 'n' && !strings.ContainsFunc(s[1:], func(r rune) bool { return r < '0' || r > '9' })
}
