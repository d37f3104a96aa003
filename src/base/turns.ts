/** Works of one key are done one after the other, in the order asked, whatever becomes of those before; works of different keys at once. */
export function turns<K>(): <T>(key: K, work: () => Promise<T>) => Promise<T> {
  const last = new Map<K, Promise<unknown>>()
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, mine)
    const done = () => { if (last.get(key) === mine) last.delete(key) }
    mine.then(done, done)
    return mine
  }
}
