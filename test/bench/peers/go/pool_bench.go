package main

import (
	"fmt"
	"sync"
	"time"
)

// Until there are as many slots as there is room for.
func (p *pool) warm() {
	for len(p.fresh) < cap(p.fresh) {
		time.Sleep(time.Millisecond)
	}
}

// All at once, each in a goroutine of its own: how long until the last is done.
func (p *pool) burst(ids []string) (time.Duration, error) {
	var group sync.WaitGroup
	errors := make(chan error, len(ids))
	begin := time.Now()
	for _, id := range ids {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := p.setup(id); err != nil {
				errors <- err
			}
		}()
	}
	group.Wait()
	took := time.Since(begin)
	select {
	case err := <-errors:
		return took, err
	default:
		return took, nil
	}
}

// Each of the ids is torn down and set up again, without rest; microseconds of each set-up, and of each teardown.
func (p *pool) churn(ids []string, lasting time.Duration) (setups, teardowns []float64, err error) {
	micros := func(since time.Time) float64 { return float64(time.Since(since).Nanoseconds()) / 1e3 }
	for _, id := range ids {
		if err := p.setup(id); err != nil {
			return nil, nil, err
		}
	}
	for end, next := time.Now().Add(lasting), 0; time.Now().Before(end); next = (next + 1) % len(ids) {
		begin := time.Now()
		if err := p.teardown(ids[next]); err != nil {
			return nil, nil, err
		}
		teardowns = append(teardowns, micros(begin))
		begin = time.Now()
		if err := p.setup(ids[next]); err != nil {
			return nil, nil, err
		}
		setups = append(setups, micros(begin))
	}
	for _, id := range ids {
		if err := p.teardown(id); err != nil {
			return nil, nil, err
		}
	}
	return setups, teardowns, nil
}

func named(prefix string, count int) []string {
	ids := make([]string, count)
	for index := range ids {
		ids[index] = fmt.Sprintf("%s-%d", prefix, index)
	}
	return ids
}
