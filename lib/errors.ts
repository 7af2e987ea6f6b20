import type { Operation } from './types.ts';

/**
 * Every way this package fails: when, and what to do about it. Codes never change their meaning.
 * A test fails for any code that no test raises.
 */
export const errorTable = {
  ERR_CLOSED: {
    when: 'a verb is called on a manager that is closed or closing, or a setup is under way when its manager closes',
    remedy: 'open a new NetworkManager',
  },
  ERR_NATIVE_LOAD: {
    when: 'the native addon is missing or a library it needs is not installed',
    remedy:
      'install libnl-3-200, libnl-route-3-200, libnftnl11 and libmnl0, and rebuild with npm rebuild vulcan-net',
  },
  ERR_PERMISSION: {
    when: 'the kernel refuses for lack of privilege',
    remedy:
      'run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN, with confDir, addressDir, stateDir and netnsDir in places where this user may write, and a /dev/net/tun that it may open',
  },
  ERR_VM_ID_INVALID: {
    when: 'a vmId is empty, longer than 64 characters, has characters outside [A-Za-z0-9_.-], or does not begin with one of [A-Za-z0-9]',
    remedy: 'use ^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$',
  },
  ERR_OPTION_INVALID: {
    when: 'an option has the right type but a value that makes no sense',
    remedy: 'see the message: it names the option and what it may be',
  },
  ERR_LINK_NAME_INVALID: {
    when: 'a bridge, TAP or interface name is empty, longer than 15 bytes, "." or "..", "all" or "default", or has "/", ":", "%" or white space; or another link has it',
    remedy: 'use 1 to 15 bytes, and a name that is free inside the namespace',
  },
  ERR_MAC_INVALID: {
    when: 'a MAC address is malformed, multicast, or all zero',
    remedy: 'use six hexadecimal pairs with an even first byte: 02:00:00:00:00:01',
  },
  ERR_SUBNET_INVALID: {
    when: 'a subnet is not CIDR, or has host bits set',
    remedy: 'write the network address: 10.168.0.0/24, not 10.168.0.5/24',
  },
  ERR_SUBNET_TOO_SMALL: {
    when: 'a subnet has no room for a gateway and a guest',
    remedy: 'use a prefix of /30 or shorter, for IPv6 /126 or shorter',
  },
  ERR_GATEWAY_OUTSIDE: {
    when: 'the gateway is not a host address of the subnet',
    remedy: 'choose an address inside the subnet that is neither its first nor its last',
  },
  ERR_CONFLIST_NOT_FOUND: {
    when: 'no conflist is at that path',
    remedy: 'check the path, or leave conflist out to have one generated',
  },
  ERR_CONFLIST_PARSE: {
    when: 'a conflist is not JSON',
    remedy: 'fix the file at the place that the message names',
  },
  ERR_CONFLIST_INVALID: {
    when: 'a conflist lacks its name, its plugins or their types, holds a value that the CNI specification forbids, or describes something that the native backend does not build',
    remedy: "fix the key that the message names, or use backend: 'cni'",
  },
  ERR_CONFLIST_FOREIGN: {
    when: 'the file where the generated conflist belongs was written by someone else',
    remedy: 'choose another network name or confDir, or pass that file as conflist',
  },
  ERR_CONFLIST_WRITE: {
    when: 'the generated conflist cannot be written',
    remedy: 'make confDir writable, or choose another',
  },
  ERR_VERSION_UNSUPPORTED: {
    when: 'a plugin, or this package, does not support the CNI version of the configuration',
    remedy:
      'set cniVersion to a version from 0.3.0 on that verify() lists for each plugin, or upgrade the plugin',
  },
  ERR_PLUGIN_NAME_INVALID: {
    when: 'a plugin type is empty or holds a slash',
    remedy: 'name the plugin by its file name alone, and its directory in pluginDirs',
  },
  ERR_PLUGIN_NOT_FOUND: {
    when: 'none of the plugin directories has the plugin',
    remedy: 'apt-get install containernetworking-plugins, or add its directory to pluginDirs',
  },
  ERR_PLUGIN_NOT_EXECUTABLE: {
    when: 'the plugin cannot be executed: no x bit, another architecture, or a file that is being written',
    remedy: 'install the plugin again: write it under another name and rename it into place',
  },
  ERR_PLUGIN_FAILED: {
    when: 'a plugin reports an error; its code, msg and details are in error.plugin',
    remedy: 'see error.plugin.msg',
  },
  ERR_PLUGIN_SILENT: {
    when: 'a plugin exits with a failure and prints no error',
    remedy: 'see error.plugin.exitCode and error.plugin.stderr',
  },
  ERR_PLUGIN_OUTPUT_INVALID: {
    when: 'a plugin prints what is not a CNI result or error',
    remedy: 'see error.plugin.stderr; run the plugin by hand with the same input',
  },
  ERR_PLUGIN_OUTPUT_TOO_LARGE: {
    when: 'a plugin prints more than the limit; it was killed',
    remedy: 'run the plugin by hand with the same input',
  },
  ERR_PLUGIN_TIMEOUT: {
    when: 'a plugin does not finish in time; it and all its children were killed',
    remedy: 'see what it waits for (strace -f), or raise pluginTimeoutMs',
  },
  ERR_PLUGIN_KILLED: {
    when: 'a signal ends a plugin',
    remedy: 'see error.plugin.signal; SIGKILL often means that memory ran out',
  },
  ERR_DESCRIPTORS: {
    when: 'the process, or the host, has as many files open as it may, or so many that a pool leaves the rest to other parts of the process',
    remedy: 'raise LimitNOFILE (systemd) or ulimit -n, of the host fs.file-max, or lower pool.max',
  },
  ERR_ADDRESSES_EXHAUSTED: {
    when: 'the network has no free address left',
    remedy: 'tear down VMs, run gc(), or choose a larger subnet',
  },
  ERR_ADDRESS_TAKEN: {
    when: 'the address requested for a setup belongs to another VM',
    remedy: 'choose another, or leave address out to get a free one',
  },
  ERR_BRIDGE_FULL: {
    when: 'the bridge has the 1,023 ports that the kernel allows, and so has every other bridge that the network may have',
    remedy: "tear down VMs, or use layout: 'bridges' with a larger subnet, or a second network",
  },
  ERR_LINK_EXISTS: {
    when: 'another link has the name of one that setup makes',
    remedy: 'call setup again: the link on the host gets another name each time',
  },
  ERR_RESULT_INCOMPLETE: {
    when: 'the chain succeeded but its result names no TAP device or no address',
    remedy: 'end the chain with tc-redirect-tap, and give the first plugin an ipam section',
  },
  ERR_ATTACHMENT_EXISTS: {
    when: 'the VM already has its network; nothing was touched',
    remedy:
      'call teardown(vmId) first, of a manager with the stateDir, network and backend that it was set up with; or use another vmId',
  },
  ERR_ATTACHMENT_NOT_FOUND: {
    when: 'check() or repair() is called for a VM that has no network',
    remedy: 'call setup(vmId) first',
  },
  ERR_ATTACHMENT_LOST: {
    when: 'in the report of repair(): what is left of a VM cannot be made whole again, and was left as it is',
    remedy: 'call teardown(vmId), or gc() where its record cannot be read, then setup(vmId)',
  },
  ERR_NETNS_FOREIGN: {
    when: "something that this library did not make stands at the VM's namespace path",
    remedy:
      "look at it (ip netns pids NAME): it may be a VM of a manager with another stateDir. If it is nobody's, ip netns del NAME; else use another vmId",
  },
  ERR_NETNS_HOST: {
    when: "the namespace path is the host's own network namespace",
    remedy: 'remove the name with ip netns del NAME, which ends nothing, and call setup again',
  },
  ERR_NETNS_BUSY: {
    when: 'teardown with wait: true gives up waiting for the processes that hold the namespace: time is up, or the manager closes',
    remedy: 'end the processes that the message names; the VM is already off the network',
  },
  ERR_STATE_DIR_UNSAFE: {
    when: 'a state directory is a symlink, may be written by others, or belongs to someone else',
    remedy: 'move a symlink or a file away; else chown it to the user that runs this process, and chmod go-w',
  },
  ERR_RECORD_WRITE: {
    when: 'the record of an attachment cannot be written (a full disk, a read-only file system)',
    remedy: 'free space, or choose a stateDir on another file system',
  },
  ERR_RECORD_MISMATCH: {
    when: 'the file where a record belongs is the record of another attachment',
    remedy: 'rename one of the networks or VMs: "a-b" with "c" and "a" with "b-c" share a file name',
  },
  ERR_RECORD_CORRUPT: {
    when: 'a record is not readable as JSON',
    remedy: 'look at the file that the message names and remove it, then call teardown(vmId)',
  },
  ERR_LOCK_TIMEOUT: {
    when: 'another process holds the lock of this VM or network for too long',
    remedy: 'see which process holds the file that the message names (fuser FILE)',
  },
  ERR_TIMEOUT: {
    when: 'the verb does not finish within timeoutMs',
    remedy: 'raise timeoutMs; error.step says what it was waiting for',
  },
  ERR_LINK_CUT: {
    when: "teardown cannot cut the VM's link; its address and record are kept so that no one else gets them",
    remedy: 'call teardown(vmId) or gc() again; error.cause says what the kernel refused',
  },
  ERR_TEARDOWN_INCOMPLETE: {
    when: 'some steps of a teardown failed; all the others were done; error.errors lists each failure',
    remedy:
      'fix the causes in error.errors, then call teardown(vmId) again; after close(), call it, or gc(), on a new NetworkManager',
  },
  ERR_BRIDGE_CONFLICT: {
    when: 'the bridge name belongs to another kind of link or to another network, or the bridge has another address; or the network exists with another subnet, gateway, layout, bridge, number of bridges or addressDir',
    remedy:
      'choose another bridge, or remove the one that is there; to open the network otherwise than it is there, removeNetwork() first',
  },
  ERR_SUBNET_CONFLICT: {
    when: 'the subnet overlaps that of another network in the firewall table, or a route of the host; or the host itself has, on another link, an address that a guest or the gateway would get',
    remedy:
      "choose another subnet; where the route is of this network's own bridge by an older name, open with that bridge and removeNetwork() first",
  },
  ERR_FIREWALL: {
    when: 'the kernel refuses a change of the nftables table',
    remedy:
      'see error.cause: a family of tables needs CONFIG_NF_TABLES_INET, _BRIDGE (antiSpoofing) or _ARP (routed); verify() tries them',
  },
  ERR_KERNEL: {
    when: 'the kernel refuses a step for a reason that has no code of its own',
    remedy: 'see error.cause and error.kernelMessage; run verify()',
  },
  ERR_NETWORK_IN_USE: {
    when: 'removeNetwork() is called while the network has attachments, or another manager has a pool of it open',
    remedy: 'tear them down first, or gc({ keep: [] }); close the manager that has the pool',
  },
  ERR_NETWORK_REMOVED: {
    when: 'the network that a manager has open, or your own bridge that it uses, is gone, or was made again differently',
    remedy: 'open a new NetworkManager; if it was your own bridge, make it again, then call repair()',
  },
  ERR_VERIFY: {
    when: "open() with verify: 'throw' finds something of severity error",
    remedy: 'follow the remedies in the message',
  },
  ERR_NO_IPV4: {
    when: 'an ip= boot argument is requested for a VM without an IPv4 address',
    remedy: 'configure the guest from inside: the kernel argument supports only IPv4',
  },
} as const satisfies Record<`ERR_${string}`, { readonly when: string; readonly remedy: string }>;

