package main

import (
	"fmt"
	"sort"

	"github.com/anishathalye/porcupine"
)

// groupSize is the number of records in a group.
const groupSize = 3

// operation is what a client asked for (operations.ts).
type operation struct {
	Kind    string `json:"kind"`
	Group   int    `json:"group"`
	Members []int  `json:"members"`
	Stamp   int    `json:"stamp"`
	Touched int    `json:"touched"`
	Limit   int    `json:"limit"`
	How     string `json:"how"`
	// Ordered: reads of the group show the order of insertion.
	Ordered bool `json:"-"`
}

// output is what the client was told. A nil output belongs to an operation whose outcome is not known.
type output struct {
	Deleted *int     `json:"deleted"`
	Rows    [][3]int `json:"rows"`
}

// record is one record of a group: which one it is, and the operations that wrote it.
type record struct {
	member, stamp, touched int
}

// state is the records of one group in order of insertion.
type state struct {
	count   int
	records [groupSize]record
}

func (s state) find(member int) int {
	for i := 0; i < s.count; i++ {
		if s.records[i].member == member {
			return i
		}
	}
	return -1
}

func (s state) without(at int) state {
	copy(s.records[at:], s.records[at+1:s.count])
	s.count--
	s.records[s.count] = record{}
	return s
}

// apply gives the state after a write, and the number of records that it deleted.
func apply(s state, op operation) (state, int) {
	deleted := 0
	switch op.Kind {
	case "add", "upsert":
		for _, member := range op.Members {
			at := s.find(member)
			if at < 0 {
				s.records[s.count] = record{member, op.Stamp, 0}
				s.count++
			} else if op.Kind == "upsert" {
				s.records[at] = record{member, op.Stamp, 0}
			}
		}
	case "update":
		for _, member := range op.Members {
			if at := s.find(member); at >= 0 {
				s.records[at].touched = op.Stamp
			}
		}
	case "delete":
		for _, member := range op.Members {
			if at := s.find(member); at >= 0 {
				s = s.without(at)
				deleted++
			}
		}
	case "delete-where":
		for at := 0; at < s.count && deleted < op.Limit; {
			if op.Touched < 0 || s.records[at].touched == op.Touched {
				s = s.without(at)
				deleted++
			} else {
				at++
			}
		}
	default:
		panic("an operation of the kind " + op.Kind)
	}
	return s, deleted
}

// shows tells whether a read of the state gives these rows.
func (s state) shows(rows [][3]int, ordered bool) bool {
	if len(rows) != s.count {
		return false
	}
	records := s.records
	if !ordered {
		rows = append([][3]int(nil), rows...)
		sort.Slice(rows, func(a, b int) bool { return rows[a][0] < rows[b][0] })
		sort.Slice(records[:s.count], func(a, b int) bool { return records[a].member < records[b].member })
	}
	for i, row := range rows {
		if (record{row[0], row[1], row[2]}) != records[i] {
			return false
		}
	}
	return true
}

// model is one group of records. A query shows no order of insertion.
var model = porcupine.Model{
	Init: func() interface{} { return state{} },
	Step: func(before, input, told interface{}) (bool, interface{}) {
		s, op := before.(state), input.(operation)
		out, _ := told.(*output)
		if op.Kind == "read" {
			return s.shows(out.Rows, op.Ordered && op.How != "query"), s
		}
		after, deleted := apply(s, op)
		return out == nil || out.Deleted == nil || *out.Deleted == deleted, after
	},
	DescribeOperation: func(input, told interface{}) string {
		op := input.(operation)
		out, _ := told.(*output)
		if out == nil {
			return fmt.Sprintf("%s → ?", op)
		}
		if op.Kind == "read" {
			return fmt.Sprintf("%s → %v", op, out.Rows)
		}
		if out.Deleted != nil {
			return fmt.Sprintf("%s → %d", op, *out.Deleted)
		}
		return op.String()
	},
	DescribeState: func(of interface{}) string {
		s := of.(state)
		return fmt.Sprint(s.records[:s.count])
	},
}

func (op operation) String() string {
	switch op.Kind {
	case "read":
		return "read by " + op.How
	case "delete":
		return fmt.Sprintf("delete %v", op.Members)
	case "delete-where":
		return fmt.Sprintf("delete where touched = %d, limit %d", op.Touched, op.Limit)
	default:
		return fmt.Sprintf("%s %v: %d", op.Kind, op.Members, op.Stamp)
	}
}
