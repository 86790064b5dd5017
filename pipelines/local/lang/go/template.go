package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/doublerebel/bellows"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/valyala/fasttemplate"
)

const (
	openTag  = "{{"
	closeTag = "}}"
)

// mayAppearLater are variables that get their value after the first pass over a template. An expression that names one
// which has no value yet must wait for the next pass.
var mayAppearLater = []string{
	"item", "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message",
	"workflow.status", "workflow.failures",
}

type replaceArguments struct {
	Template        string            `json:"template"`
	Values          map[string]string `json:"values"`
	Bytes           map[string][]byte `json:"bytes"` // values that are not UTF-8
	AllowUnresolved bool              `json:"allow"`
	Plain           bool              `json:"plain"` // the template is not JSON
	Now             *instant          `json:"now"`
}

// replace substitutes tags in a JSON document (or, where plain, in any text).
func replace(a replaceArguments) (any, error) {
	if !a.Plain && !json.Valid([]byte(a.Template)) {
		return nil, errors.New("cannot do template replacements with invalid JSON")
	}
	values := make(map[string]any, len(a.Values)+len(a.Bytes))
	for name, value := range a.Values {
		values[name] = value
	}
	for name, value := range a.Bytes {
		values[name] = string(value)
	}
	result, err := substitute(a.Template, values, a.AllowUnresolved, a.Now)
	if err != nil {
		return nil, err
	}
	if !a.Plain && !json.Valid([]byte(result)) {
		return nil, errors.New("cannot finish template replacement because the result was invalid JSON")
	}
	return result, nil
}

type replaceManyArguments struct {
	replaceArguments
	Templates []string `json:"templates"`
}

// replaceMany is replace for several templates with the same values; each has its own answer or error.
func replaceMany(a replaceManyArguments) (any, error) {
	replies := make([]response, len(a.Templates))
	for i, template := range a.Templates {
		one := a.replaceArguments
		one.Template = template
		result, err := replace(one)
		if err != nil {
			replies[i] = refused(err.Error())
			continue
		}
		replies[i] = response{Result: result}
	}
	return replies, nil
}

// substitute writes every tag's value into the text. An error of one tag ends it.
func substitute(text string, values map[string]any, allowUnresolved bool, now *instant) (string, error) {
	template, err := fasttemplate.NewTemplate(text, openTag, closeTag)
	if err != nil {
		return "", err
	}
	var buffer bytes.Buffer
	_, err = template.ExecuteFunc(&buffer, func(w io.Writer, tag string) (int, error) {
		if expression, is := expressionOf(tag); is {
			return replaceExpression(w, expression, environment(values, now), allowUnresolved)
		}
		return replaceSimple(w, tag, values, allowUnresolved)
	})
	return buffer.String(), err
}

// expressionOf gives the expression inside a `{{=…}}` tag, with the three characters that Go's JSON escapes put back.
func expressionOf(tag string) (string, bool) {
	rest, is := strings.CutPrefix(tag, "=")
	if !is {
		return "", false
	}
	return unescapeHTML(rest), true
}

func unescapeHTML(text string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text)
}

func insideQuotes(text string) []byte {
	quoted := strconv.Quote(text)
	return []byte(quoted[1 : len(quoted)-1])
}

func replaceSimple(w io.Writer, tag string, values map[string]any, allowUnresolved bool) (int, error) {
	value, found := values[strings.TrimSpace(tag)]
	if found {
		text, isText := value.(string)
		if !isText {
			return 0, fmt.Errorf("failed to resolve {{%s}} to string", tag)
		}
		return w.Write(insideQuotes(text))
	}
	// `{{ foreign {{name}}`: the outer braces belong to another language
	if index := strings.LastIndex(tag, openTag); index > 0 {
		if text, isText := values[tag[index+len(openTag):]].(string); isText {
			return w.Write(append([]byte(openTag+tag[:index]), insideQuotes(text)...))
		}
	}
	if allowUnresolved {
		return fmt.Fprintf(w, "{{%s}}", tag)
	}
	return 0, fmt.Errorf("failed to resolve {{%s}}", tag)
}

// replaceExpression writes an expression's value. Where unresolved tags are allowed, every failure leaves the tag.
func replaceExpression(w io.Writer, escaped string, env map[string]any, allowUnresolved bool) (int, error) {
	value, err := expressionValue(escaped, env, allowUnresolved)
	if err != nil {
		if allowUnresolved {
			return fmt.Fprintf(w, "{{=%s}}", escaped)
		}
		return 0, err
	}
	return w.Write(value)
}

func expressionValue(escaped string, env map[string]any, allowUnresolved bool) ([]byte, error) {
	var expression string
	if err := json.Unmarshal([]byte(`"`+escaped+`"`), &expression); err != nil {
		return nil, fmt.Errorf("failed to unmarshall JSON expression: %w", err)
	}
	if allowUnresolved && namesMissing(expression, env) {
		return nil, errors.New("unresolved")
	}
	program, err := expr.Compile(expression, expr.Env(env))
	if err != nil {
		return nil, fmt.Errorf("failed to evaluate expression: %w", err)
	}
	result, err := expr.Run(program, env)
	if err != nil {
		return nil, fmt.Errorf("failed to evaluate expression: %w", err)
	}
	if result == nil {
		return nil, fmt.Errorf("failed to evaluate expression %q", escaped)
	}
	text, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("failed to marshal evaluated expression: %w", err)
	}
	if last := len(text) - 1; last > 0 && text[0] == '"' && text[last] == '"' {
		return text[1:last], nil // it goes into something that is a JSON string already
	}
	return insideQuotes(string(text)), nil
}

// namesMissing tells whether the expression uses a variable that comes later and is not there yet.
func namesMissing(expression string, env map[string]any) bool {
	var flat map[string]any
	for _, name := range mayAppearLater {
		if !usesVariable(expression, name) {
			continue
		}
		if flat == nil {
			flat = bellows.Flatten(env)
		}
		if _, found := flat[name]; !found {
			return true
		}
	}
	return false
}

// usesVariable looks for the variable's tokens in a row, after a quick look at the text.
func usesVariable(expression, variable string) bool {
	if !strings.Contains(expression, variable) {
		return false
	}
	haystack, err := tokens(expression)
	if err != nil {
		return false
	}
	needle, err := tokens(variable)
	if err != nil {
		return false
	}
	for start := 0; start+len(needle) <= len(haystack); start++ {
		if startsWith(haystack[start:], needle) {
			return true
		}
	}
	return len(needle) == 0
}

func startsWith(haystack, needle []string) bool {
	for i := range needle {
		if haystack[i] != needle[i] {
			return false
		}
	}
	return true
}

func tokens(source string) ([]string, error) {
	lexed, err := lexer.Lex(file.NewSource(source))
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, token := range lexed {
		if token.Kind != lexer.EOF {
			texts = append(texts, token.String())
		}
	}
	return texts, nil
}

type tagsArguments struct {
	Template string `json:"template"`
}

type tag struct {
	Text       string `json:"text"`
	Expression bool   `json:"expression"`
}

// tags lists the tags of a text in order, as they are written.
func tags(a tagsArguments) (any, error) {
	template, err := fasttemplate.NewTemplate(a.Template, openTag, closeTag)
	if err != nil {
		return nil, err
	}
	found := []tag{}
	_, err = template.ExecuteFunc(io.Discard, func(_ io.Writer, text string) (int, error) {
		if expression, is := expressionOf(text); is {
			found = append(found, tag{Text: expression, Expression: true})
		} else {
			found = append(found, tag{Text: text})
		}
		return 0, nil
	})
	return found, err
}
