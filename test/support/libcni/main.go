// libcni-client runs a network's chain by libcni: cnitool with any container id, interface and cache directory.
//
//	libcni-client [FLAGS] add|check|del|gc|status NETWORK
//
// CNI_PATH, CNI_ARGS and CAP_ARGS are cnitool's. With -valid, gc keeps the given attachment; without, nothing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

var (
	confDir  = flag.String("conf-dir", "/etc/cni/conf.d", "directory of the conflist")
	cacheDir = flag.String("cache-dir", libcni.CacheDir, "directory of the result cache")
	id       = flag.String("id", "", "container id")
	netns    = flag.String("netns", "", "path of the namespace")
	ifName   = flag.String("ifname", "eth0", "interface")
	valid    = flag.Bool("valid", false, "gc keeps the attachment that the flags name")
)

func parseArgs(text string) [][2]string {
	var args [][2]string
	for _, pair := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' }) {
		key, value, _ := strings.Cut(pair, "=")
		args = append(args, [2]string{key, value})
	}
	return args
}

func capabilityArgs() (map[string]interface{}, error) {
	text := os.Getenv("CAP_ARGS")
	if text == "" {
		return nil, nil
	}
	var args map[string]interface{}
	return args, json.Unmarshal([]byte(text), &args)
}

func run(command, network string) error {
	list, err := libcni.LoadNetworkConf(*confDir, network)
	if err != nil {
		return err
	}
	capabilities, err := capabilityArgs()
	if err != nil {
		return err
	}
	cni := libcni.NewCNIConfigWithCacheDir(filepath.SplitList(os.Getenv("CNI_PATH")), *cacheDir, nil)
	rt := &libcni.RuntimeConf{
		ContainerID:    *id,
		NetNS:          *netns,
		IfName:         *ifName,
		Args:           parseArgs(os.Getenv("CNI_ARGS")),
		CapabilityArgs: capabilities,
	}
	ctx := context.Background()
	switch command {
	case "add":
		result, err := cni.AddNetworkList(ctx, list, rt)
		if err != nil {
			return err
		}
		return result.Print()
	case "check":
		return cni.CheckNetworkList(ctx, list, rt)
	case "del":
		return cni.DelNetworkList(ctx, list, rt)
	case "gc":
		args := &libcni.GCArgs{ValidAttachments: []types.GCAttachment{}}
		if *valid {
			args.ValidAttachments = append(args.ValidAttachments, types.GCAttachment{ContainerID: *id, IfName: *ifName})
		}
		return cni.GCNetworkList(ctx, list, args)
	case "status":
		return cni.GetStatusNetworkList(ctx, list)
	}
	return fmt.Errorf("unknown command %q", command)
}

func main() {
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(64)
	}
	if err := run(flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
