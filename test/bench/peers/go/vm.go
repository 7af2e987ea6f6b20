package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

type vm struct {
	id, hostLink      string
	hostMac, guestMac net.HardwareAddr
	address           net.IP
	index             int
	// Its alias is written when it gets a name.
	unnamed bool
}

func nameVM(id string) *vm {
	hash := fnv.New64a()
	hash.Write([]byte(id))
	sum := hash.Sum64()
	bytes := binary.LittleEndian.AppendUint64(nil, sum)
	return &vm{
		id:       id,
		hostLink: fmt.Sprintf("vn%012x", sum>>16),
		hostMac:  append(net.HardwareAddr{0x02}, bytes[1:6]...),
		guestMac: append(net.HardwareAddr{0x06}, bytes[1:6]...),
	}
}

func (n *network) setup(id string) (*vm, error) {
	v := nameVM(id)
	lock, err := n.lock(v)
	if err != nil {
		return nil, err
	}
	defer unix.Close(lock)
	if n.recordExists(v) {
		return nil, unix.EEXIST
	}
	if err := n.reserveAddress(v); err != nil {
		return nil, err
	}
	namespace, err := n.createAnchor(v, lock)
	if err != nil {
		return nil, err
	}
	defer unix.Close(namespace)
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
	if err := n.links.LinkSetUp(hostLink(v)); err != nil {
		return nil, err
	}
	return v, n.writeRecord(v)
}

func (n *network) teardown(v *vm) error {
	lock, err := n.lock(v)
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	if err := n.cutHostLink(v); err != nil {
		return err
	}
	if err := n.deleteElements(v); err != nil {
		return err
	}
	if err := n.removeAnchor(v); err != nil {
		return err
	}
	if err := n.releaseAddress(v); err != nil {
		return err
	}
	if err := n.removeRecord(v); err != nil {
		return err
	}
	return n.removeLock(v)
}
