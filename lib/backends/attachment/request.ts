import type { NamespaceId } from '../../native/sys.ts';
import type { Departure, NetworkConfig, TapOwner } from '../../types.ts';

/** What a backend is asked for, and what it has made. */

export interface AttachRequest {
  readonly vmId: string;
  readonly containerId: string;
  /** `null`: the kernel's choice. */
  readonly mac: string | null;
  /** `null`: the next free one. */
  readonly address: string | null;
  readonly tapName: string;
  readonly tapOwner: TapOwner;
}

export interface Made {
  readonly config: NetworkConfig;
  /** Its link on the host, by which it is told from every other attachment of the VM; `null` where it has none. */
  readonly hostLink: string | null;
}

/** An attachment, as the manager that made it knows it. */
export interface OwnVm extends Pick<Made, 'hostLink'>, Pick<AttachRequest, 'vmId' | 'containerId'> {}

export interface DetachRequest {
  readonly vmId: string;
  /** Only the attachment that has this link on the host; `null`: whichever there is. */
  readonly only: string | null;
  /** That of what this manager has made of the VM, and not torn down since. `null`: nothing, or a chain without one. */
  readonly own: string | null;
  /** Whether the caller waits until its namespace is free: it is neither kept for another VM, nor freed together with others. */
  readonly wait: boolean;
}

export interface Detached {
  readonly departure: Departure;
  /** What was its namespace, where that is certain. */
  readonly netns: NamespaceId | null;
}
