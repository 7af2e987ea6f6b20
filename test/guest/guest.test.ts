import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { backends, layouts } from '../support/backends.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import type { Guest } from '../support/guest.mjs';
import { until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { ip, nft } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { useGuestLab } from './fixture.ts';

const servicePort = 8081;
const metadataAddress = '169.254.169.254';

const ping = (address: string): string => `ping -c 1 -W 2 ${address}`;
const ping6 = (address: string): string => `ping6 -c 1 -W 2 -I eth0 ${address}`;
const fetchPage = (url: string): string => `timeout 3 wget -q -O - ${url}`;

/** Some links take a moment to forward; a guest that can get through does so within a few tries. */
async function expectReaches(guest: Guest, command: string): Promise<string> {
  let answer = await guest.run(command);
  for (let attempt = 1; answer.exitCode !== 0 && attempt < 5; attempt++) answer = await guest.run(command);
  expect(answer, guest.console).toMatchObject({ exitCode: 0 });
  return answer.output;
}

/** None of the commands succeeds. They run side by side, because each takes as long as its patience. */
async function expectBlocked(guest: Guest, ...commands: readonly string[]): Promise<void> {
  const reports = commands.map((command) => `{ ${command} >/dev/null 2>&1 && echo '${command}'; } &`);
  expect((await guest.run(`${reports.join(' ')} wait`)).output, guest.console).toBe('');
}

describeWith(['lab', 'tun', 'qemu', 'guest-image', 'debian-plugins'], 'a real guest', () => {
  const lab = useGuestLab();
  let service: Server | undefined;

  /** A web server on the host itself, on all its addresses. */
  async function startHostService(): Promise<void> {
    const server = createServer((_request, response) => response.end('host service\n'));
    await new Promise<void>((resolve) => server.listen(servicePort, '::', resolve));
    service = server;
  }

  /** What a careless administrator might do: IPv6 on the bridge, and in the guest. The host's addresses there. */
  async function openHostIpv6(guest: Guest): Promise<string[]> {
    const settings = Object.entries({ accept_dad: '0', addr_gen_mode: '0', disable_ipv6: '0' });
    for (const [name, value] of settings) await writeFile(`/proc/sys/net/ipv6/conf/fcbr0/${name}`, value);
    await ip('address', 'add', 'fd00:168::1/64', 'dev', 'fcbr0');
    await guest.run('ip -6 address add fd00:168::2/64 dev eth0');
    await until('a link-local address', async () =>
      (await ip('-6', 'address', 'show', 'dev', 'fcbr0')).includes('fe80:'),
    );
    const shown = await ip('-6', 'address', 'show', 'dev', 'fcbr0');
    return [...shown.matchAll(/inet6 ([^/]+)/g)].flatMap(([, address]) => address ?? []);
  }

  afterEach(() => {
    service?.close();
    service = undefined;
  });

  describe.each(backends)('on the %s backend', (backend) => {
    it('pings its gateway, fetches from beyond the NAT under the host address, and reaches a second guest', async () => {
      const manager = await lab.open({ backend });
      const before = await canonicalDump();
      const firstNet = await manager.setup('vm-1');
      const secondNet = await manager.setup('vm-2');
      const [first, second] = await Promise.all([lab.boot(firstNet), lab.boot(secondNet)]);

      expect(await expectReaches(first, ping('10.168.0.1'))).toContain('64 bytes from 10.168.0.1');
      expect(await expectReaches(first, ping(secondNet.guestIp))).toContain(
        `64 bytes from ${secondNet.guestIp}`,
      );
      const page = await expectReaches(first, fetchPage(`${lab.outside.url}first`));
      expect(page).toContain(`You are ${lab.outside.uplinkAddress}.`);
      expect(lab.outside.requests).toContain(`GET /first from ${lab.outside.uplinkAddress}`);

      await Promise.all([first.kill(), second.kill()]);
      await manager.teardown('vm-1');
      await manager.teardown('vm-2');
      await expectUnchanged(before);
    });

    it('reaches neither a service of the host, nor 169.254.169.254, nor the host over IPv6', async () => {
      await startHostService();
      await ip('address', 'add', `${metadataAddress}/32`, 'dev', 'lo');
      const manager = await lab.open({ backend });
      const guest = await lab.boot(await manager.setup('vm-1'));
      const hostAddresses = await openHostIpv6(guest);

      await expectReaches(guest, ping('10.168.0.1'));
      const blocked = [
        fetchPage(`http://10.168.0.1:${servicePort}/`),
        fetchPage(`http://${lab.outside.uplinkAddress}:${servicePort}/`),
        fetchPage(`http://${metadataAddress}:${servicePort}/`),
        ...hostAddresses.map(ping6),
      ];
      await expectBlocked(guest, ...blocked);
      // All of it is there, and only the firewall stands before it.
      await nft('flush', 'ruleset');
      for (const command of blocked) await expectReaches(guest, command);
    });

    it('reaches a service of the host that hostAccess lists, and no other', async () => {
      await startHostService();
      const manager = await lab.open({ backend, hostAccess: [{ protocol: 'tcp', port: servicePort }] });
      const guest = await lab.boot(await manager.setup('vm-1'));

      const page = await expectReaches(guest, fetchPage(`http://10.168.0.1:${servicePort}/`));
      expect(page).toContain('host service');
      service?.close();
      await new Promise<void>((resolve) => {
        service = createServer((_request, response) => response.end('other')).listen(
          servicePort + 1,
          resolve,
        );
      });
      await expectBlocked(guest, fetchPage(`http://10.168.0.1:${servicePort + 1}/`));
    });

    it('reaches any service of the host, and link-local addresses, where both are open', async () => {
      await startHostService();
      await ip('address', 'add', `${metadataAddress}/32`, 'dev', 'lo');
      const manager = await lab.open({ backend, hostAccess: 'all', allowLinkLocal: true });
      const guest = await lab.boot(await manager.setup('vm-1'));

      await expectReaches(guest, fetchPage(`http://10.168.0.1:${servicePort}/`));
      await expectReaches(guest, fetchPage(`http://${metadataAddress}:${servicePort}/`));
    });

    it('is cut off by a teardown while its VMM still runs, and its address goes to the next VM', async () => {
      const manager = await lab.open({ backend, subnet: '10.168.0.0/30' }); // room for one guest
      const firstNet = await manager.setup('vm-1');
      const first = await lab.boot(firstNet);
      await expectReaches(first, ping('10.168.0.1'));

      await manager.teardown('vm-1');
      expect(first.running).toBe(true);
      await expectBlocked(first, ping('10.168.0.1'));

      const secondNet = await manager.setup('vm-2');
      expect(secondNet.guestIp).toBe(firstNet.guestIp);
      const second = await lab.boot(secondNet);
      await expectReaches(second, ping('10.168.0.1'));
      await expectBlocked(first, ping('10.168.0.1'));
      await expectReaches(second, fetchPage(lab.outside.url));
    });
  });

  it.each(layouts)(
    'in the layout %s: pings gateway and peer, fetches from beyond the NAT, and is cut off',
    async (layout) => {
      const shape = layout === 'bridges' ? { portsPerBridge: 1 } : {};
      const manager = await lab.open({ layout, ...shape });
      const [net, peer] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
      await standIn(peer);
      const guest = await lab.boot(net);
      await expectReaches(guest, ping('10.168.0.1'));
      expect(await expectReaches(guest, ping(peer.guestIp))).toContain(`64 bytes from ${peer.guestIp}`);
      expect(await expectReaches(guest, fetchPage(lab.outside.url))).toContain(lab.outside.uplinkAddress);
      await manager.teardown('vm-1');
      expect(guest.running).toBe(true);
      await expectBlocked(guest, ping('10.168.0.1'), ping(peer.guestIp));
    },
  );

  it('of each backend, on one bridge: they ping each other, and both get out', async () => {
    const managers = await Promise.all(backends.map((backend) => lab.open({ backend })));
    const nets = await Promise.all(managers.map((manager, index) => manager.setup(`vm-on-${index}`)));
    expect(new Set(nets.map(({ guestIp }) => guestIp)).size).toBe(backends.length);
    const guests = await Promise.all(nets.map((net) => lab.boot(net)));
    for (const [index, guest] of guests.entries()) {
      for (const other of nets.filter((_net, place) => place !== index)) {
        const answer = await expectReaches(guest, ping(other.guestIp));
        expect(answer).toContain(`64 bytes from ${other.guestIp}`);
      }
      await expectReaches(guest, fetchPage(lab.outside.url));
    }
  });
});
