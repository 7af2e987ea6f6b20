// The Go peer: vishvananda/netlink and google/nftables, in process, written as well as the two allow. It reads
// `setup ID` and `teardown ID` from stdin, and answers each with a line of JSON.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	// Namespaces belong to threads: all work stays on this one.
	runtime.LockOSThread()
	network, err := openNetwork()
	if err != nil {
		log.Fatal(err)
	}
	if size, err := strconv.Atoi(os.Getenv("BENCH_POOL")); err == nil {
		servePool(network, size)
		return
	}
	vms := map[string]*vm{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		verb, id, _ := strings.Cut(lines.Text(), " ")
		begin := time.Now()
		if verb == "setup" {
			vms[id], err = network.setup(id)
		} else {
			err = network.teardown(vms[id])
		}
		elapsed := time.Since(begin)
		if err != nil {
			log.Fatalf("%s %s: %v", verb, id, err)
		}
		if verb == "teardown" {
			delete(vms, id)
		}
		fmt.Printf("{\"verb\":%q,\"id\":%q,\"us\":%.2f}\n", verb, id, float64(elapsed.Nanoseconds())/1e3)
	}
}
