package flamingo

import (
	"errors"

	"mmc4/kernels"
	"mmc4/models/lm"
)

// ErrNotShared means that what a prompt begins with depends on what comes after.
var ErrNotShared = errors.New("flamingo: text looks at all images of its prompt: its beginning cannot be read alone")

// ReadPrefix reads the beginning of prompts to come: ids that see media of one row, of the same pass, which is reset.
func (m *Model) ReadPrefix(p *kernels.Pass, ids []int32, media *Media) (*lm.Prefix, error) {
	if m.Config.AttendPrevious { // text before the first marker looks at all images alike
		return nil, ErrNotShared
	}
	prompt := lm.Prompt{IDs: ids, Rows: 1}
	if err := checkPrompt(prompt, media.Rows); err != nil {
		return nil, err
	}
	kept, err := m.Keep(p, media)
	if err != nil {
		return nil, err
	}
	defer kept.Free()
	defer p.Wait()
	p.Reset()
	return m.LM.ReadPrefix(p, ids, m.before(p, kept, kept.times(prompt, m.Config.Media), 1, 1))
}

// Unseen is how many images of each row no token looks at once the prompt's prefixes are known: Media need not hold them. nil
// when all are needed.
func (m *Model) Unseen(prompt lm.Prompt) []int32 {
	if prompt.Known() == 0 || m.Perceiver.BySlot() {
		return nil
	}
	shown := prompt.Unread(TextTimes(prompt.IDs, prompt.Rows, m.Config.Media))
	t := len(shown) / prompt.Rows
	first := make([]int32, prompt.Rows)
	for row := range first {
		for _, time := range shown[row*t : (row+1)*t] {
			if time > 0 { // the first token that sees any image: padding and text before all images see none
				first[row] = time - 1
				break
			}
		}
	}
	return first
}
