package main

import "golang.org/x/sys/unix"

// Plain system calls: os.File would register every descriptor with the poller.
func writeFile(path string, flags int, text string) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	return err
}

func (n *network) lock(v *vm) (int, error) {
	path := n.lockDir + "/" + v.id
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return -1, err
	}
	var held, named unix.Stat_t
	if err := unix.Fstat(fd, &held); err != nil {
		return -1, err
	}
	if err := unix.Lstat(path, &named); err != nil || held.Ino != named.Ino || held.Dev != named.Dev {
		return -1, unix.ESTALE
	}
	return fd, nil
}

func (n *network) removeLock(v *vm) error { return unix.Unlink(n.lockDir + "/" + v.id) }
