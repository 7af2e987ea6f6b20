import { AbortError, isNetworkError, NetworkError } from '../errors.ts';
import { type ChainOptions, callInChain, type RunOptions, refuseHostNamespace } from './call.ts';
import { collect } from './collect.ts';
import { convertResult, currentResult } from './convert.ts';
import { assertArgs, noAttachment } from './environment.ts';
import { findPlugin } from './find.ts';
import { assertContainerId, assertIfName } from './names.ts';
import { pluginError } from './outcome.ts';
import { parseJson } from './protocol.ts';
import { decodeResult } from './result.ts';
import { attachmentStdin, gcStdin, statusStdin, type ValidAttachment } from './stdin.ts';
import type { AnyResult, ConfList, PluginConf, Result, RuntimeConf } from './types.ts';
import { atLeast } from './version.ts';

export type { ChainOptions, RunOptions } from './call.ts';

export interface AddOptions extends RunOptions {
  /** Between a plugin and the next. What it throws fails the ADD, and the chain is undone. */
  readonly afterPlugin?: ((index: number, result: Result) => void | Promise<void>) | undefined;
}

/** Whether it matters what the DEL of the plugin at `index` failed with. */
type Counts = (index: number, failure: NetworkError) => boolean;

/** What is known of an ADD that is to be undone. */
interface Added {
  readonly result: AnyResult | null;
  readonly counts: Counts;
}

/** A network's plugins, run in order: CNI's operations on a conflist. Locks and records are the caller's. */
export class Chain {
  readonly list: ConfList;
  readonly #options: ChainOptions;

  constructor(list: ConfList, options: ChainOptions) {
    this.list = list;
    this.#options = options;
  }

