import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { netnsDir, resetLab, until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { outcomeOf } from '../support/run.ts';
import { browser as executablePath } from '../support/tools.mjs';

const program = 'test/examples/launcher/launcher.mjs';
const bootMs = 120_000;

/** Of this many pings at the end the answer may still be on its way. */
const onTheirWay = 100;

/** A ping every 20 ms, and which of them had no answer. */
function pinging(address: string): { end(): Promise<readonly number[]> } {
  const child = spawn('ping', ['-n', '-i', '0.02', '-W', '2', address]);
  let printed = '';
  child.stdout.on('data', (text: Buffer) => {
    printed += text;
  });
  return {
    async end() {
      child.kill('SIGINT');
      await once(child, 'close');
      const sent = Number(/(\d+) packets transmitted/.exec(printed)?.[1]);
      const answered = new Set([...printed.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, seq]) => Number(seq)));
      expect(sent).toBeGreaterThan(onTheirWay);
      const due = Array.from({ length: sent - onTheirWay }, (_value, index) => index + 1);
      return due.filter((seq) => !answered.has(seq));
    },
  };
}

describeWith(['lab', 'tun', 'qemu', 'guest-image', 'browser'], 'the launcher, in a browser', () => {
  let directory: string;
  let browser: Browser;
  let page: Page;
  let launcher: ChildProcess;

  /** Where it listens. */
  async function start(port: number): Promise<number> {
    launcher = spawn(process.execPath, [program, `${port}`, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(launcher.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    return Number(/\d+/.exec(line.toString())?.[0]);
  }
  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    launcher.kill(signal);
    await once(launcher, 'exit');
  }
  const rows = () => page.locator('#machines tr');
  const cells = async () => (await rows().allInnerTexts()).map((text) => text.split('\t'));
  const number = (name: string) =>
    page.locator('#numbers div', { hasText: name }).locator('dd').textContent();

  beforeEach(async () => {
    await resetLab();
    directory = await mkdtemp(join(tmpdir(), 'vulcan-launcher-'));
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    page = await browser.newPage();
  });
  afterEach(async () => {
    await browser.close();
    if (launcher.exitCode === null && launcher.signalCode === null) await end('SIGKILL');
    for (const name of await readdir(directory)) {
      await outcomeOf('pkill', ['--signal', 'KILL', '--pidfile', join(directory, name, 'pid')]);
    }
    await rm(directory, { recursive: true });
  });

  it('starts guests from the pool, and loses none when it restarts or is killed', async () => {
    const port = await start(0);
    await page.goto(`http://127.0.0.1:${port}/`);
    await until('slots', async () => /^[1-9]/.test((await number('slots ready')) ?? ''));
    for (const count of [1, 2]) {
      await page.getByRole('button', { name: 'Start a guest' }).click();
      await until('its row', async () => (await rows().count()) === count, bootMs);
    }
    await until(
      'the guests to boot',
      async () => (await cells()).every(([, , , , state]) => state === 'up'),
      bootMs,
    );
    const guests = await cells();
    expect(guests.map(([, , origin]) => origin)).toEqual(['warm', 'warm']);
    expect(await number('warm set-ups')).toBe('2');
    const addresses = guests.map(([, address]) => address ?? '');
    const flow = pinging(addresses[0] ?? '');

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await end(signal);
      await page.locator('[aria-busy=true]').waitFor();
      await start(port);
      await page.locator('[aria-busy=true]').waitFor({ state: 'detached' });
      const adopted = await cells();
      expect(adopted.map(([, address]) => address).sort()).toEqual([...addresses].sort());
      expect(adopted.map(([, , origin]) => origin)).toEqual(['adopted', 'adopted']);
    }
    expect(await flow.end()).toEqual([]);

    for (const left of [1, 0]) {
      const row = page.locator(`#${await rows().first().getAttribute('id')}`);
      await until('the guest to go', async () => {
        // The page draws its rows anew all the time: a click may meet one that is no more.
        const clicked = row.getByRole('button', { name: 'Stop' }).click({ timeout: 1_000 });
        await clicked.catch(() => {});
        return (await row.count()) === 0 && (await readdir(netnsDir)).length === left;
      });
      expect(await rows().count()).toBe(left);
    }
    await end('SIGTERM');
    expect(launcher.exitCode).toBe(0);
    expect(await readdir(netnsDir)).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  }, 300_000);
});
