import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NetworkManager } from '../../lib/index.ts';
import { netnsDir, resetLab, until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { outcomeOf } from '../support/run.ts';
import { browser as executablePath, guestImage } from '../support/tools.mjs';
import { endProcessesIn } from './launcher/vmm.mjs';

const program = 'test/examples/launcher/launcher.mjs';
const bootMs = 120_000;

/** A ping every 20 ms, and which of them had no answer, up to the last that had one. */
function pinging(address: string): { end(): Promise<readonly number[]> } {
  const child = spawn('ping', ['-n', '-i', '0.02', '-W', '2', address]);
  let printed = '';
  child.stdout.on('data', (text: Buffer) => {
    printed += text;
  });
  const answered = () => new Set([...printed.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, seq]) => Number(seq)));
  return {
    async end() {
      const before = answered().size;
      await until('more answers', () => answered().size > before);
      child.kill('SIGINT');
      await once(child, 'close');
      const due = Array.from({ length: Math.max(...answered()) }, (_value, index) => index + 1);
      const seen = answered();
      return due.filter((seq) => !seen.has(seq));
    },
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: { readonly [name: string]: unknown };
}

async function ask(port: number, method: string, path: string, headers = {}): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, method, path, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: JSON.parse(await text(response)) };
}

const names = async () => (await readdir(netnsDir)).map((name) => name.replace('vulcan-', '')).sort();

describeWith(['lab', 'tun', 'qemu', 'guest-image', 'browser'], 'the launcher, in a browser', () => {
  let browser: Browser;
  let page: Page;
  let launcher: ChildProcess;

  const args = (port: number) => [program, `${port}`, guestImage.kernel, guestImage.initramfs];

  /** Where it listens. */
  async function start(port: number): Promise<number> {
    launcher = spawn(process.execPath, args(port), { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(launcher.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    return Number(/\d+/.exec(line.toString())?.[0]);
  }
  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    launcher.kill(signal);
    await once(launcher, 'exit');
  }
  const rows = () => page.locator('#machines tr');
  const cells = async () => (await rows().allInnerTexts()).map((text) => text.split('\t'));
  const problem = () => page.locator('#problem').textContent();
  const number = (name: string) =>
    page.locator('#numbers div', { hasText: name }).locator('dd').textContent();

  beforeEach(async () => {
    await resetLab();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    page = await browser.newPage();
  });
  afterEach(async () => {
    await browser.close();
    if (launcher.exitCode === null && launcher.signalCode === null) await end('SIGKILL');
    for (const name of await readdir(netnsDir)) await endProcessesIn(`${netnsDir}/${name}`);
  });

  it('starts guests from the pool, and loses none when it restarts or is killed', async () => {
    await using others = await NetworkManager.open({ verify: 'off' });
    await others.setup('another');
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
    const second = await outcomeOf(process.execPath, args(0));
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('another launcher') });
    const { body } = await ask(port, 'GET', '/stats');
    for (const { pid } of body['machines'] as { pid: number }[]) {
      expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t20\d+\t.*^Seccomp:\t2$/ms);
    }
    const stop = await rows().first().getByRole('button').elementHandle();
    const addresses = guests.map(([, address]) => address ?? '');
    const flow = pinging(addresses[0] ?? '');

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await end(signal);
      await page.locator('[aria-busy=true]').waitFor();
      await page.getByRole('button', { name: 'Start a guest' }).click();
      await page.getByText('The launcher does not answer').waitFor();
      await start(port);
      await page.locator('[aria-busy=true]').waitFor({ state: 'detached' });
      const adopted = await cells();
      expect(adopted.map(([, address]) => address).sort()).toEqual([...addresses].sort());
      expect(adopted.map(([, , origin]) => origin)).toEqual(['adopted', 'adopted']);
    }
    expect(await flow.end()).toEqual([]);

    expect(await problem()).toBe('');
    expect(await stop?.evaluate((button) => button.isConnected)).toBe(true);

    for (const left of [1, 0]) {
      await rows().first().getByRole('button', { name: 'Stop' }).click();
      await until('the guest to go', async () => (await rows().count()) === left);
      expect((await names()).length).toBe(left + 1);
    }
    await end('SIGTERM');
    expect(launcher.exitCode).toBe(0);
    expect(await names()).toEqual(['another']);
  }, 300_000);

  it('obeys its own page alone, says what it refuses, and ends where its port is somebody else’s', async () => {
    const port = await start(0);
    for (const headers of [
      { origin: 'http://example.com' },
      { origin: 'null' },
      { host: `example.com:${port}` },
    ]) {
      expect(await ask(port, 'POST', '/vms', headers)).toMatchObject({
        status: 403,
        body: { code: 'FORBIDDEN' },
      });
    }
    const missing = await ask(port, 'DELETE', '/vms/guest-0', { origin: `http://127.0.0.1:${port}` });
    expect(missing).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    await end('SIGTERM');

    const other = createServer().listen(port, '127.0.0.1');
    const refused = await outcomeOf(process.execPath, args(port));
    other.close();
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('EADDRINUSE') });
    expect(await names()).toEqual([]);
  });
});
