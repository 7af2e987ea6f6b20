package main

import (
	"fmt"
	"log"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// More than there ever are.
const most = 1 << 16

// A bridge has 1,023 ports, and slots that come back keep theirs.
const mostRecycled = 1000

// Slots in two channels, as pools of this kind have them: new ones, which one goroutine builds for as long as there is
// room, and used ones, which are taken first.
type pool struct {
	network     *network
	fresh, used chan *slot
	returned    chan *slot
	recycle     bool
	// Whether it has as many slots as there is room for.
	full   atomic.Bool
	labels chan *vm
	mutex  sync.Mutex
	live   map[string]*slot
	// The network's sockets and its store are one goroutine's at a time.
	destroying sync.Mutex
}

func openPool(n *network, size int, recycle bool) (*pool, error) {
	// Its sockets and descriptors are its own.
	builder, err := openNetwork()
	if err != nil {
		return nil, err
	}
	p := &pool{
		network:  n,
		fresh:    make(chan *slot, size),
		used:     make(chan *slot, most),
		returned: make(chan *slot, most),
		recycle:  recycle,
		labels:   make(chan *vm, most),
		live:     map[string]*slot{},
	}
	go p.build(builder)
	go p.label()
	go p.takeBack()
	return p, nil
}

func (p *pool) build(builder *network) {
	runtime.LockOSThread()
	for number := 0; !p.recycle || number < mostRecycled; number++ {
		built, err := builder.buildSlot(fmt.Sprintf(".pool-%s-%d", builder.name, number))
		if err != nil {
			log.Fatalf("slot %d: %v", number, err)
		}
		p.fresh <- built
	}
	p.full.Store(true)
}

// Behind the callers. A link that has gone needs no alias.
func (p *pool) label() {
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		log.Fatal(err)
	}
	for v := range p.labels {
		_ = links.LinkSetAlias(hostLink(v), fmt.Sprintf("vulcan-net %s %s eth0", p.network.name, v.id))
	}
}

func (p *pool) take() *slot {
	select {
	case taken := <-p.used:
		return taken
	default:
	}
	select {
	case taken := <-p.used:
		return taken
	case taken := <-p.fresh:
		return taken
	}
}

func (p *pool) setup(id string) error {
	taken := p.take()
	v := taken.of(id)
	lock, err := p.network.lock(v)
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	if p.network.recordExists(v) {
		return unix.EEXIST
	}
	if err := p.network.nameNamespace(v, lock, taken.namespace); err != nil {
		return err
	}
	if err := p.network.ownAddress(v); err != nil {
		return err
	}
	p.mutex.Lock()
	p.live[id] = taken
	p.mutex.Unlock()
	p.labels <- v
	return p.network.writeRecord(v)
}

func (p *pool) teardown(id string) error {
	p.mutex.Lock()
	held := p.live[id]
	delete(p.live, id)
	p.mutex.Unlock()
	if !p.recycle {
		defer unix.Close(held.namespace)
		p.destroying.Lock()
		defer p.destroying.Unlock()
		return p.network.teardown(held.of(id))
	}
	v := held.of(id)
	lock, err := p.network.lock(v)
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	if err := p.network.removeAnchor(v); err != nil {
		return err
	}
	if err := p.network.ownAddress(held.vm); err != nil {
		return err
	}
	if err := p.network.removeRecord(v); err != nil {
		return err
	}
	if err := p.network.removeLock(v); err != nil {
		return err
	}
	p.returned <- held
	return nil
}

// Behind the callers, as many at once as have come back meanwhile.
func (p *pool) takeBack() {
	for first := range p.returned {
		slots := []*slot{first}
		for len(p.returned) > 0 {
			slots = append(slots, <-p.returned)
		}
		if err := forgetConnections(slots); err != nil {
			log.Fatal(err)
		}
		for _, each := range slots {
			p.used <- each
		}
	}
}
