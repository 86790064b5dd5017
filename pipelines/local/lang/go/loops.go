package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// element is one item of a loop. Its JSON text is kept as it was written.
type element struct{ raw json.RawMessage }

func (e *element) UnmarshalJSON(text []byte) error  { return e.raw.UnmarshalJSON(text) }
func (e element) MarshalJSON() ([]byte, error)      { return e.raw.MarshalJSON() }
func (e element) Format(state fmt.State, verb rune) { fmt.Fprint(state, e.text()) }

// text is the element as a tag shows it: a string without its quotes but with its escapes, else compact JSON.
func (e element) text() string {
	compact, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	if compact[0] == '"' {
		compact = compact[1 : len(compact)-1]
	}
	return unescapeHTML(string(compact))
}

func (e element) scalar() bool {
	text := string(e.raw)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return true
	}
	_, err := strconv.ParseBool(text)
	return err == nil
}

type loopItem struct {
	Suffix string            `json:"suffix"` // what follows the step's name: `(0:val)`
	Values map[string]string `json:"values"` // `item`, and `item.key` of a mapping
	JSON   string            `json:"json"`
}

type itemsArguments struct {
	Text string `json:"text"`
}

// items reads the JSON list of withParam or withItems.
func items(a itemsArguments) (any, error) {
	var list []element
	if err := json.Unmarshal([]byte(a.Text), &list); err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "main.element", "v1alpha1.Item"))
	}
	return loopItems(list)
}

func loopItems(list []element) (any, error) {
	found := make([]loopItem, len(list))
	for i, each := range list {
		item, err := oneItem(i, each)
		if err != nil {
			return nil, err
		}
		found[i] = item
	}
	return found, nil
}

func oneItem(index int, each element) (loopItem, error) {
	item := loopItem{Values: map[string]string{}, JSON: string(each.raw)}
	var list []element
	var mapping map[string]element
	switch {
	case each.scalar():
		item.Values["item"], item.Suffix = each.text(), suffix(index, each)
	case json.Unmarshal(each.raw, &list) == nil:
		text, err := json.Marshal(list)
		if err != nil {
			return item, err
		}
		item.Values["item"], item.Suffix = string(text), suffix(index, list)
	case json.Unmarshal(each.raw, &mapping) == nil:
		var pairs []string
		for key, value := range mapping {
			item.Values["item."+key] = value.text()
			pairs = append(pairs, fmt.Sprintf("%s:%v", key, value))
		}
		sort.Strings(pairs)
		text, err := json.Marshal(mapping)
		if err != nil {
			return item, err
		}
		item.Values["item"], item.Suffix = string(text), suffix(index, strings.Join(pairs, ","))
	default:
		item.Values["item"], item.Suffix = each.text(), suffix(index, each)
	}
	return item, nil
}

// suffix leaves out parentheses, which mark where the index is.
func suffix(index int, description any) string {
	clean := strings.NewReplacer("(", "", ")", "").Replace(fmt.Sprint(description))
	return fmt.Sprintf("(%d:%v)", index, clean)
}

type sequenceArguments struct {
	Start  *string `json:"start"`
	End    *string `json:"end"`
	Count  *string `json:"count"`
	Format string  `json:"format"`
}

// sequence makes the items of withSequence, both ends included, up or down.
func sequence(a sequenceArguments) (any, error) {
	start, err := whole(a.Start)
	if err != nil {
		return nil, err
	}
	end, err := whole(a.End)
	if err != nil {
		return nil, err
	}
	if a.End == nil {
		if a.Count == nil {
			return nil, errors.New("neither end nor count was specified in withSequence")
		}
		count, err := whole(a.Count)
		if err != nil {
			return nil, err
		}
		if count == 0 {
			return []loopItem{}, nil
		}
		end = start + count - 1
	}
	format := a.Format
	if format == "" {
		format = "%d"
	}
	step := 1
	if start > end {
		step = -1
	}
	var list []element
	for value := start; value != end+step; value += step {
		var each element
		if err := json.Unmarshal([]byte(`"`+fmt.Sprintf(format, value)+`"`), &each); err != nil {
			return nil, err
		}
		list = append(list, each)
	}
	return loopItems(list)
}

func whole(text *string) (int, error) {
	if text == nil {
		return 0, nil
	}
	return strconv.Atoi(*text)
}

type textArguments struct {
	Text string `json:"text"`
}
