// Command kustomize builds a kustomization as Flux's kustomize-controller does, with the library that it uses, from files
// that it is handed: it reads no disk, asks no network and starts no program.
//
// It reads one request from standard input and writes one response to standard output: {"r": objects}, or {"e": message}
// where the library refused.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// disabled is what a resource says, as a label or an annotation, that keeps its ${…}.
const disabledKey, disabled = "kustomize.toolkit.fluxcd.io/substitute", "disabled"

type request struct {
	Files map[string]string `json:"files"` // by absolute path
	Path  string            `json:"path"`  // the folder to build
	Vars  map[string]string `json:"vars"`  // values of ${…}; without any, nothing is substituted
}

type response struct {
	Result []json.RawMessage `json:"r"`
	Error  string            `json:"e,omitempty"`
}

// offline refuses what kustomize would fetch.
type offline struct{}

func (offline) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s is not fetched: there is no network here", r.URL)
}

func main() {
	http.DefaultTransport = offline{}
	os.Setenv("PATH", "") // git, helm and plugins are not found
	reply := answer()
	if err := json.NewEncoder(os.Stdout).Encode(reply); err != nil {
		fmt.Fprintln(os.Stderr, "kustomize:", err)
		os.Exit(1)
	}
}

// answer does the work; kustomize panics over some input, which is that input's error.
func answer() (reply response) {
	defer func() {
		if p := recover(); p != nil {
			reply = response{Error: fmt.Sprint(p)}
		}
	}()
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return response{Error: err.Error()}
	}
	objects, err := build(asked)
	if err != nil {
		return response{Error: err.Error()}
	}
	return response{Result: objects}
}

// build has kustomize-controller's options: files from anywhere in the artifact, no plugins but those built in.
func build(asked request) ([]json.RawMessage, error) {
	fs := filesys.MakeFsInMemory()
	for name, text := range asked.Files {
		if err := fs.WriteFile(name, []byte(text)); err != nil {
			return nil, err
		}
	}
	options := &krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()}
	built, err := krusty.MakeKustomizer(options).Run(fs, asked.Path)
	if err != nil {
		return nil, err
	}
	return objects(built, asked.Vars)
}

func objects(built resmap.ResMap, vars map[string]string) ([]json.RawMessage, error) {
	found := make([]json.RawMessage, 0, built.Size())
	for _, each := range built.Resources() {
		object, err := substituted(each, vars)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", each.GetKind(), each.GetName(), err)
		}
		found = append(found, object)
	}
	return found, nil
}

// substituted puts values into an object's text, as Flux does: in YAML, so that a value may become a number.
func substituted(each *resource.Resource, vars map[string]string) (json.RawMessage, error) {
	if len(vars) == 0 || each.GetLabels()[disabledKey] == disabled || each.GetAnnotations()[disabledKey] == disabled {
		return each.MarshalJSON()
	}
	text, err := each.AsYAML()
	if err != nil {
		return nil, err
	}
	output, err := envsubst.Eval(string(text), func(name string) (string, bool) { return vars[name], true })
	if err != nil {
		return nil, fmt.Errorf("variable substitution failed: %w", err)
	}
	object, err := yaml.YAMLToJSON([]byte(output))
	if err == nil && len(object) > 0 && object[0] != '{' {
		err = errors.New("it is no object any more once its variables are substituted")
	}
	return object, err
}
