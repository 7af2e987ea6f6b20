/** What the host says of itself: the firewalls of others, the features of its kernel, who holds a namespace. */

export interface ForeignChain {
  /** `ip`, `ip6`, `inet`, `bridge`; `legacy` for a chain of the old iptables. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly hook: 'forward' | 'input';
  /** Whether it drops or rejects a packet that meets none of its conditions. */
  readonly drops: boolean;
  /** Whether frames that never leave a bridge pass it too (`bridge-nf-call-iptables`). */
  readonly bridged: boolean;
  /** Whether its table has the chain that Docker leaves to others, and asks before its own. */
  readonly dockerUser: boolean;
}

export interface ProbeResult {
  /** `netns`, `bridge`, `veth`, `tap`, `ingress`, `u32`, `mirred`, `nf_tables`, `nft_masquerade`, `nft_conntrack`, ... */
  readonly feature: string;
  readonly ok: boolean;
  /** When not ok: the errno's name, and what was tried. */
  readonly error: string | null;
  readonly syscall: string | null;
}

export interface NamespaceHolder {
  readonly pid: number;
  readonly command: string;
  /** `member`: runs in it; `fd`: holds it open; `mount`: sees it mounted elsewhere. */
  readonly via: 'member' | 'fd' | 'mount';
}
