package main

import (
	"encoding/binary"
	"net"

	"golang.org/x/sys/unix"
)

// host-local's store: a file per address, `<containerId>\r\n<ifName>`, all changes under its flock.

func (n *network) openStore() error {
	var err error
	flags := unix.O_RDONLY | unix.O_CREAT | unix.O_CLOEXEC
	if n.storeLock, err = unix.Open(n.storeDir+"/lock", flags, 0o750); err != nil {
		return err
	}
	flags = unix.O_RDWR | unix.O_CREAT | unix.O_CLOEXEC
	n.lastReserved, err = unix.Open(n.storeDir+"/last_reserved_ip.0", flags, 0o600)
	return err
}

func (v *vm) owner() string { return v.id + "\r\neth0" }

func (n *network) after(address uint32) uint32 {
	first := binary.BigEndian.Uint32(n.subnet) + 1
	last := (first | 0xffffffff>>n.prefixLength) - 1
	for {
		if address >= last {
			address = first
		} else {
			address++
		}
		if address != binary.BigEndian.Uint32(n.gateway) {
			return address
		}
	}
}

func (n *network) lastAddress() uint32 {
	text := make([]byte, 16)
	length, err := unix.Pread(n.lastReserved, text, 0)
	if err == nil {
		if last := net.ParseIP(string(text[:length])).To4(); last != nil {
			return binary.BigEndian.Uint32(last)
		}
	}
	return binary.BigEndian.Uint32(n.gateway)
}

func (n *network) reserveAddress(v *vm) error {
	scratch := n.scratchDir + "/" + v.id
	if err := writeFile(scratch, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, v.owner()); err != nil {
		return err
	}
	if err := unix.Flock(n.storeLock, unix.LOCK_EX); err != nil {
		return err
	}
	for candidate := n.after(n.lastAddress()); ; candidate = n.after(candidate) {
		v.address = net.IP(binary.BigEndian.AppendUint32(nil, candidate))
		err := unix.Link(scratch, n.storeDir+"/"+v.address.String())
		if err == nil {
			break
		}
		if err != unix.EEXIST {
			return err
		}
	}
	text := []byte(v.address.String())
	if _, err := unix.Pwrite(n.lastReserved, text, 0); err != nil {
		return err
	}
	if err := unix.Ftruncate(n.lastReserved, int64(len(text))); err != nil {
		return err
	}
	if err := unix.Flock(n.storeLock, unix.LOCK_UN); err != nil {
		return err
	}
	return unix.Unlink(scratch)
}

func (n *network) releaseAddress(v *vm) error {
	path := n.storeDir + "/" + v.address.String()
	n.store.Lock()
	defer n.store.Unlock()
	if err := unix.Flock(n.storeLock, unix.LOCK_EX); err != nil {
		return err
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	found := make([]byte, 80)
	length, err := unix.Read(fd, found)
	unix.Close(fd)
	if err != nil || string(found[:length]) != v.owner() {
		return unix.EPERM
	}
	if err := unix.Unlink(path); err != nil {
		return err
	}
	return unix.Flock(n.storeLock, unix.LOCK_UN)
}
