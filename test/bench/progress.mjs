/** A sign of life on stderr: one line that is written over on a terminal, a line of its own elsewhere. */
export function progress(text) {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
}

export function progressDone() {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
