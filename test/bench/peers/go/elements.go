package main

import "github.com/google/nftables"

// A concatenated key: each field on a multiple of four bytes.
func (v *vm) elements() (port, binding []nftables.SetElement) {
	name := make([]byte, 16)
	copy(name, v.hostLink)
	key := make([]byte, 0, 28)
	key = append(key, name...)
	key = append(key, v.guestMac...)
	key = append(key, 0, 0)
	key = append(key, v.address.To4()...)
	return []nftables.SetElement{{Key: name}}, []nftables.SetElement{{Key: key}}
}

func (n *network) addElements(v *vm) error {
	port, binding := v.elements()
	if err := n.firewall.SetAddElements(n.ports, port); err != nil {
		return err
	}
	if err := n.firewall.SetAddElements(n.bindings, binding); err != nil {
		return err
	}
	return n.firewall.Flush()
}

func (n *network) deleteElements(v *vm) error {
	port, binding := v.elements()
	if err := n.firewall.SetDeleteElements(n.ports, port); err != nil {
		return err
	}
	if err := n.firewall.SetDeleteElements(n.bindings, binding); err != nil {
		return err
	}
	return n.firewall.Flush()
}
