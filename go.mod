module github.com/imageferry/ferry

go 1.26

require (
	github.com/google/go-containerregistry v0.22.1 // indirect
	github.com/google/go-github/v62 v62.0.0 // indirect
	github.com/sethvargo/go-githubactions v1.4.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)
