import { AbortError, isNetworkError, NetworkError } from '../errors.ts';
import { type ChainOptions, callInChain, type RunOptions, refuseHostNamespace } from './call.ts';
import { collect } from './collect.ts';
import { convertResult, currentResult } from './convert.ts';
import { assertArgs, noAttachment } from './environment.ts';
import { findPlugin } from './find.ts';
import { assertContainerId, assertIfName } from './names.ts';
import { pluginError } from './outcome.ts';
import { type PluginVersions, probePlugin } from './probe.ts';
import { parseJson } from './protocol.ts';
import { decodeResult } from './result.ts';
import { attachmentStdin, gcStdin, statusStdin, type ValidAttachment } from './stdin.ts';
import type { AnyResult, ConfList, PluginConf, Result, RuntimeConf } from './types.ts';
import { atLeast, effectiveVersion } from './version.ts';

export type { ChainOptions, RunOptions } from './call.ts';

export interface AddOptions extends RunOptions {
  /** Between a plugin and the next. What it throws fails the ADD, and the chain is undone. */
  readonly afterPlugin?: ((index: number, result: Result) => void | Promise<void>) | undefined;
}

/** A network's plugins, run in order: CNI's operations on a conflist. Locks and records are the caller's. */
export class Chain {
  readonly list: ConfList;
  readonly #options: ChainOptions;

  constructor(list: ConfList, options: ChainOptions) {
    this.list = list;
    this.#options = options;
  }

  /** Which versions the plugins speak; an error for each that is missing or does not speak the conflist's. */
  async validate({ signal }: RunOptions = {}): Promise<{
    readonly plugins: readonly PluginVersions[];
    readonly errors: readonly NetworkError[];
  }> {
    const plugins: PluginVersions[] = [];
    const errors: NetworkError[] = [];
    const wanted = effectiveVersion(this.list.cniVersion);
    for (const type of new Set(this.list.plugins.map((plugin) => plugin.type))) {
      await collect(errors, async () => {
        const found = await probePlugin(this.#options, type, signal);
        plugins.push(found);
        if (found.versions.includes(wanted)) return;
        const problem = `speaks CNI ${found.versions.join(', ')}, but not ${wanted}, which the configuration asks for`;
        throw pluginError('ERR_VERSION_UNSUPPORTED', { type, command: 'VERSION' }, problem);
      });
    }
    return { plugins, errors };
  }

  /**
   * Runs the plugins in order, each with the result of the one before. When one fails, or the signal aborts, the whole
   * chain is run backwards with DEL, going on past failures, before the promise rejects; `rolledBack` says whether that
   * was complete, and `errors` what failed of it.
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
    let started = 0;
    try {
      for (const [index, plugin] of plugins.entries()) {
        started = index + 1;
        result = await this.#addOne(plugin, target, result, options);
        await options.afterPlugin?.(index, currentResult(result));
      }
    } catch (error) {
      throw await this.#undo(error, target, result, neverRan(error) ? started - 1 : started, options);
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
    return this.#delAll(target, prevResult, this.list.plugins.length, options);
  }

  /** Whether the attachment is as its ADD left it: what each plugin finds wrong. */
  async check(
    target: RuntimeConf,
    prevResult: AnyResult | null,
    options: RunOptions = {},
  ): Promise<readonly NetworkError[]> {
    const { cniVersion, disableCheck, plugins } = this.list;
    if (!atLeast(cniVersion, '0.4.0')) {
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

  /** Whether the plugins are ready to ADD; rejects with the first answer that says no. Silent below version 1.1.0. */
  async status(options: RunOptions = {}): Promise<void> {
    if (!atLeast(this.list.cniVersion, '1.1.0')) return;
    for (const plugin of this.list.plugins) {
      const stdin = statusStdin(this.list, plugin);
      const call = { type: plugin.type, command: 'STATUS', target: noAttachment, stdin } as const;
      await callInChain(this.#options, call, options);
    }
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
    if (this.list.disableGc || !atLeast(this.list.cniVersion, '1.1.0')) return errors;
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

  /** Only what the first `started` plugins report counts: the others have nothing to undo, and are told all the same. */
  async #delAll(
    target: RuntimeConf,
    prevResult: AnyResult | null,
    started: number,
    options: RunOptions,
  ): Promise<NetworkError[]> {
    const { cniVersion, plugins } = this.list;
    const withPrevious = prevResult !== null && atLeast(cniVersion, '0.4.0');
    const previous = withPrevious ? convertResult(prevResult, cniVersion) : null;
    const errors: NetworkError[] = [];
    for (const [index, plugin] of [...plugins.entries()].reverse()) {
      const stdin = attachmentStdin(this.list, plugin, target.capabilityArgs, previous);
      const call = { type: plugin.type, command: 'DEL', target, stdin } as const;
      await collect(index < started ? errors : [], () => callInChain(this.#options, call, options));
    }
    return errors;
  }

  /** Heeds no signal; each plugin has its usual time. */
  async #undo(
    error: unknown,
    target: RuntimeConf,
    result: AnyResult | null,
    started: number,
    { lock }: RunOptions,
  ): Promise<unknown> {
    const errors = started === 0 ? [] : await this.#delAll(target, result, started, { lock });
    const rolledBack = errors.length === 0;
    if (error instanceof AbortError) return new AbortError(rolledBack, { cause: error.cause });
    return error instanceof NetworkError ? error.with({ rolledBack, errors }) : error;
  }
}

function neverRan(error: unknown): boolean {
  return isNetworkError(error, 'ERR_PLUGIN_NOT_FOUND') || isNetworkError(error, 'ERR_PLUGIN_NOT_EXECUTABLE');
}
