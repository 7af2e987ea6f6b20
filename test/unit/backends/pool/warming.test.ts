import { expect, it } from 'vitest';
import { Stopper } from '../../../../lib/async/stop.ts';
import { Warming } from '../../../../lib/backends/pool/warming.ts';

it('whoever waits for a warm pool is told, or told why not', async () => {
  const warming = new Warming();
  const [first, second] = [warming.wait(new Stopper()), warming.wait(new Stopper())];
  warming.done();
  await Promise.all([first, second]);
  const third = warming.wait(new Stopper());
  const refused = new Error('no memory');
  warming.fail(refused);
  await expect(third).rejects.toBe(refused);
});

it('whoever waits may be stopped, before and after', async () => {
  const warming = new Warming();
  const stop = new Stopper();
  const waiting = warming.wait(stop);
  stop.stop(new Error('enough'));
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await expect(warming.wait(stop)).rejects.toMatchObject({ name: 'AbortError' });
});
