package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"
	"github.com/tidwall/gjson"
	"k8s.io/apimachinery/pkg/labels"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/util/jsonpath"
)

const jqLimit = 30 * time.Second

// document lets a label selector ask for gjson paths.
type document []byte

func (d document) Has(label string) bool   { return gjson.GetBytes(d, label).Exists() }
func (d document) Get(label string) string { return gjson.GetBytes(d, label).String() }

// Lookup is what newer selectors ask.
func (d document) Lookup(label string) (string, bool) { return d.Get(label), d.Has(label) }

type conditionArguments struct {
	Object  json.RawMessage `json:"object"`
	Success string          `json:"success"`
	Failure string          `json:"failure"`
}

type verdict struct {
	Success *string `json:"success"`
	Failure *string `json:"failure"`
}

// conditions judges an object: any failure clause fails it, and is looked at first; all success clauses pass it.
func conditions(a conditionArguments) (any, error) {
	success, err := requirements("success", a.Success)
	if err != nil {
		return nil, err
	}
	failure, err := requirements("fail", a.Failure)
	if err != nil {
		return nil, err
	}
	object := document(a.Object)
	for _, clause := range failure {
		if clause.Matches(object) {
			message := fmt.Sprintf("failure condition '%s' evaluated true", clause) // by value: Argo prints the struct
			return verdict{Failure: &message}, nil
		}
	}
	for _, clause := range success {
		if !clause.Matches(object) {
			return verdict{}, nil
		}
	}
	message := fmt.Sprintf("%d/%d success conditions matched", len(success), len(success))
	return verdict{Success: &message}, nil
}

func requirements(name, text string) (labels.Requirements, error) {
	if text == "" {
		return nil, nil
	}
	parsed, err := labels.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s condition '%s' failed to parse: %v", name, text, err)
	}
	clauses, _ := parsed.Requirements()
	return clauses, nil
}

type selectorArguments struct {
	Selector string            `json:"selector"`
	Labels   map[string]string `json:"labels"`
}

// selector matches labels, as `kubectl get -l` does.
func selector(a selectorArguments) (any, error) {
	parsed, err := labels.Parse(a.Selector)
	if err != nil {
		return nil, err
	}
	return parsed.Matches(labels.Set(a.Labels)), nil
}

type queryArguments struct {
	Object json.RawMessage `json:"object"`
	Query  string          `json:"query"`
}

func gjsonGet(a queryArguments) (any, error) {
	return gjson.GetBytes(a.Object, a.Query).String(), nil
}

// jq gives the results of a filter, one per line: strings as they are, anything else as JSON.
func jq(a queryArguments) (any, error) {
	var value any
	if err := json.Unmarshal(a.Object, &value); err != nil {
		return nil, err
	}
	query, err := gojq.Parse(a.Query)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), jqLimit)
	defer cancel()
	var text strings.Builder
	for results := query.RunWithContext(ctx, value); ; text.WriteString("\n") {
		result, more := results.Next()
		if !more {
			return strings.TrimSpace(text.String()), nil
		}
		if err, is := result.(error); is {
			return nil, err
		}
		if line, is := result.(string); is {
			text.WriteString(line)
			continue
		}
		line, err := json.Marshal(result)
		if err != nil {
			return nil, err
		}
		text.Write(line)
	}
}

// kubectlJSONPath prints what `kubectl get -o jsonpath=QUERY` prints.
func kubectlJSONPath(a queryArguments) (any, error) {
	printer := jsonpath.New("out").AllowMissingKeys(true)
	if err := printer.Parse(a.Query); err != nil {
		return nil, fmt.Errorf("error parsing jsonpath %s, %w", a.Query, err)
	}
	var object map[string]any
	if err := utiljson.Unmarshal(a.Object, &object); err != nil {
		return nil, err
	}
	if object == nil {
		return nil, errors.New("the object is no JSON mapping")
	}
	var text bytes.Buffer
	if err := printer.Execute(&text, object); err != nil {
		return nil, fmt.Errorf("error executing jsonpath %q: %w", a.Query, err)
	}
	return text.String(), nil
}
