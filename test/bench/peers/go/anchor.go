package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func (n *network) anchorPath(v *vm) string { return n.netnsDir + "/vulcan-" + v.id }

// Leaves the thread in the new namespace.
func (n *network) createAnchor(v *vm, lock int) (int, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, err
	}
	namespace, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(namespace, &stat); err != nil {
		return -1, err
	}
	if _, err := unix.Pwrite(lock, []byte(fmt.Sprintf("%d:%d\n", stat.Dev, stat.Ino)), 0); err != nil {
		return -1, err
	}
	path := n.anchorPath(v)
	name, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o444)
	if err != nil {
		return -1, err
	}
	unix.Close(name)
	return namespace, unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, "")
}

func (n *network) removeAnchor(v *vm) error {
	if err := unix.Unmount(n.anchorPath(v), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
		return err
	}
	return unix.Unlink(n.anchorPath(v))
}