/** A closed set; the table above says when each is raised. */
export type ErrorCode = keyof typeof errorTable;

/** A message of which the problem is in the kernel's words alone. */
export function withRemedy(code: ErrorCode, problem: string): string {
  return `${problem}; ${errorTable[code].remedy}`;
}

/** What a plugin said when it failed. */
export interface PluginFailure {
  readonly type: string;
  readonly command: string;
  /** CNI error code; 999 for an error of the plugin's own. */
  readonly code?: number;
  readonly msg?: string;
  readonly details?: string;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  readonly stderr?: string;
}

export interface NetworkErrorFields {
  readonly operation?: Operation;
  /** The step that failed: `anchor`, `plugin:bridge ADD`, `record`; `arguments` where the verb was told what is not allowed. */
  readonly step?: string;
  /** Negative, as libuv has it; only when the kernel refused. */
  readonly errno?: number;
  readonly syscall?: string;
  readonly path?: string;
  readonly vmId?: string;
  readonly network?: string;
  readonly plugin?: PluginFailure;
  /** The kernel's extended acknowledgement. */
  readonly kernelMessage?: string;
  /** After a failed `setup`: whether everything it had begun was undone. */
  readonly rolledBack?: boolean;
  /** Each step that failed, where several did. */
  readonly errors?: readonly Error[];
  readonly cause?: unknown;
}

