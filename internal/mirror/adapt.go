package mirror

// habits is what the run has learned about what targets refuse.
type habits struct{}
