package main

import (
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Indexes in a new namespace are known: lo is 1, the first link 2.
const (
	tapIndex = 2
	ethIndex = 3
)

const (
	addrGenModeNone = 1
	portState       = 1 // IFLA_BRPORT_STATE
	portDisabled    = 0 // BR_STATE_DISABLED
)

// In the calling thread's namespace. The index is given so that the library does not look it up.
func createTap(h *netlink.Handle, name string) error {
	return h.LinkAdd(&netlink.Tuntap{
		LinkAttrs: netlink.LinkAttrs{Name: name, Index: tapIndex},
		Mode:      netlink.TUNTAP_MODE_TAP,
		Flags:     netlink.TUNTAP_VNET_HDR,
		Owner:     uint32(os.Geteuid()),
		Group:     uint32(os.Getegid()),
	})
}

func hostLink(v *vm) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: v.hostLink, Index: v.index}}
}

// One queue; the peer end is born in the namespace. Master and alias are not taken with a birth by the library.
func (n *network) createLinks(v *vm, namespace int) error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = v.hostLink
	attributes.HardwareAddr = v.hostMac
	attributes.NumTxQueues = 1
	attributes.NumRxQueues = 1
	attributes.MasterIndex = n.bridgeIndex
	pair := &netlink.Veth{
		LinkAttrs:        attributes,
		PeerName:         "eth0",
		PeerHardwareAddr: v.guestMac,
		PeerNamespace:    netlink.NsFd(namespace),
		PeerTxQLen:       -1,
	}
	if err := n.links.LinkAdd(pair); err != nil {
		return err
	}
	v.index = pair.Index
	if !v.unnamed {
		if err := n.links.LinkSetAlias(pair, fmt.Sprintf("vulcan-net %s %s eth0", n.name, v.id)); err != nil {
			return err
		}
	}
	return writeFile("/proc/sys/net/ipv6/conf/"+v.hostLink+"/disable_ipv6", unix.O_WRONLY, "1")
}

func addRedirect(h *netlink.Handle, from, to int) error {
	return h.FilterAdd(&netlink.U32{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: from,
			Parent:    netlink.MakeHandle(0xffff, 0),
			Protocol:  unix.ETH_P_ALL,
		},
		Actions: []netlink.Action{netlink.NewMirredAction(to)},
	})
}

func (n *network) configureNamespace(v *vm, h *netlink.Handle) error {
	tap := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "tap0", Index: tapIndex}}
	eth := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: "eth0", Index: ethIndex}}
	for _, link := range []netlink.Link{tap, eth} {
		if err := h.LinkSetIP6AddrGenMode(link, addrGenModeNone); err != nil {
			return err
		}
		if err := h.QdiscAdd(&netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: link.Attrs().Index,
			Handle:    netlink.MakeHandle(0xffff, 0),
			Parent:    netlink.HANDLE_INGRESS,
		}}); err != nil {
			return err
		}
	}
	if err := addRedirect(h, tapIndex, ethIndex); err != nil {
		return err
	}
	if err := addRedirect(h, ethIndex, tapIndex); err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: v.address, Mask: net.CIDRMask(n.prefixLength, 32)}}
	if err := h.AddrAdd(eth, address); err != nil {
		return err
	}
	if err := h.LinkSetUp(tap); err != nil {
		return err
	}
	if err := h.LinkSetUp(eth); err != nil {
		return err
	}
	return h.RouteAdd(&netlink.Route{LinkIndex: ethIndex, Gw: n.gateway})
}

// The library has no port state; its request type does.
func (n *network) cutHostLink(v *vm) error {
	request := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: n.portSocket}
	message := nl.NewIfInfomsg(unix.AF_BRIDGE)
	message.Index = int32(v.index)
	request.AddData(message)
	port := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
	port.AddRtAttr(portState, []byte{portDisabled})
	request.AddData(port)
	_, err := request.Execute(unix.NETLINK_ROUTE, 0)
	return err
}
