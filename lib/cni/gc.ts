import type { ValidAttachment } from './stdin.ts';
import type { CacheRecord, RuntimeConf } from './types.ts';

/** The network's attachments that are not to stay; `null`: none is. Their DEL is the first half of GC. */
export function staleRecords(
  records: readonly CacheRecord[],
  network: string,
  valid: readonly ValidAttachment[] | null,
): readonly CacheRecord[] {
  const isValid = ({ containerId, ifName }: CacheRecord) =>
    valid?.some((kept) => kept.containerId === containerId && kept.ifName === ifName) ?? false;
  return records.filter((record) => record.network === network && !isValid(record));
}

/** What a DEL or CHECK of a recorded attachment is told: what its ADD was. */
export function runtimeConfOf({
  containerId,
  netns,
  ifName,
  args,
  capabilityArgs,
}: CacheRecord): RuntimeConf {
  return { containerId, netns, ifName, args, capabilityArgs };
}
