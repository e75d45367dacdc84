package eval

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"mmc4/eval/formats"
)

// vqaAnswer is one line of a VQA result file.
type vqaAnswer struct {
	QuestionID formats.ID `json:"question_id"`
	Answer     string     `json:"answer"`
}

// blindAnswer is one line of a VizWiz result file.
type blindAnswer struct {
	Image  string `json:"image"`
	Answer string `json:"answer"`
}

// writeSubmissions writes a file for the test server for every trial of the tasks that have one:
// submission-TASK-SHOTS-SEED.json. An example that could not be asked gets an empty answer there, since servers want all.
func (r *runner) writeSubmissions(records [][]Record) error {
	byTrial := map[unit]map[formats.ID]string{}
	for i, u := range r.units {
		key := unit{task: u.task, shots: u.shots, seed: u.seed}
		if byTrial[key] == nil {
			byTrial[key] = map[formats.ID]string{}
		}
		for _, rec := range records[i] {
			byTrial[key][rec.ID] = rec.Prediction
		}
	}
	for key, answers := range byTrial {
		j := &r.jobs[key.task]
		var file any
		switch j.task.Submission {
		case "vqa":
			var list []vqaAnswer
			if j.config.ServerQuestions != "" {
				questions, err := formats.ReadQuestions(filepath.Join(j.config.Data, j.config.ServerQuestions))
				if err != nil {
					return err
				}
				for _, q := range questions {
					list = append(list, vqaAnswer{q.QuestionID, answers[q.QuestionID]})
				}
			} else {
				for i := range j.data.Test {
					list = append(list, vqaAnswer{j.data.Test[i].ID, answers[j.data.Test[i].ID]})
				}
			}
			file = list
		case "vizwiz":
			var list []blindAnswer
			for i := range j.data.Test {
				list = append(list, blindAnswer{string(j.data.Test[i].ID), answers[j.data.Test[i].ID]})
			}
			file = list
		default:
			continue
		}
		text, err := json.Marshal(file)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("submission-%s-%d-%d.json", j.task.Name, key.shots, key.seed)
		if err := writeFile(filepath.Join(r.config.Out, name), append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}