/** Those that are known; `cause` is up to the constructor of errors. */
function defineFields(error: Error, fields: object): void {
  for (const [key, value] of Object.entries(fields)) {
    if (key !== 'cause' && value !== undefined) {
      Object.defineProperty(error, key, { value, enumerable: true, configurable: true });
    }
  }
}

/** JSON has nothing of an error's message, but of those that say so themselves. */
function plain(error: unknown): unknown {
  if (!(error instanceof Error) || 'toJSON' in error) return error;
  return { ...error, name: error.name, message: error.message };
}

const brand = Symbol.for('vulcan-net.NetworkError');

/**
 * Everything that the world did wrong. Misuse throws `TypeError`, with the `code` ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE;
 * cancellation rejects with `AbortError`.
 */
export class NetworkError extends Error {
  declare readonly operation?: Operation;
  declare readonly step?: string;
  declare readonly errno?: number;
  declare readonly syscall?: string;
  declare readonly path?: string;
  declare readonly vmId?: string;
  declare readonly network?: string;
  declare readonly plugin?: PluginFailure;
  declare readonly kernelMessage?: string;
  declare readonly rolledBack?: boolean;
  declare readonly errors?: readonly Error[];
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, fields: NetworkErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    defineFields(this, fields);
    Object.defineProperty(this, brand, { value: true });
  }

  /** What to do about it, in general; the message has the particulars. */
  get remedy(): string {
    return errorTable[this.code].remedy;
  }

  /** The same error with more fields: which verb, which VM, whether the undo was complete. */
  with(fields: NetworkErrorFields): NetworkError {
    const merged = new NetworkError(this.code, this.message, { ...this.#fields(), ...fields });
    merged.stack = this.stack ?? '';
    return merged;
  }

  toJSON(): Record<string, unknown> {
    const { cause, errors, ...rest } = this.#fields();
    return {
      ...{ name: this.name, code: this.code, message: this.message, ...rest },
      ...(errors === undefined ? {} : { errors: errors.map(plain) }),
      ...(cause === undefined ? {} : { cause: plain(cause) }),
    };
  }

  #fields(): NetworkErrorFields {
    const { code: _code, ...own } = { ...this } as NetworkErrorFields & { code: ErrorCode };
    return this.cause === undefined ? own : { ...own, cause: this.cause };
  }
}
Object.defineProperty(NetworkError.prototype, 'name', { value: 'NetworkError' });

