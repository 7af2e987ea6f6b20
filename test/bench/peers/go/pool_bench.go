package main

import (
	"fmt"
	"sync"
	"time"
)

// Until there are as many slots as there is room for.
func (p *pool) warm() {
	for len(p.fresh) < cap(p.fresh) && (!p.full.Load() || len(p.fresh)+len(p.used) < cap(p.fresh)) {
		time.Sleep(time.Millisecond)
	}
}

// All at once, each in a goroutine of its own.
func (p *pool) burst(ids []string) error {
	var group sync.WaitGroup
	errors := make(chan error, len(ids))
	for _, id := range ids {
		group.Add(1)
		go func() {
			defer group.Done()
			errors <- p.setup(id)
		}()
	}
	group.Wait()
	close(errors)
	for err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// Milliseconds of each.
type samples struct {
	Setups    []float64 `json:"setups"`
	Teardowns []float64 `json:"teardowns"`
}

func timed(into *[]float64, work func(string) error, id string) error {
	begin := time.Now()
	err := work(id)
	*into = append(*into, float64(time.Since(begin).Nanoseconds())/1e6)
	return err
}

// Each of the ids is torn down and set up again, without rest, by as many goroutines as there are callers, of which
// each has ids of its own: their number must be a multiple of the callers'.
func (p *pool) churn(ids []string, callers int, lasting time.Duration) (samples, error) {
	for _, id := range ids {
		if err := p.setup(id); err != nil {
			return samples{}, err
		}
	}
	p.warm()
	own := make([]samples, callers)
	errors := make([]error, callers)
	var group sync.WaitGroup
	end := time.Now().Add(lasting)
	for caller := range callers {
		group.Add(1)
		go func() {
			defer group.Done()
			for next := caller; errors[caller] == nil && time.Now().Before(end); next += callers {
				id := ids[next%len(ids)]
				if errors[caller] = timed(&own[caller].Teardowns, p.teardown, id); errors[caller] == nil {
					errors[caller] = timed(&own[caller].Setups, p.setup, id)
				}
			}
		}()
	}
	group.Wait()
	var all samples
	for caller := range callers {
		if errors[caller] != nil {
			return all, errors[caller]
		}
		all.Setups = append(all.Setups, own[caller].Setups...)
		all.Teardowns = append(all.Teardowns, own[caller].Teardowns...)
	}
	for _, id := range ids {
		if err := p.teardown(id); err != nil {
			return all, err
		}
	}
	return all, nil
}

func named(prefix string, count int) []string {
	ids := make([]string, count)
	for index := range ids {
		ids[index] = fmt.Sprintf("%s-%d", prefix, index)
	}
	return ids
}
