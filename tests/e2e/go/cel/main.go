// Command cel judges admission expressions as kube-apiserver of the pinned version does.
//
// Nothing of the judgement is ours. Expressions are compiled by the packages that the API server
// compiles them with: admission/plugin/cel of k8s.io/apiserver, with its environments, libraries,
// lazy variables and budgets. Objects of known kinds are decoded, defaulted and converted by the
// scheme of k8s.io/kubernetes, and reach CEL as the typed objects that 1.37 shows it. Ours is what
// listens in between: it notes the cost of each expression.
//
// The first line of the input is a Rules, answered by one Compiled. Each later line is a Case,
// answered by one Answer, in order.
//
// Measured with an empty build cache on two cores that were shared with other builds (load 5 to 8),
// modules downloaded before: 172 s, of which this build computed 113 s. The environment package
// alone took 82 s and computed 84 s, and knows neither typed objects, defaults, variables nor
// budgets; so the faithful one is taken. With the build cache of kube-apiserver it takes 5 s.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
)

func main() {
	if err := serve(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cel:", err)
		os.Exit(1)
	}
}

func serve(input *bufio.Reader, output io.Writer) error {
	first, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no rules: %w", err)
	}
	var rules Rules
	if err := json.Unmarshal(first, &rules); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	judge, err := newJudge(rules)
	if err != nil {
		return err
	}
	writer := bufio.NewWriterSize(output, 1<<20)
	if err := json.NewEncoder(writer).Encode(judge.compiled); err != nil {
		return err
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return answerAll(judge, input, writer)
}

// task is a case to judge, and where its answer is awaited.
type task struct {
	line   []byte
	answer chan []byte
}

// answerAll judges cases on all cores and writes the answers in the order of the cases.
func answerAll(judge *judge, input *bufio.Reader, writer *bufio.Writer) error {
	workers := runtime.GOMAXPROCS(0)
	tasks := make(chan task, workers)
	pending := make(chan chan []byte, 64*workers)
	for range workers {
		go func() {
			for t := range tasks {
				t.answer <- judge.answer(t.line)
			}
		}()
	}
	go readAll(input, pending, tasks)
	for answer := range pending {
		if _, err := writer.Write(append(<-answer, '\n')); err != nil {
			return err
		}
		if len(pending) == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
	return writer.Flush()
}

// readAll makes a task of each line, awaited in the order of the lines.
func readAll(input *bufio.Reader, pending chan<- chan []byte, tasks chan<- task) {
	defer close(pending)
	defer close(tasks)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		t := task{line, make(chan []byte, 1)}
		pending <- t.answer
		tasks <- t
	}
}
