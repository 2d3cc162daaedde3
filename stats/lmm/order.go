// SPDX-License-Identifier: AGPL-3.0-or-later

package lmm

import (
	"container/heap"
	"slices"
)

// ordering is the order in which groups are eliminated, with the structure that
// the Cholesky factor gets by it. The last ones, where nearly every group meets
// every other, are left to a dense factorisation.
type ordering struct {
	column []int32   // sparse nodes in their order
	place  []int32   // of each node: its position in column, or -1 for the dense tail
	tail   []int32   // nodes of the dense tail
	below  [][]int32 // by position: nodes below the diagonal, sparse ones by position, then the tail
}

type queued struct{ degree, node int32 }

type queue []queued

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].degree < q[j].degree || q[i].degree == q[j].degree && q[i].node < q[j].node
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push and Pop serve container/heap.
func (q *queue) Push(x any) { *q = append(*q, x.(queued)) }

// Pop serves container/heap.
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// minimumDegree orders the nodes of a graph by approximate minimum degree with
// quotient elements (George and Liu 1989, SIAM Review 31, 1-19): an eliminated
// node stands for the clique of its neighbours, so that no fill is stored.
func minimumDegree(adjacent [][]int32, weight []int32) *ordering {
	n := len(adjacent)
	o := &ordering{place: make([]int32, n)}
	g := &quotient{near: adjacent, elements: make([][]int32, n), clique: make([][]int32, n),
		gone: make([]bool, n), mark: make([]int32, n), weight: weight, degree: make([]int32, n)}
	q := make(queue, 0, n)
	left := int32(0)
	for v := range n {
		o.place[v] = -1
		left += weight[v]
		g.degree[v] = g.approximate(int32(v))
		q = append(q, queued{g.degree[v], int32(v)})
	}
	heap.Init(&q)
	for q.Len() > 0 {
		next := heap.Pop(&q).(queued)
		v := next.node
		if g.gone[v] || next.degree != g.degree[v] {
			continue
		}
		reach := g.reach(v)
		size := int32(0)
		for _, u := range reach {
			size += weight[u]
		}
		// Dense from here on: each of the rest meets most of the others.
		if size >= 16 && size*10 >= 7*(left-weight[v]) {
			break
		}
		left -= weight[v]
		o.place[v] = int32(len(o.column))
		o.column = append(o.column, v)
		o.below = append(o.below, reach)
		g.eliminate(v, reach)
		for _, u := range reach {
			heap.Push(&q, queued{g.degree[u], u})
		}
	}
	o.finish(g)
	return o
}

// finish gathers the tail and sorts the structures.
func (o *ordering) finish(g *quotient) {
	for v := range g.gone {
		if !g.gone[v] {
			o.tail = append(o.tail, int32(v))
		}
	}
	last := int32(len(g.gone))
	key := func(v int32) int32 {
		if o.place[v] < 0 {
			return last + v
		}
		return o.place[v]
	}
	for _, b := range o.below {
		slices.SortFunc(b, func(x, y int32) int { return int(key(x)) - int(key(y)) })
	}
}

// quotient is the graph during elimination.
type quotient struct {
	near     [][]int32 // neighbours by an edge of the matrix
	elements [][]int32 // eliminated nodes whose clique a node is in
	clique   [][]int32
	gone     []bool
	mark     []int32
	stamp    int32
	weight   []int32
	degree   []int32
}

// reach lists the neighbours of v in the graph with all fill.
func (g *quotient) reach(v int32) []int32 {
	g.stamp++
	g.mark[v] = g.stamp
	var out []int32
	add := func(list []int32) {
		for _, u := range list {
			if !g.gone[u] && g.mark[u] != g.stamp {
				g.mark[u] = g.stamp
				out = append(out, u)
			}
		}
	}
	add(g.near[v])
	for _, e := range g.elements[v] {
		add(g.clique[e])
	}
	return out
}

// approximate is the degree, counting a node once for each clique it shares.
func (g *quotient) approximate(v int32) int32 {
	d := int32(0)
	for _, u := range g.near[v] {
		if !g.gone[u] {
			d += g.weight[u]
		}
	}
	for _, e := range g.elements[v] {
		for _, u := range g.clique[e] {
			if u != v && !g.gone[u] {
				d += g.weight[u]
			}
		}
	}
	return d
}

// eliminate turns v into an element that takes up those it was in.
func (g *quotient) eliminate(v int32, reach []int32) {
	g.gone[v] = true
	absorbed := g.elements[v]
	for _, e := range absorbed {
		g.clique[e] = nil
	}
	g.clique[v] = slices.Clone(reach)
	for _, u := range reach {
		if len(absorbed) > 0 {
			g.elements[u] = slices.DeleteFunc(g.elements[u], func(e int32) bool { return g.clique[e] == nil })
		}
		// A clique of one says nothing; keeping it would make nested groups quadratic.
		if len(reach) > 1 {
			g.elements[u] = append(g.elements[u], v)
		}
		// Edges inside the new clique are said by it.
		g.near[u] = slices.DeleteFunc(g.near[u], func(w int32) bool { return g.gone[w] || g.mark[w] == g.stamp })
	}
	g.elements[v], g.near[v] = nil, nil
	for _, u := range reach {
		g.degree[u] = g.approximate(u)
	}
}
