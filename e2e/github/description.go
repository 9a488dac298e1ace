// Package github holds Ferry's conversations with GitHub's API against the
// OpenAPI description that GitHub publishes, so that neither Ferry nor the
// stand-in for GitHub can drift from the real thing.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/imageferry/ferry/e2e/npm"
)

// Fetch gets the description, or finds it in the cache of npm.File.
func Fetch() ([]byte, error) {
	return npm.File("@octokit/openapi", "23.0.2", "generated/api.github.com.json")
}

// Description is what GitHub says about its API.
type Description struct {
	router routers.Router
	errors *openapi3.Schema // the body of error answers
}

// Read reads the text that Fetch gives. It takes seconds: do it once.
func Read(text []byte) (*Description, error) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("reading GitHub's description of its API: %w", err)
	}
	doc.Servers = openapi3.Servers{{URL: "/"}} // wherever it is served
	// The router takes a parameter for one component; that of a file is a path.
	const contents = "/repos/{owner}/{repo}/contents/"
	doc.Paths.Set(contents+"{path:.+}", doc.Paths.Value(contents+"{path}"))
	doc.Paths.Delete(contents + "{path}")
	// The router doesn't validate the description first, which would fail:
	// some of its own examples don't fit.
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("reading the paths of GitHub's API: %w", err)
	}
	return &Description{router, doc.Components.Schemas["basic-error"].Value}, nil
}

// Watch passes requests on to api and complains about each request, and each
// answer, that GitHub's description does not allow. An answer that never comes
// because the connection is cut has nothing to complain about.
func (d *Description) Watch(api http.Handler, complain func(format string, args ...any)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			complain("%s %s: reading the request: %v", r.Method, r.URL, err)
			return
		}
		request := func(body []byte) *http.Request {
			again := r.Clone(r.Context())
			again.Body = io.NopCloser(bytes.NewReader(body))
			return again
		}
		named := r.Clone(r.Context())
		// The name of a branch has a slash, which the description does not tell.
		named.URL.Path = strings.Replace(r.URL.Path, "/heads/", "/heads+", 1)
		route, args, err := d.router.FindRoute(named)
		if err != nil {
			complain("%s %s: GitHub has no such operation: %v", r.Method, r.URL, err)
			api.ServeHTTP(w, request(body))
			return
		}
		asked := &openapi3filter.RequestValidationInput{
			Request: request(tolerate(route.Operation.OperationID, body)), PathParams: args, Route: route, Options: options(),
		}
		if err := openapi3filter.ValidateRequest(r.Context(), asked); err != nil {
			complain("%s %s with %.500q: GitHub would not take the request: %v", r.Method, r.URL, body, err)
		}

		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request(body))
		if err := d.check(r.Context(), asked, answer); err != nil {
			complain("%s %s: GitHub would not answer %d with %.500q: %v", r.Method, r.URL, answer.Code, answer.Body, err)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the client may have gone
	})
}

// options validate without changing anything, and complain in a few words
// instead of printing schemas.
func options() *openapi3filter.Options {
	o := &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		IncludeResponseStatus: true,
		SkipSettingDefaults:   true,
	}
	o.WithCustomSchemaErrorFunc(func(err *openapi3.SchemaError) string {
		return fmt.Sprintf("/%s: %s", strings.Join(err.JSONPointer(), "/"), err.Reason)
	})
	return o
}

// anywhere are the statuses that every operation can answer with, although
// the description tells so of few.
var anywhere = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable,
}

func (d *Description) check(ctx context.Context, asked *openapi3filter.RequestValidationInput, answer *httptest.ResponseRecorder) error {
	if answer.Code == http.StatusNotModified {
		return nil // what every GET with If-None-Match can get; it has no body
	}
	if asked.Route.Operation.Responses.Status(answer.Code) == nil && slices.Contains(anywhere, answer.Code) {
		var body any
		if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
			return err
		}
		return d.errors.VisitJSON(body)
	}
	return openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked,
		Status:                 answer.Code,
		Header:                 answer.Header(),
		Body:                   io.NopCloser(bytes.NewReader(answer.Body.Bytes())),
		Options:                asked.Options,
	})
}

// tolerate gives the body to validate instead of the one that was sent. To add
// labels go-github sends a bare array. GitHub takes it, as the description
// says in words ("you can also pass an array of labels directly"), but not in
// its schema, which only knows the object.
func tolerate(operation string, body []byte) []byte {
	if operation == "issues/add-labels" && bytes.HasPrefix(body, []byte("[")) {
		return slices.Concat([]byte(`{"labels":`), body, []byte("}"))
	}
	return body
}
