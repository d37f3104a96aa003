/** Says now and then how much of a stream has come. */
const EVERY_MS = 2000

/** The same pieces; `tell` gets whole percents of `bytes`, at most every two seconds, and 99 at most, as the end is told otherwise. */
export async function* watched<T>(
  stream: AsyncIterable<T>, { bytes, size, tell }: { bytes: number; size(piece: T): number; tell(percent: number): Promise<unknown> },
): AsyncIterable<T> {
  let [come, last] = [0, performance.now()]
  for await (const piece of stream) {
    yield piece
    come += size(piece)
    if (performance.now() - last < EVERY_MS) continue
    last = performance.now()
    await tell(Math.min(99, Math.floor(100 * come / Math.max(1, bytes))))
  }
}
