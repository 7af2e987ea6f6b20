/**
 * Where a native attachment differs from that of the chain of plugins, on purpose: all that a test lets pass, and what the
 * README tells. A line of either state that differs must fit one of these; one that nothing fits any more fails, too.
 *
 * @type {readonly { readonly what: string; readonly chain: RegExp | null; readonly native: RegExp | null; readonly why: string }[]}
 */
export const endStateDifferences = [
  {
    what: 'one queue for each end of the pair',
    chain: /queues (HOST|eth0) [2-9] [2-9]$|queues (HOST|eth0) \d\d+ \d\d+$/,
    native: /queues (HOST|eth0) 1 1$/,
    why: 'the kernel makes one for each CPU, and frees them one by one; a TAP has one queue',
  },
  {
    what: 'no IPv6 address or route on the links of an IPv4 network',
    chain: /fe80::/,
    native: null,
    why: 'the kernel would announce them to the network: noise on every bridge, and a way around a firewall for IPv4',
  },
  {
    what: 'the bridge forwards at once, and does not follow multicast groups',
    chain: /^link fcbr0: (forward_delay=1500|mcast_snooping=1)$/,
    native: /^link fcbr0: (forward_delay=0|mcast_snooping=0)$/,
    why: 'a new VM must not wait 15 seconds, nor the bridge keep a table of every port for groups that nobody joins',
  },
  {
    what: 'an alias on the link of the host',
    chain: null,
    native: /^link HOST: alias=/,
    why: 'it says whose the link is, after a crash too; the chain has no equivalent',
  },
  {
    what: 'the port is in a group of links for guests',
    chain: null,
    native: /^link HOST: group=1996488704$/,
    why: 'it lets the firewall drop what arrives on a port whose bridge was deleted',
  },
  {
    what: 'frames to the groups that bridges keep for themselves are forwarded',
    chain: /^link HOST: group_fwd_mask(_str)?=0(x0)?$/,
    native: /^link HOST: group_fwd_mask(=0xfffd|_str=\S+)$/,
    why: 'a bridge hands them to the host unseen by its rules, and learns the sources that they claim',
  },
  {
    what: 'tables of rules',
    chain: null,
    native: /^nft /,
    why: 'masquerade, the firewall and the guard against spoofing are the library’s, for either backend; the chain has none of them here',
  },
  {
    what: 'the VM’s lock',
    chain: null,
    native: /^file \S+\/locks\//,
    why: 'it keeps two processes from changing one VM at once, and says which namespace was made for it',
  },
];
