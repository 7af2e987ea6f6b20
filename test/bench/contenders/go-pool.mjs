import { buildGoPeer } from '../build.mjs';
import { prepareStage } from '../stage.mjs';
import { peerContender } from './peer.mjs';

/**
 * The Go peer with a pool: one goroutine builds slots for as long as there is room, used ones are taken first. `burst` and
 * `churn` run within it, without a pipe between two calls.
 */
export async function goPoolContender(name, { short, octet, size, recycle }) {
  const settings = await prepareStage(short, octet);
  const peer = peerContender(name, await buildGoPeer(), {
    ...{ ...settings, BENCH_POOL: String(size), BENCH_RECYCLE: recycle ? '1' : '0' },
  });
  const warm = async () => void (await peer.request('warm'));
  return {
    ...peer,
    // The ports of slots never go.
    bridge: null,
    prepare: warm,
    /** Milliseconds until all are done. */
    async burst(count, prefix) {
      await warm();
      const { us } = await peer.request(`burst ${count} ${prefix}`);
      for (let vm = 0; vm < count; vm++) await peer.teardown(`${prefix}-${vm}`);
      return us / 1000;
    },
    /** Milliseconds of each. @returns {Promise<{ setups: number[], teardowns: number[] }>} */
    async churn(live, callers, seconds) {
      await warm();
      return peer.request(`churn ${live} churn ${callers} ${seconds * 1000}`);
    },
  };
}
