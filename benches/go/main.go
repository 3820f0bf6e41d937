// What the Go SDK does, written anew from its behaviour: gorilla's ReadMessage, a look whether it is a ping, and
// json.Unmarshal into a struct of its own, which is handed to a callback.
//
//	contender decode FILE CHUNKS
//	contender socket URL QUESTION CHUNKS [CA-FILE]
//
// It works on one batch for each line of its input, and writes what that took as a line of JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

type partial struct {
	Message string  `json:"message"`
	Keyword string  `json:"keyword"`
	Quota   float32 `json:"quota"`
	End     bool    `json:"end"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// decoded is nil for what is no part of an answer.
func decoded(message []byte) *partial {
	if string(message) == `{"type":"ping"}` {
		return nil
	}
	form := new(partial)
	must(json.Unmarshal(message, form))
	return form
}

// processorTime is that of all threads: the collector's is the language's price.
func processorTime() int64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// serve has batch work whenever a line comes.
func serve(chunks int, batch func()) {
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		cpu, began := processorTime(), time.Now()
		batch()
		elapsed := time.Since(began).Nanoseconds()
		fmt.Printf("{\"cpu\":%d,\"elapsed\":%d,\"chunks\":%d}\n", processorTime()-cpu, elapsed, chunks)
	}
}

func decode(file string, wanted int) {
	text, err := os.ReadFile(file)
	must(err)
	messages := bytes.SplitAfter(text, []byte("\n"))
	messages = messages[:min(len(messages)-1, wanted)]
	times := (wanted + len(messages) - 1) / len(messages)
	serve(times*len(messages), func() {
		length := 0
		for range times {
			for _, message := range messages {
				length += len(decoded(message).Message)
			}
		}
		if length == 0 {
			must(fmt.Errorf("nothing was decoded"))
		}
	})
}

func socket(url, question string, chunks int) {
	connection, _, err := websocket.DefaultDialer.Dial(url, nil)
	must(err)
	must(connection.WriteJSON(map[string]any{"id": -1, "token": "anonymous"}))
	ask := map[string]any{"message": question, "model": "gpt-4", "web": false}
	serve(chunks, func() {
		must(connection.WriteJSON(ask))
		seen := 0
		callback := func(form partial) { seen++ }
		for {
			_, message, err := connection.ReadMessage()
			must(err)
			form := decoded(message)
			if form == nil {
				continue
			}
			callback(*form)
			if form.End {
				break
			}
		}
		// It hands out the opener and the end, too.
		if seen != chunks+2 {
			must(fmt.Errorf("%d of %d chunks", seen, chunks))
		}
	})
}

func main() {
	if len(os.Args) >= 4 {
		last := os.Args[3]
		if os.Args[1] == "socket" && len(os.Args) >= 5 {
			last = os.Args[4]
		}
		chunks, err := strconv.Atoi(last)
		must(err)
		switch os.Args[1] {
		case "decode":
			decode(os.Args[2], chunks)
			return
		case "socket":
			socket(os.Args[2], os.Args[3], chunks)
			return
		}
	}
	must(fmt.Errorf("usage: contender decode FILE CHUNKS | socket URL QUESTION CHUNKS"))
}