/** Whether `error` is a NetworkError, also of another copy of this package; with `code`, whether it is that one. */
export function isNetworkError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is NetworkError & { readonly code: Code } {
  return (
    error instanceof Error &&
    (error as { [brand]?: unknown })[brand] === true &&
    (code === undefined || (error as NetworkError).code === code)
  );
}

/** As Node's own APIs answer misuse. */
export function misuse(code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE', message: string): TypeError {
  return Object.assign(new TypeError(message), { code });
}

export interface AbortErrorFields
  extends Pick<NetworkErrorFields, 'operation' | 'step' | 'vmId' | 'network' | 'cause'> {}

/** What an aborted verb rejects with, as Node's own APIs do; `cause` is the signal's reason. */
export class AbortError extends Error {
  /** The verb that was aborted. */
  declare readonly operation?: Operation;
  /** The step that it had come to; none where it had not begun. */
  declare readonly step?: string;
  declare readonly vmId?: string;
  declare readonly network?: string;
  readonly code = 'ABORT_ERR';
  /** Whether everything that had begun was undone. */
  readonly rolledBack: boolean;

  constructor(rolledBack: boolean, fields: AbortErrorFields = {}) {
    super(abortMessage(fields), fields.cause === undefined ? undefined : { cause: fields.cause });
    this.rolledBack = rolledBack;
    defineFields(this, fields);
  }

  toJSON(): Record<string, unknown> {
    const { code, operation, step, vmId, network, rolledBack, cause } = this;
    const about = { operation, step, vmId, network, rolledBack, cause: plain(cause) };
    return { name: this.name, code, message: this.message, ...about };
  }
}
Object.defineProperty(AbortError.prototype, 'name', { value: 'AbortError' });

function abortMessage({ operation, vmId, step }: AbortErrorFields): string {
  const verb = operation === undefined ? '' : `: ${operation}${vmId === undefined ? '' : ` ${vmId}`}`;
  return `The operation was aborted${verb}${step === undefined ? '' : `, at step ${step}`}`;
}
