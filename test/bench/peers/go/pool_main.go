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
// `churn COUNT PREFIX CALLERS MILLISECONDS`.
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

func (p *pool) answer(words []string) (any, error) {
	begin := time.Now()
	took := func(err error) (any, error) {
		return map[string]float64{"us": float64(time.Since(begin).Nanoseconds()) / 1e3}, err
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
	numbers := make([]int, 0, 3)
	for _, word := range append(words[1:2:2], words[3:]...) {
		number, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	ids := named(words[2], numbers[0])
	if words[0] == "burst" {
		begin = time.Now()
		return took(p.burst(ids))
	}
	return p.churn(ids, numbers[1], time.Duration(numbers[2])*time.Millisecond)
}
