package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/Masterminds/sprig/v3"
	"github.com/doublerebel/bellows"
	"github.com/evilmonkeyinc/jsonpath"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
)

// sprigFunctions are sprig's without those that read the environment of the process.
var sprigFunctions = func() map[string]any {
	functions := sprig.GenericFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	return functions
}()

// instant is a time as a caller writes it: RFC 3339.
type instant struct{ time.Time }

// environment makes the variables and functions that an expression sees: dotted names become nested maps, Argo's
// functions are added. With a virtual now, the functions that read the clock read that instead.
func environment(values map[string]any, now *instant) map[string]any {
	env := bellows.Expand(withoutShadowed(values))
	env["asInt"] = builtin.Int
	env["asFloat"] = builtin.Float
	env["jsonpath"] = queryJSON
	env["toJson"] = toJSON
	env["sprig"] = sprigFunctions
	if now != nil {
		env["now"] = func() time.Time { return now.Time }
		env["sprig"] = sprigAt(now.Time)
	}
	return env
}

func sprigAt(now time.Time) map[string]any {
	functions := make(map[string]any, len(sprigFunctions))
	for name, function := range sprigFunctions {
		functions[name] = function
	}
	functions["now"] = func() time.Time { return now }
	functions["ago"] = func(value any) string {
		at := now
		switch v := value.(type) {
		case time.Time:
			at = v
		case int:
			at = time.Unix(int64(v), 0)
		case int64:
			at = time.Unix(v, 0)
		}
		return now.Sub(at).Round(time.Second).String()
	}
	return functions
}

// withoutShadowed drops `a` where there is also `a.b`.
func withoutShadowed(values map[string]any) map[string]any {
	names := make([]string, 0, len(values))
	kept := make(map[string]any, len(values))
	for name, value := range values {
		names = append(names, name)
		kept[name] = value
	}
	sort.Strings(names)
	for i := 0; i+1 < len(names); i++ {
		if strings.HasPrefix(names[i+1], names[i]+".") {
			delete(kept, names[i])
		}
	}
	return kept
}

func toJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func queryJSON(document, path string) any {
	var value any
	if err := json.Unmarshal([]byte(document), &value); err != nil {
		panic(err)
	}
	found, err := jsonpath.Query(path, value)
	if err != nil {
		panic(err)
	}
	return found
}

type expressionArguments struct {
	Expression string          `json:"expression"`
	Env        json.RawMessage `json:"env"`
	Bare       bool            `json:"bare"` // the environment as it is: no functions, dots not expanded
	Now        *instant        `json:"now"`
}

func (a expressionArguments) environment() (map[string]any, error) {
	values, err := decodeEnv(a.Env)
	if err != nil {
		return nil, err
	}
	if a.Bare {
		return values, nil
	}
	return environment(values, a.Now), nil
}

// decodeEnv reads variables; whole numbers stay whole.
func decodeEnv(raw json.RawMessage) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	values := map[string]any{}
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("argolang: %w", err)
	}
	for name, value := range values {
		values[name] = number(value)
	}
	return values, nil
}

func number(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return int(whole)
		}
		float, _ := v.Float64()
		return float
	case map[string]any:
		for key, each := range v {
			v[key] = number(each)
		}
	case []any:
		for i, each := range v {
			v[i] = number(each)
		}
	}
	return value
}

type evaluated struct {
	Value any    `json:"value"` // nil where it has no JSON form
	Text  string `json:"text"`  // as Go prints it: what Argo puts into a parameter
	Type  string `json:"type"`
}

// evaluate gives the value of an expression, the way valueFrom.expression and labelsFrom are evaluated.
func evaluate(a expressionArguments) (any, error) {
	env, err := a.environment()
	if err != nil {
		return nil, err
	}
	program, err := expr.Compile(a.Expression, expr.Env(env))
	if err != nil {
		return nil, err
	}
	result, err := expr.Run(program, env)
	if err != nil {
		return nil, err
	}
	value := evaluated{Value: result, Text: fmt.Sprintf("%v", result), Type: fmt.Sprintf("%T", result)}
	if _, err := json.Marshal(result); err != nil {
		value.Value = nil
	}
	return value, nil
}

// evaluateBool gives the truth of an expression: hooks, retryStrategy.expression.
func evaluateBool(a expressionArguments) (any, error) {
	env, err := a.environment()
	if err != nil {
		return nil, err
	}
	return truth(a.Expression, env)
}

func truth(expression string, env any) (bool, error) {
	program, err := expr.Compile(expression, expr.Env(env))
	if err != nil {
		return false, err
	}
	result, err := expr.Run(program, env)
	if err != nil {
		return false, fmt.Errorf("unable to evaluate expression '%s': %s", expression, err)
	}
	value, is := result.(bool)
	if !is {
		return false, fmt.Errorf("unable to cast expression result '%s' to bool", result)
	}
	return value, nil
}

// TaskResults is what `depends` can ask of one task.
type TaskResults struct {
	Succeeded    bool `json:"Succeeded"`
	Failed       bool `json:"Failed"`
	Errored      bool `json:"Errored"`
	Skipped      bool `json:"Skipped"`
	Omitted      bool `json:"Omitted"`
	Daemoned     bool `json:"Daemoned"`
	AnySucceeded bool `json:"AnySucceeded"`
	AllFailed    bool `json:"AllFailed"`
}

type dependsArguments struct {
	Expression string                 `json:"expression"`
	Tasks      map[string]TaskResults `json:"tasks"`
}

// depends evaluates a task's depends logic. Minus is no part of a name in expr, so both sides get underscores.
func depends(a dependsArguments) (any, error) {
	scope := make(map[string]TaskResults, len(a.Tasks))
	for name, results := range a.Tasks {
		scope[strings.ReplaceAll(name, "-", "_")] = results
	}
	logic := strings.ReplaceAll(a.Expression, "-", "_")
	result, err := truth(logic, scope)
	if err != nil {
		text := strings.ReplaceAll(err.Error(), "main.TaskResults", "controller.TaskResults")
		return nil, fmt.Errorf("unable to evaluate expression '%s': %s", logic, text)
	}
	return result, nil
}
