package main

import (
	"math"
	"testing"

	"github.com/anishathalye/porcupine"
)

func number(n int) *int { return &n }

func call(at, until int64, op operation, told *output) porcupine.Operation {
	op.Ordered = true
	return porcupine.Operation{Input: op, Call: at, Return: until, Output: told}
}

func upsert(stamp int, members ...int) operation {
	return operation{Kind: "upsert", Members: members, Stamp: stamp}
}

func read(rows ...[3]int) (operation, *output) {
	return operation{Kind: "read", How: "ids"}, &output{Rows: rows}
}

const never = math.MaxInt64

func TestHistories(t *testing.T) {
	one := func(at, until int64, rows ...[3]int) porcupine.Operation {
		op, told := read(rows...)
		return call(at, until, op, told)
	}
	query := func(at, until int64, rows ...[3]int) porcupine.Operation {
		return call(at, until, operation{Kind: "read", How: "query"}, &output{Rows: rows})
	}
	done := &output{}
	cases := []struct {
		name string
		good bool
		all  []porcupine.Operation
	}{
		{"a read sees what was written before", true, []porcupine.Operation{
			call(1, 2, upsert(1, 0, 1), done), one(3, 4, [3]int{0, 1, 0}, [3]int{1, 1, 0})}},
		{"a read is one version late", false, []porcupine.Operation{
			call(1, 2, upsert(1, 0), done), call(3, 4, upsert(2, 0), done), one(5, 6, [3]int{0, 1, 0})}},
		{"a write is seen in part", false, []porcupine.Operation{
			call(1, 2, upsert(1, 0, 1), done), one(3, 4, [3]int{0, 1, 0})}},
		{"an acknowledged write is lost", false, []porcupine.Operation{call(1, 2, upsert(1, 0), done), one(3, 4)}},
		{"a write of unknown outcome is seen late", true, []porcupine.Operation{
			call(1, never, upsert(1, 0), nil), one(2, 3), one(4, 5, [3]int{0, 1, 0})}},
		{"a write of unknown outcome disappears", false, []porcupine.Operation{
			call(1, never, upsert(1, 0), nil), one(2, 3, [3]int{0, 1, 0}), one(4, 5)}},
		{"a write of unknown outcome takes effect twice", false, []porcupine.Operation{
			call(1, never, upsert(1, 0), nil), one(2, 3, [3]int{0, 1, 0}),
			call(4, 5, operation{Kind: "delete", Members: []int{0}}, done), one(6, 7, [3]int{0, 1, 0})}},
		{"concurrent reads disagree on the order of writes", false, []porcupine.Operation{
			call(1, 2, upsert(1, 0), done), call(3, never, upsert(2, 0), nil), one(4, 5, [3]int{0, 2, 0}), one(6, 7, [3]int{0, 1, 0})}},
		{"the order of insertion is kept by an upsert, not by a query", true, []porcupine.Operation{
			call(1, 2, upsert(1, 2, 0), done), call(3, 4, upsert(2, 0, 2), done),
			one(5, 6, [3]int{2, 2, 0}, [3]int{0, 2, 0}), query(7, 8, [3]int{0, 2, 0}, [3]int{2, 2, 0})}},
		{"the order of insertion is wrong", false, []porcupine.Operation{
			call(1, 2, upsert(1, 2, 0), done), one(5, 6, [3]int{0, 1, 0}, [3]int{2, 1, 0})}},
		{"an add leaves a record as it is, an update changes it", true, []porcupine.Operation{
			call(1, 2, upsert(1, 0), done), call(3, 4, operation{Kind: "add", Members: []int{0, 1}, Stamp: 2}, done),
			call(5, 6, operation{Kind: "update", Members: []int{0, 2}, Stamp: 3}, done),
			one(7, 8, [3]int{0, 1, 3}, [3]int{1, 2, 0})}},
		{"a delete by filter counts", true, []porcupine.Operation{
			call(1, 2, upsert(1, 0, 1, 2), done),
			call(3, 4, operation{Kind: "update", Members: []int{1}, Stamp: 2}, done),
			call(5, 6, operation{Kind: "delete-where", Touched: 0, Limit: 1}, &output{Deleted: number(1)}),
			one(7, 8, [3]int{1, 1, 2}, [3]int{2, 1, 0})}},
		{"a delete by filter counts wrongly", false, []porcupine.Operation{
			call(1, 2, upsert(1, 0, 1), done),
			call(3, 4, operation{Kind: "delete-where", Touched: -1, Limit: 3}, &output{Deleted: number(1)})}},
	}
	for _, c := range cases {
		if got := porcupine.CheckOperations(model, c.all); got != c.good {
			t.Errorf("%s: linearizable is %v", c.name, got)
		}
	}
}
