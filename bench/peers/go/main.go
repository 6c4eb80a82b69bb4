// The two routes with Go's standard library. Most of Kubernetes is written in Go.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func say(content string) http.HandlerFunc {
	return func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "application/json")
		io.WriteString(response, content)
	}
}

func main() {
	http.HandleFunc("GET /will", say("\"Hello World\"\n"))
	http.HandleFunc("GET /ready", say("\"It works!\"\n"))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
