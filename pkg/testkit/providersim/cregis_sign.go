package providersim

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// readFlat reads a flat JSON object. The texts of its values are what Cregis
// signs: numbers digit for digit, strings decoded, null as "".
func readFlat(body []byte) (map[string]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, errors.New("not a JSON object")
	}
	texts := map[string]string{}
	for name, value := range fields {
		switch value := value.(type) {
		case nil:
			texts[name] = ""
		case string:
			texts[name] = value
		case json.Number:
			texts[name] = value.String()
		case bool:
			texts[name] = fmt.Sprint(value)
		default:
			return nil, fmt.Errorf("field %s is not flat", name)
		}
	}
	return texts, nil
}

// cregisSign returns the signature of fields: without sign and empty values,
// sorted by name, concatenated, the key in front, as MD5
// (docs/api-reference/signature).
func cregisSign(key string, fields map[string]string) string {
	text := strings.Builder{}
	text.WriteString(key)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "sign" && fields[name] != "" {
			text.WriteString(name)
			text.WriteString(fields[name])
		}
	}
	sum := md5.Sum([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}
