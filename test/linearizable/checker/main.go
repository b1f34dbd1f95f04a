// The checker reads a history (one operation a line, see history.ts) and checks with Porcupine, group by group, whether
// it is linearizable. It prints one line of JSON. Exit codes: 0 it is, 1 it is not, 2 it could not be decided or read.
//
//	checker [-seconds 120] [-drawing FILE.html] HISTORY.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// line is one line of a history.
type line struct {
	Client    int       `json:"client"`
	Operation operation `json:"operation"`
	Call      int64     `json:"call"`
	Return    *int64    `json:"return"`
	Output    *output   `json:"output"`
	Ordered   bool      `json:"ordered"`
}

// verdict is the answer.
type verdict struct {
	Result     string `json:"result"`
	Operations int    `json:"operations"`
	Open       int    `json:"open"`
	Groups     int    `json:"groups"`
	// Failed: the first group that is not linearizable, or could not be decided.
	Failed *int    `json:"failed,omitempty"`
	Ms     float64 `json:"ms"`
}

func main() {
	seconds := flag.Float64("seconds", 120, "time for one group")
	drawing := flag.String("drawing", "", "a file for a drawing of the group that failed")
	flag.Parse()
	groups, open, err := readHistory(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	began := time.Now()
	answer := verdict{Result: string(porcupine.Ok), Open: open, Groups: len(groups)}
	numbers := make([]int, 0, len(groups))
	for number, group := range groups {
		numbers = append(numbers, number)
		answer.Operations += len(group)
	}
	sort.Ints(numbers)
	for _, number := range numbers {
		result, info := porcupine.CheckOperationsVerbose(model, groups[number], time.Duration(*seconds*float64(time.Second)))
		if result == porcupine.Ok {
			continue
		}
		answer.Result, answer.Failed = string(result), &number
		if *drawing != "" {
			if err := porcupine.VisualizePath(model, info, *drawing); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		break
	}
	answer.Ms = float64(time.Since(began).Microseconds()) / 1000
	text, _ := json.Marshal(answer)
	fmt.Println(string(text))
	switch answer.Result {
	case string(porcupine.Ok):
	case string(porcupine.Illegal):
		os.Exit(1)
	default:
		os.Exit(2)
	}
}

// readHistory gives the operations of each group. One whose outcome is not known never returns; reads without an answer
// tell nothing and are left out.
func readHistory(path string) (map[int][]porcupine.Operation, int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	groups, open := map[int][]porcupine.Operation{}, 0
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		var one line
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		one.Operation.Ordered = one.Ordered
		returned := int64(math.MaxInt64)
		if one.Return != nil {
			returned = *one.Return
		} else if one.Operation.Kind == "read" {
			continue
		} else {
			open++
		}
		group := one.Operation.Group
		groups[group] = append(groups[group], porcupine.Operation{
			ClientId: one.Client, Input: one.Operation, Call: one.Call, Output: one.Output, Return: returned,
		})
	}
	if len(groups) == 0 && scanner.Err() == nil {
		return nil, 0, fmt.Errorf("%s: the history is empty", path)
	}
	return groups, open, scanner.Err()
}
