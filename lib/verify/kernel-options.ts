/** Each feature of the kernel that is tried, and what gives it. */
export const kernelOptions: Readonly<Record<string, string>> = {
  netns: 'CONFIG_NET_NS',
  mount: 'CONFIG_NET_NS',
  bridge: 'CONFIG_BRIDGE (modprobe bridge)',
  bridge_port: 'CONFIG_BRIDGE (modprobe bridge)',
  veth: 'CONFIG_VETH (modprobe veth)',
  tap: 'CONFIG_TUN (modprobe tun)',
  ingress: 'CONFIG_NET_SCH_INGRESS (modprobe sch_ingress)',
  u32: 'CONFIG_NET_CLS_U32 (modprobe cls_u32)',
  mirred: 'CONFIG_NET_ACT_MIRRED (modprobe act_mirred)',
  nf_tables: 'CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET (modprobe nf_tables)',
  nft_comment: 'CONFIG_NF_TABLES of Linux 5.10 or newer',
  nft_interval: 'CONFIG_NF_TABLES (modprobe nf_tables)',
  nft_concatenation: 'CONFIG_NF_TABLES (modprobe nf_tables)',
  nft_conntrack: 'CONFIG_NFT_CT (modprobe nft_ct)',
  nft_masquerade: 'CONFIG_NFT_MASQ and CONFIG_NFT_NAT (modprobe nft_masq)',
  guard_bridge: 'CONFIG_NF_TABLES_BRIDGE, or set antiSpoofing to false',
  guard_routed: 'CONFIG_NF_TABLES_ARP, or set antiSpoofing to false',
  conntrack_netlink:
    'CONFIG_NF_CT_NETLINK (modprobe nf_conntrack_netlink): without it answers to a VM that is gone may reach whoever gets its address, and no slot of a pool is used again',
};
