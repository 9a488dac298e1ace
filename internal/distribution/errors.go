package distribution

import (
	"encoding/json"
	"net/http"
)

// The error codes of the specification ("Error Codes"), and two more that
// registries use.
const (
	BlobUnknown         = "BLOB_UNKNOWN"
	BlobUploadInvalid   = "BLOB_UPLOAD_INVALID"
	BlobUploadUnknown   = "BLOB_UPLOAD_UNKNOWN"
	DigestInvalid       = "DIGEST_INVALID"
	ManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
	ManifestInvalid     = "MANIFEST_INVALID"
	ManifestUnknown     = "MANIFEST_UNKNOWN"
	NameInvalid         = "NAME_INVALID"
	NameUnknown         = "NAME_UNKNOWN"
	SizeInvalid         = "SIZE_INVALID"
	Unauthorized        = "UNAUTHORIZED"
	Denied              = "DENIED"
	Unsupported         = "UNSUPPORTED"
	TooManyRequests     = "TOOMANYREQUESTS"
	TagInvalid          = "TAG_INVALID" // distribution, ECR
	Unavailable         = "UNAVAILABLE" // distribution
)

// Error is one error of an error body.
type Error struct {
	Code    string          `json:"code"`
	Message string          `json:"message,omitempty"`
	Detail  json.RawMessage `json:"detail,omitempty"`
}

// errorBody is the body of every refusal.
type errorBody struct {
	Errors []Error `json:"errors"`
}

// ParseErrors parses an error body. It returns nil if body is not one.
func ParseErrors(body []byte) []Error {
	var b errorBody
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	return b.Errors
}

// WriteError writes a response with a status and one error.
func WriteError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(errorBody{[]Error{{Code: code, Message: message}}})
}
