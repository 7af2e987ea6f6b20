package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A network without a name, built ahead of its VM; the descriptor holds its namespace.
type slot struct {
	*vm
	namespace int
}

// On a thread of its own, which it leaves in the host's namespace.
func (n *network) buildSlot(name string) (*slot, error) {
	v := nameVM(name)
	v.unnamed = true
	if err := n.reserveAddress(v); err != nil {
		return nil, err
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	namespace, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	inside, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	if err := createTap(inside, "tap0"); err != nil {
		return nil, err
	}
	if err := unix.Setns(n.hostNamespace, unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	if err := n.createLinks(v, namespace); err != nil {
		return nil, err
	}
	if err := n.configureNamespace(v, inside); err != nil {
		return nil, err
	}
	if err := n.addElements(v); err != nil {
		return nil, err
	}
	return &slot{v, namespace}, n.links.LinkSetUp(hostLink(v))
}

// The slot as the VM's: what it has stays, and gets the VM's name.
func (s *slot) of(id string) *vm {
	named := *s.vm
	named.id = id
	return &named
}

func (n *network) nameNamespace(v *vm, lock, namespace int) error {
	var stat unix.Stat_t
	if err := unix.Fstat(namespace, &stat); err != nil {
		return err
	}
	if _, err := unix.Pwrite(lock, []byte(fmt.Sprintf("%d:%d\n", stat.Dev, stat.Ino)), 0); err != nil {
		return err
	}
	path := n.anchorPath(v)
	name, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o444)
	if err != nil {
		return err
	}
	unix.Close(name)
	return unix.Mount(fmt.Sprintf("/proc/self/fd/%d", namespace), path, "", unix.MS_BIND, "")
}

// The address's file says whose it is from now on.
func (n *network) ownAddress(v *vm) error {
	scratch := n.scratchDir + "/" + v.id
	if err := writeFile(scratch, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, v.owner()); err != nil {
		return err
	}
	n.store.Lock()
	defer n.store.Unlock()
	if err := unix.Flock(n.storeLock, unix.LOCK_EX); err != nil {
		return err
	}
	if err := unix.Rename(scratch, n.storeDir+"/"+v.address.String()); err != nil {
		return err
	}
	return unix.Flock(n.storeLock, unix.LOCK_UN)
}

// What the library has of conntrack: it reads the table, and deletes what matches any of the filters. That takes tens of
// milliseconds, as the kernel walks the tables of all namespaces; an empty one is told by its count.
func forgetConnections(slots []*slot) error {
	count, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_count")
	if err == nil && strings.TrimSpace(string(count)) == "0" {
		return nil
	}
	var filters []netlink.CustomConntrackFilter
	for _, each := range slots {
		for _, side := range []netlink.ConntrackFilterType{netlink.ConntrackOrigSrcIP, netlink.ConntrackOrigDstIP} {
			filter := &netlink.ConntrackFilter{}
			if err := filter.AddIP(side, each.address); err != nil {
				return err
			}
			filters = append(filters, filter)
		}
	}
	_, err = netlink.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, filters...)
	return err
}
