// SPDX-License-Identifier: AGPL-3.0-or-later

package vault

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// cache keeps the most recently used data keys, so that a page about one client
// unwraps once. It is keyed by a hash of owner and wrapped key: a hit means that
// this very pair was verified before.
type cache struct {
	mu       sync.Mutex
	capacity int
	removals uint64     // how often something was removed on purpose
	order    *list.List // of *cached, most recent first
	byID     map[[sha256.Size]byte]*list.Element
}

type cached struct {
	id    [sha256.Size]byte
	owner Place
	key   *Key
}

func newCache(capacity int) *cache {
	return &cache{capacity: capacity, order: list.New(), byID: make(map[[sha256.Size]byte]*list.Element)}
}

func (c *cache) get(id [sha256.Size]byte) (*Key, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).key, true
}

// since is what to hand to put: taken before a key is unwrapped, it keeps a key
// out that was forgotten or erased in the meantime.
func (c *cache) since() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.removals
}

func (c *cache) put(since uint64, id [sha256.Size]byte, owner Place, k *Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since != c.removals {
		return
	}
	if e, ok := c.byID[id]; ok {
		c.order.MoveToFront(e)
		return
	}
	c.byID[id] = c.order.PushFront(&cached{id: id, owner: owner, key: k})
	if c.order.Len() > c.capacity {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byID, last.Value.(*cached).id)
	}
}

func (c *cache) drop(id [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removals++
	if e, ok := c.byID[id]; ok {
		c.order.Remove(e)
		delete(c.byID, id)
	}
}

// dropOwner removes every key of one owner. It looks at all keys: erasures are
// rare.
func (c *cache) dropOwner(owner Place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removals++
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if x := e.Value.(*cached); x.owner == owner {
			c.order.Remove(e)
			delete(c.byID, x.id)
		}
		e = next
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removals++
	c.order.Init()
	clear(c.byID)
}

func (c *cache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}
