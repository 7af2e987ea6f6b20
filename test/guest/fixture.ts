import { afterEach, beforeEach } from 'vitest';
import { kernelIpArgument, NetworkManager, type NetworkManagerOptions } from '../../lib/index.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { bootGuest, type Guest } from '../support/guest.mjs';
import { resetLab } from '../support/lab.ts';
import { startOutside } from '../support/outside.mjs';

type Outside = Awaited<ReturnType<typeof startOutside>>;

/** A lab with a world beyond it, and managers and guests that end with the test. */
export interface GuestLab {
  readonly outside: Outside;
  open(options: NetworkManagerOptions): Promise<NetworkManager>;
  boot(net: NetworkConfig): Promise<Guest>;
}

/** Registers the hooks; what it returns is ready inside a test. */
export function useGuestLab(): GuestLab {
  let outside: Outside | undefined;
  let disposables: AsyncDisposable[] = [];

  beforeEach(async () => {
    await resetLab();
    outside = await startOutside();
  });

  afterEach(async () => {
    for (const disposable of disposables.reverse()) await disposable[Symbol.asyncDispose]();
    disposables = [];
    await outside?.stop();
  });

  return {
    get outside() {
      if (!outside) throw new Error('the outside is there only inside a test');
      return outside;
    },
    async open(options) {
      const manager = await NetworkManager.open({ verify: 'throw', ...options });
      disposables.push(manager);
      return manager;
    },
    async boot(net) {
      const guest = await bootGuest(net, { ipParameter: kernelIpArgument(net) });
      disposables.push(guest);
      return guest;
    },
  };
}
