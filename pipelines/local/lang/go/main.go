// Command argolang answers questions about the small languages inside Argo manifests (template tags, expr, govaluate,
// gjson, label selectors, jq, JSONPath, cron) with the libraries that Argo Workflows 3.7.6 uses, in their exact versions.
//
// It reads one JSON request per line from standard input, writes one JSON response per line to standard output, in
// order, and ends at end of input: it cannot outlive the program that started it.
//
// A response is {"r": result}, or {"e": message} where the library refused; the message is the library's own text.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// handlers maps an operation's name to the function that answers it from its decoded arguments.
var handlers = map[string]func(json.RawMessage) (any, error){
	"ping":       func(json.RawMessage) (any, error) { return "pong", nil },
	"replace":    handle(replace),
	"replaces":   handle(replaceMany),
	"tags":       handle(tags),
	"expr":       handle(evaluate),
	"expr_bool":  handle(evaluateBool),
	"depends":    handle(depends),
	"when":       handle(when),
	"cron_when":  handle(cronWhen),
	"cron_stop":  handle(cronStop),
	"conditions": handle(conditions),
	"selector":   handle(selector),
	"gjson":      handle(gjsonGet),
	"jq":         handle(jq),
	"jsonpath":   handle(kubectlJSONPath),
	"items":      handle(items),
	"sequence":   handle(sequence),
	"cron_times": handle(cronTimes),
	"cron_check": handle(cronCheck),
	"timezone":   handle(timezoneCheck),
	"duration":   handle(duration),
}

// handle turns a function of typed arguments into one of raw JSON.
func handle[A any](f func(A) (any, error)) func(json.RawMessage) (any, error) {
	return func(raw json.RawMessage) (any, error) {
		var arguments A
		if err := json.Unmarshal(raw, &arguments); err != nil {
			return nil, fmt.Errorf("argolang: %w", err)
		}
		return f(arguments)
	}
}

type response struct {
	Result any     `json:"r"`
	Error  *string `json:"e,omitempty"`
}

func refused(message string) response { return response{Error: &message} }

// answer runs one request. A panic inside a library is that request's error, not the end of the helper.
func answer(line []byte) (reply response) {
	defer func() {
		if p := recover(); p != nil {
			reply = refused(fmt.Sprint(p))
		}
	}()
	var request struct {
		Op string `json:"op"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return refused("argolang: " + err.Error())
	}
	handler, known := handlers[request.Op]
	if !known {
		return refused("argolang: unknown operation " + request.Op)
	}
	result, err := handler(line)
	if err != nil {
		return refused(err.Error())
	}
	return response{Result: result}
}

func encode(reply response) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(reply); err != nil {
		buffer.Reset()
		_ = encoder.Encode(refused("argolang: " + err.Error()))
	}
	return buffer.Bytes()
}

func serve(input io.Reader, output io.Writer) error {
	reader := bufio.NewReaderSize(input, 1<<20)
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := output.Write(encode(answer(line))); err != nil {
			return err
		}
	}
}

func main() {
	signal.Ignore(os.Interrupt) // Ctrl-C is for the program that uses us: it still needs answers while it cleans up
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "argolang:", err)
		os.Exit(1)
	}
}
