package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// libcni's cache record: kind, container, configuration, interface, network, namespace, result.
const recordFormat = `{"kind":"cniCacheV1","containerId":"%[1]s","config":"%[2]s","ifName":"eth0","networkName":"%[3]s",` +
	`"netns":"%[4]s","result":{"cniVersion":"1.0.0","interfaces":[{"name":"%[5]s"},` +
	`{"mac":"%[6]s","name":"%[7]s"},{"mac":"%[8]s","name":"eth0","sandbox":"%[4]s"},` +
	`{"name":"tap0","sandbox":"%[4]s"},{"mac":"%[8]s","name":"tap0","sandbox":"%[1]s"}],` +
	`"ips":[{"address":"%[9]s/%[10]d","gateway":"%[11]s","interface":2},` +
	`{"address":"%[9]s/%[10]d","gateway":"%[11]s","interface":4}],"routes":[{"dst":"0.0.0.0/0"}]}}`

func (n *network) recordName(v *vm) string { return n.name + "-" + v.id + "-eth0" }

func (n *network) recordPath(v *vm) string { return n.recordDir + "/" + n.recordName(v) }

func (n *network) recordExists(v *vm) bool { return unix.Access(n.recordPath(v), unix.F_OK) == nil }

func (n *network) writeRecord(v *vm) error {
	text := fmt.Sprintf(recordFormat, v.id, n.configBase64, n.name, n.anchorPath(v), n.bridge, v.hostMac, v.hostLink,
		v.guestMac, v.address, n.prefixLength, n.gateway)
	temporary := n.recordDir + "/." + n.recordName(v) + ".tmp"
	if err := writeFile(temporary, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, text); err != nil {
		return err
	}
	return unix.Rename(temporary, n.recordPath(v))
}

func (n *network) removeRecord(v *vm) error { return unix.Unlink(n.recordPath(v)) }