  /**
   * Runs the plugins in order, each with the result of the one before. When one fails, or the signal aborts, the whole
   * chain is run backwards with DEL, going on past failures, before the promise rejects; `rolledBack` says whether that
   * was complete, and `errors` what failed of it. A plugin that refuses both ADD and DEL for the configuration's version
   * has nothing to undo.
   */
  async add(target: RuntimeConf, options: AddOptions = {}): Promise<AnyResult> {
    const { name, plugins } = this.list;
    assertContainerId(target.containerId);
    assertIfName(target.ifName);
    assertArgs(target.args);
    await refuseHostNamespace(this.#options, target);
    const { runner, pluginDirs } = this.#options;
    for (const { type } of plugins) {
      await findPlugin(runner, { type, command: 'ADD' }, pluginDirs, options.signal);
    }
    let result: AnyResult | null = null;
    let [started, completed] = [0, 0];
    try {
      for (const [index, plugin] of plugins.entries()) {
        started = index + 1;
        result = await this.#addOne(plugin, target, result, options);
        completed = started;
        await options.afterPlugin?.(index, currentResult(result));
      }
    } catch (error) {
      const begun = neverRan(error) ? started - 1 : started;
      const counts: Counts = (index, failure) =>
        index < completed || (index < begun && !(refusesVersion(error) && refusesVersion(failure)));
      throw await this.#undo(error, target, begun === 0 ? null : { result, counts }, options);
    }
    if (result === null) throw new NetworkError('ERR_CONFLIST_INVALID', `network ${name} has no plugins`);
    return result;
  }

  /**
   * Runs all plugins in reverse order, going on past those that fail, and returns what failed. `prevResult` is the result
   * of the ADD, from the record, if there is one; plugins are given it from version 0.4.0 on.
   */
  async del(
    target: RuntimeConf,
    prevResult: AnyResult | null,
    options: RunOptions = {},
  ): Promise<readonly NetworkError[]> {
    await refuseHostNamespace(this.#options, target);
    return this.#delAll(target, { result: prevResult, counts: () => true }, options);
  }

  /**
   * As `del`, where nothing proves that any plugin's ADD came to its end. One that refuses the configuration's version has
   * done nothing under it, and could never undo it either: that is no failure here.
   */
  async delUnproven(target: RuntimeConf, options: RunOptions = {}): Promise<readonly NetworkError[]> {
    await refuseHostNamespace(this.#options, target);
    const counts: Counts = (_index, failure) => !refusesVersion(failure);
    return this.#delAll(target, { result: null, counts }, options);
  }

  /** Whether the configuration's version has CHECK at all. */
  get hasCheck(): boolean {
    return atLeast(this.list.cniVersion, '0.4.0');
  }

  /**
   * Whether the attachment is as its ADD left it: what each plugin finds wrong. Rejects with ERR_VERSION_UNSUPPORTED where
   * the version has no CHECK.
   */
  async check(
    target: RuntimeConf,
    prevResult: AnyResult | null,
    options: RunOptions = {},
  ): Promise<readonly NetworkError[]> {
    const { cniVersion, disableCheck, plugins } = this.list;
    if (!this.hasCheck) {
      const problem = `configuration version "${cniVersion}" does not support the CHECK command; 0.4.0 does`;
      throw new NetworkError('ERR_VERSION_UNSUPPORTED', problem);
    }
    if (disableCheck) return [];
    await refuseHostNamespace(this.#options, target);
    const previous = prevResult === null ? null : convertResult(prevResult, cniVersion);
    const errors: NetworkError[] = [];
    for (const plugin of plugins) {
      const stdin = attachmentStdin(this.list, plugin, target.capabilityArgs, previous);
      const call = { type: plugin.type, command: 'CHECK', target, stdin } as const;
      await collect(errors, () => callInChain(this.#options, call, options));
    }
    return errors;
  }

  /** Whether the plugins are ready to ADD: each answer that says no. Silent below version 1.1.0. */
  async status(options: RunOptions = {}): Promise<readonly NetworkError[]> {
    const errors: NetworkError[] = [];
    if (!atLeast(this.list.cniVersion, '1.1.0')) return errors;
    for (const plugin of this.list.plugins) {
      const stdin = statusStdin(this.list, plugin);
      const call = { type: plugin.type, command: 'STATUS', target: noAttachment, stdin } as const;
      await collect(errors, () => callInChain(this.#options, call, options));
    }
    return errors;
  }

  /** Whether {@link gc} says anything. */
  get collects(): boolean {
    return !this.list.disableGc && atLeast(this.list.cniVersion, '1.1.0');
  }

  /**
   * Tells all plugins which attachments are to stay, so that they free what belongs to others; `null` says nothing, and
   * leaves it to them. Returns what failed. Silent below version 1.1.0 and where the conflist disables it.
   */
  async gc(
    valid: readonly ValidAttachment[] | null,
    options: RunOptions = {},
  ): Promise<readonly NetworkError[]> {
    const errors: NetworkError[] = [];
    if (!this.collects) return errors;
    for (const plugin of this.list.plugins) {
      const stdin = gcStdin(this.list, plugin, valid);
      const call = { type: plugin.type, command: 'GC', target: noAttachment, stdin } as const;
      await collect(errors, () => callInChain(this.#options, call, options));
    }
    return errors;
  }

  async #addOne(
    plugin: PluginConf,
    target: RuntimeConf,
    prevResult: AnyResult | null,
    options: RunOptions,
  ): Promise<AnyResult> {
    const name = { type: plugin.type, command: 'ADD' } as const;
    const stdin = attachmentStdin(this.list, plugin, target.capabilityArgs, prevResult);
    const json = parseJson(await callInChain(this.#options, { ...name, target, stdin }, options));
    const result = json.ok ? decodeResult(json.value, this.list.cniVersion) : json;
    if (result.ok) return result.value;
    throw pluginError('ERR_PLUGIN_OUTPUT_INVALID', name, `printed no CNI result: ${result.problem}`);
  }

  /** Plugins that have nothing to undo, and whose failure does not count, are told all the same. */
  async #delAll(
    target: RuntimeConf,
    { result, counts }: Added,
    options: RunOptions,
  ): Promise<NetworkError[]> {
    const { cniVersion, plugins } = this.list;
    const withPrevious = result !== null && atLeast(cniVersion, '0.4.0');
    const previous = withPrevious ? convertResult(result, cniVersion) : null;
    const errors: NetworkError[] = [];
    for (const [index, plugin] of [...plugins.entries()].reverse()) {
      const stdin = attachmentStdin(this.list, plugin, target.capabilityArgs, previous);
      const call = { type: plugin.type, command: 'DEL', target, stdin } as const;
      const failures: NetworkError[] = [];
      await collect(failures, () => callInChain(this.#options, call, options));
      errors.push(...failures.filter((failure) => counts(index, failure)));
    }
    return errors;
  }

  /** Heeds no signal; each plugin has its usual time. `added` is `null` where none has begun. */
  async #undo(
    error: unknown,
    target: RuntimeConf,
    added: Added | null,
    { vmId, lock }: RunOptions,
  ): Promise<unknown> {
    const errors = added === null ? [] : await this.#delAll(target, added, { vmId, lock });
    const rolledBack = errors.length === 0;
    if (error instanceof AbortError) return new AbortError(rolledBack, { cause: error.cause });
    return error instanceof NetworkError ? error.with({ rolledBack, errors }) : error;
  }
}

function neverRan(error: unknown): boolean {
  return isNetworkError(error, 'ERR_PLUGIN_NOT_FOUND') || isNetworkError(error, 'ERR_PLUGIN_NOT_EXECUTABLE');
}

/**
 * A plugin looks at the version before it does anything. One whose delegate refuses has begun, though, so that only what its
 * DEL says tells whether something is left.
 */
function refusesVersion(error: unknown): boolean {
  return isNetworkError(error, 'ERR_VERSION_UNSUPPORTED');
}
