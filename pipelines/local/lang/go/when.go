package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Knetic/govaluate"
)

type whenArguments struct {
	Expression string `json:"expression"`
}

// when decides whether a step or task runs. Bare words are strings.
func when(a whenArguments) (any, error) {
	if a.Expression == "" {
		return true, nil
	}
	parsed, err := govaluate.NewEvaluableExpression(a.Expression)
	if err != nil {
		hint := ""
		if strings.Contains(err.Error(), "Invalid token") {
			hint = ` (hint: try wrapping the affected expression in quotes ("))`
		}
		return nil, fmt.Errorf("Invalid 'when' expression '%s': %v%s", a.Expression, err, hint)
	}
	words := parsed.Tokens()
	for i := range words {
		if words[i].Kind == govaluate.VARIABLE {
			words[i].Kind = govaluate.STRING
		}
	}
	parsed, err = govaluate.NewEvaluableExpressionFromTokens(words)
	if err != nil {
		return nil, fmt.Errorf("Failed to parse 'when' expression '%s': %v", a.Expression, err)
	}
	result, err := parsed.Evaluate(nil)
	if err != nil {
		return nil, fmt.Errorf("Failed to evaluate 'when' expresion '%s': %v", a.Expression, err)
	}
	return whenResult(a.Expression, result)
}

func whenResult(expression string, result any) (any, error) {
	value, is := result.(bool)
	if !is {
		return nil, fmt.Errorf("Expected boolean evaluation for '%s'. Got %v", expression, result)
	}
	return value, nil
}

// cronState is what `when` and stopStrategy of a CronWorkflow can see.
type cronState struct {
	Expression        string            `json:"expression"`
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	Failed            int64             `json:"failed"`
	Succeeded         int64             `json:"succeeded"`
	LastScheduledTime *instant          `json:"lastScheduledTime"`
	Now               *instant          `json:"now"`
}

func (s cronState) fields() map[string]any {
	labels, _ := json.Marshal(s.Labels)
	annotations, _ := json.Marshal(s.Annotations)
	var last *time.Time
	if s.LastScheduledTime != nil {
		last = &s.LastScheduledTime.Time
	}
	return map[string]any{
		"name": s.Name, "namespace": s.Namespace, "failed": s.Failed, "succeeded": s.Succeeded,
		"labels": s.Labels, "annotations": s.Labels, // sic: Argo shows the labels under both names
		"labels.json": labels, "annotations.json": annotations, "lastScheduledTime": last,
	}
}

// cronWhen decides whether a scheduled time is used: tags first, then govaluate, without conversion of bare words.
func cronWhen(s cronState) (any, error) {
	if s.Expression == "" {
		return true, nil
	}
	env := map[string]any{}
	for name, value := range s.fields() {
		env["cronworkflow."+name] = value
	}
	text, err := substitute(s.Expression, env, false, s.Now)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return true, nil
	}
	parsed, err := govaluate.NewEvaluableExpression(text)
	if err != nil {
		return nil, err
	}
	result, err := parsed.Evaluate(nil)
	if err != nil {
		return nil, err
	}
	return whenResult(text, result)
}

// cronStop decides whether a CronWorkflow has reached its stopping condition. Its environment has no functions of Argo's.
func cronStop(s cronState) (any, error) {
	env := map[string]any{"cronworkflow": s.fields()}
	if s.Now != nil {
		env["now"] = func() time.Time { return s.Now.Time }
	}
	result, err := truth(s.Expression, env)
	if err != nil {
		return nil, fmt.Errorf("failed to evaluate stop expression: %w", err)
	}
	return result, nil
}
