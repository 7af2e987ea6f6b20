package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"
)

// What the peer reads instead where it has a pool: `warm`, `setup ID`, `teardown ID`, `burst COUNT PREFIX` and
// `churn COUNT MILLISECONDS PREFIX`.
func servePool(n *network, size int) {
	p, err := openPool(n, size, os.Getenv("BENCH_RECYCLE") == "1")
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer, err := p.answer(strings.Fields(lines.Text()))
		if err != nil {
			log.Fatalf("%s: %v", lines.Text(), err)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(text))
	}
}

func (p *pool) answer(words []string) (map[string]any, error) {
	begin := time.Now()
	took := func(err error) (map[string]any, error) {
		return map[string]any{"us": float64(time.Since(begin).Nanoseconds()) / 1e3}, err
	}
	switch words[0] {
	case "warm":
		p.warm()
		return took(nil)
	case "setup":
		return took(p.setup(words[1]))
	case "teardown":
		return took(p.teardown(words[1]))
	}
	count, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, err
	}
	if words[0] == "burst" {
		lasted, err := p.burst(named(words[2], count))
		return map[string]any{"us": float64(lasted.Nanoseconds()) / 1e3}, err
	}
	milliseconds, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, err
	}
	setups, teardowns, err := p.churn(named(words[3], count), time.Duration(milliseconds)*time.Millisecond)
	return map[string]any{"us": 0, "setups": setups, "teardowns": teardowns}, err
}
