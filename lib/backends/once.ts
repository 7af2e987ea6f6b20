/** What is asked for by many is done when it is first asked for, and once. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= work();
    return made;
  };
}

/** The same for each subject, of those of one key for the first. */
export function onceEach<S, T>(
  keyOf: (subject: S) => string,
  work: (subject: S) => Promise<T>,
): (subject: S) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (subject) => {
    const key = keyOf(subject);
    const known = made.get(key);
    if (known !== undefined) return known;
    const promise = work(subject);
    made.set(key, promise);
    return promise;
  };
}
