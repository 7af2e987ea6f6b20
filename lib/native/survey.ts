/** What there is of attachments, in one reading; and what is put back of one. */
import type { GuardedPort } from './attachment.ts';
import type { LinkInfo } from './netlink.ts';
import type { AnchorState } from './sys.ts';
import type { Task } from './task.ts';

export interface NamespaceId {
  readonly inode: number;
  readonly device: number;
}

export interface SurveyPlan extends Task {
  /** Directory of anchors, and how their names begin; the rest of a name is that of the VM's lock. */
  readonly anchors: string;
  readonly prefix: string;
  readonly locks: string;
  /** host-local's directory of the network; `null`: not read. */
  readonly addresses: string | null;
}

/** Without any lock, and without a look into a namespace. */
export interface Survey {
  /** By name of the lock's file; `netns: null` where it claims no namespace, `container` as in an anchor's state. */
  readonly claims: readonly {
    readonly name: string;
    readonly netns: NamespaceId | null;
    readonly container: string | null;
  }[];
  readonly anchors: readonly (AnchorState & { readonly name: string })[];
  /** Of the host. */
  readonly links: readonly LinkInfo[];
  /** Elements of the guard's table, also where only a part of a port's is there. */
  readonly guarded: readonly GuardedPort[];
  readonly addresses: readonly { readonly ip: string; readonly owner: string; readonly ageMs: number }[];
}

/** One thing inside a namespace that is put back. What is there already is fine. */
export type Amendment =
  /** Made when it is missing, else given to its owner: EBUSY while a VMM is attached. */
  | { readonly kind: 'tap'; readonly name: string; readonly uid: number; readonly gid: number }
  | {
      readonly kind: 'link';
      readonly name: string;
      readonly up?: boolean;
      readonly mtu?: number;
      readonly mac?: string;
    }
  | { readonly kind: 'address'; readonly link: string; readonly address: string }
  | {
      readonly kind: 'route';
      readonly link: string;
      readonly destination: string;
      readonly gateway: string | null;
    }
  /** All that comes in on `from` goes out on `to`, and nowhere else. */
  | { readonly kind: 'redirect'; readonly from: string; readonly to: string };

export interface AmendPlan extends Task {
  readonly netns: string;
  readonly amendments: readonly Amendment[];
}

export interface NamedText {
  readonly name: string;
  /** `null`: larger than the limit. */
  readonly text: string | null;
}
