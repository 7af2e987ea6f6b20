/** Addresses that are held by turns: says when each was got and when it is let go of, by a clock that all processes share. */
const HELD = 3;

const say = (verb, ip) => process.stdout.write(`${verb} ${ip} ${process.hrtime.bigint()}\n`);

/** @param {number} rounds @param {(id: number) => Promise<string>} take @param {(id: number, ip: string) => Promise<void>} free */
export async function holdSome(rounds, take, free) {
  const held = [];
  const letGo = async () => {
    const { id, ip } = held.shift();
    say('free', ip);
    await free(id, ip);
  };
  for (let id = 0; id < rounds; id++) {
    const ip = await take(id);
    say('got', ip);
    held.push({ id, ip });
    if (held.length > HELD) await letGo();
  }
  while (held.length > 0) await letGo();
}
