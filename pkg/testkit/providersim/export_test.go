package providersim

// CregisSign signs the fields of a body, for the documented samples.
func CregisSign(key string, body []byte) (string, error) {
	fields, err := readFlat(body)
	return cregisSign(key, fields), err
}
