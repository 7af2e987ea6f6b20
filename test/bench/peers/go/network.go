package main

import (
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// What all VMs share; opened once.
type network struct {
	name, bridge, configBase64             string
	netnsDir, lockDir, recordDir           string
	storeDir, scratchDir                   string
	bridgeIndex, prefixLength              int
	subnet, gateway                        net.IP
	hostNamespace, storeLock, lastReserved int
	links                                  *netlink.Handle
	portSocket                             *nl.SocketHandle
	firewall                               *nftables.Conn
	ports, bindings                        *nftables.Set
	// A flock does not hold between goroutines that share its descriptor.
	store sync.Mutex
}

func openNetwork() (*network, error) {
	n := &network{
		name:         os.Getenv("BENCH_NETWORK"),
		bridge:       os.Getenv("BENCH_BRIDGE"),
		configBase64: os.Getenv("BENCH_CONFIG_BASE64"),
		netnsDir:     os.Getenv("BENCH_NETNS_DIR"),
		lockDir:      os.Getenv("BENCH_LOCK_DIR"),
		recordDir:    os.Getenv("BENCH_RECORD_DIR"),
		storeDir:     os.Getenv("BENCH_STORE_DIR"),
		scratchDir:   os.Getenv("BENCH_SCRATCH_DIR"),
		subnet:       net.ParseIP(os.Getenv("BENCH_SUBNET")).To4(),
		gateway:      net.ParseIP(os.Getenv("BENCH_GATEWAY")).To4(),
	}
	var err error
	if n.prefixLength, err = strconv.Atoi(os.Getenv("BENCH_PREFIX_LENGTH")); err != nil {
		return nil, err
	}
	if n.hostNamespace, err = unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	if err = n.openStore(); err != nil {
		return nil, err
	}
	if err = n.openLinks(); err != nil {
		return nil, err
	}
	return n, n.openFirewall()
}

func (n *network) openLinks() error {
	var err error
	if n.links, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return err
	}
	socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	n.portSocket = &nl.SocketHandle{Socket: socket}
	bridge, err := n.links.LinkByName(n.bridge)
	if err != nil {
		return err
	}
	n.bridgeIndex = bridge.Attrs().Index
	return nil
}

func (n *network) openFirewall() error {
	var err error
	if n.firewall, err = nftables.New(nftables.AsLasting()); err != nil {
		return err
	}
	table := &nftables.Table{Family: nftables.TableFamilyBridge, Name: os.Getenv("BENCH_TABLE")}
	if n.ports, err = n.firewall.GetSetByName(table, "ports"); err != nil {
		return err
	}
	n.bindings, err = n.firewall.GetSetByName(table, "bindings4")
	return err
}
